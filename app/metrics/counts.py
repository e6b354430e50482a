"""Counters and histograms of a process's answers."""

from bisect import bisect_left
from collections import Counter, defaultdict

from app.http.watching import Answered

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the latency buckets, in seconds."""

MOST_NAMES = 200
"""How many names of operations, and how many of clients, have their own series in a process."""

MOST_OF_USER = 20
"""How many of these names one user may add. Clients choose the names, and each series stays."""

NO_NAME, OTHER = "(none)", "(other)"


class Histogram:
    """Counts of latencies; one thread at a time may use it."""

    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Names:
    """The names that have their own series: the first ones that came with an answer without an error."""

    def __init__(self, most: int = MOST_NAMES, each: int = MOST_OF_USER) -> None:
        self._most = most
        self._each = each
        self._known: set[str] = set()
        self._of: Counter[int] = Counter()

    def named(self, name: str | None, user_id: int | None, *, new: bool) -> str:
        """The label for a name. An unknown name gets its own label if it is `new` and there is room."""
        if not name:
            return NO_NAME
        if name in self._known:
            return name
        if not new or user_id is None or len(self._known) >= self._most or self._of[user_id] >= self._each:
            return OTHER
        self._known.add(name)
        self._of[user_id] += 1
        return name


class Counts:
    """A watcher that counts. All labels come from bounded sets, so that no client can create series without limit."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, ...]] = Counter()
        self.operations: Counter[tuple[str, ...]] = Counter()
        self.clients: Counter[str] = Counter()
        self.of_transport: defaultdict[str, Histogram] = defaultdict(Histogram)
        self.of_operation: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._operations = Names()
        self._clients = Names()

    def __call__(self, answered: Answered) -> None:
        trail = answered.trail
        if answered.transport != "websocket":
            self.requests[answered.transport, str(answered.status)] += 1
        lasts = trail.kind == "subscription"
        if not lasts:
            self.of_transport[answered.transport].add(answered.seconds)
        if answered.transport == "other":
            return
        is_whole = trail.code is None
        if trail.kind == "rest":
            name = trail.operation or NO_NAME  # the path of a contract; each contract declares a limited number
        else:
            name = self._operations.named(trail.operation, trail.user_id, new=is_whole)
        self.operations[name, trail.kind or NO_NAME, trail.code or "ok"] += 1
        if not lasts:
            self.of_operation[name].add(answered.seconds)
        self.clients[self._clients.named(trail.client, trail.user_id, new=is_whole)] += 1
