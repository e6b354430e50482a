"""Counters and histograms of a process's answers."""

from bisect import bisect_left
from collections import Counter, defaultdict

from app.core.trail import Trail
from app.http.watching import Asked

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the latency buckets, in seconds."""

MOST_NAMES = 200
"""How many names of operations, and how many of clients, have their own series in a process."""

MOST_OF_USER = 20
"""How many of these names one user may add. Clients choose the names, and each series stays."""

NO_NAME, OTHER = "(none)", "(other)"

MOST_ALIKE = 1_000
"""How many kinds of answers are counted by themselves before they are added to the counters."""

MOST_KEPT = 64
"""How many answers are counted at once. To keep one holds its trail, and nothing else of the request."""

_Alike = tuple[str, int, str | None, str | None, str | None, str | None]
"""What answers have in common that are counted alike: transport, status, kind, operation, code, client."""


class Histogram:
    """Counts of latencies; one thread at a time may use it."""

    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one latency."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def take(self, other: "Histogram") -> None:
        """Add all that the other has counted."""
        self.buckets = [one + more for one, more in zip(self.buckets, other.buckets, strict=True)]
        self.total += other.total


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
    """A watcher that counts. All labels come from bounded sets, so that no client can create series without limit.

    Answers are kept, and counted so many together: what counts them would be out of the processor's caches each time.
    One like one before is only added to a histogram of these; `settle` adds it to the counters."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, ...]] = Counter()
        self.operations: Counter[tuple[str, ...]] = Counter()
        self.clients: Counter[str] = Counter()
        self.of_transport: defaultdict[str, Histogram] = defaultdict(Histogram)
        self.of_operation: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._operations = Names()
        self._clients = Names()
        self._alike: dict[_Alike, Histogram] = {}
        self._kept: list[Trail] = []

    def __call__(self, trail: Trail, _asked: Asked) -> None:
        self._kept.append(trail)
        if len(self._kept) >= MOST_KEPT:
            self._count()

    def _count(self) -> None:
        """Count what is kept."""
        kept, self._kept = self._kept, []
        for trail in kept:
            alike = (trail.transport, trail.status, trail.kind, trail.operation, trail.code, trail.client)
            known = self._alike.get(alike)
            if known is None:
                self._count_new(alike, trail)
            else:
                # As `add` does: a call would be a tenth of what it costs to count an answer.
                known.buckets[bisect_left(BOUNDS, trail.seconds)] += 1
                known.total += trail.seconds

    def _count_new(self, alike: _Alike, trail: Trail) -> None:
        operation, client = self._named(alike, trail.user_id)
        one = Histogram()
        one.add(trail.seconds)
        self._add(alike, operation, client, one)
        if OTHER not in (operation, client):  # these names stay what they are
            if len(self._alike) >= MOST_ALIKE:
                self._settle()
                self._alike.clear()
            self._alike[alike] = Histogram()

    def settle(self) -> None:
        """Bring the counters up to date."""
        self._count()
        self._settle()

    def _settle(self) -> None:
        for alike, counted in self._alike.items():
            if any(counted.buckets):
                self._add(alike, *self._named(alike, None), counted)
                self._alike[alike] = Histogram()

    def _named(self, alike: _Alike, user_id: int | None) -> tuple[str, str]:
        """The labels of the operation and of the client. A new name of the user gets its own where there is room."""
        transport, _, kind, operation, code, client = alike
        if transport == "other":
            return NO_NAME, NO_NAME
        is_whole = code is None
        # Of REST it is the path of a contract; each contract declares a limited number.
        is_path = kind == "rest"
        name = operation or NO_NAME if is_path else self._operations.named(operation, user_id, new=is_whole)
        return name, self._clients.named(client, user_id, new=is_whole)

    def _add(self, alike: _Alike, operation: str, client: str, counted: Histogram) -> None:
        transport, status, kind, _, code, _ = alike
        number = sum(counted.buckets)
        if transport != "websocket":
            self.requests[transport, str(status)] += number
        lasts = kind == "subscription"
        if not lasts:
            self.of_transport[transport].take(counted)
        if transport == "other":
            return
        self.operations[operation, kind or NO_NAME, code or "ok"] += number
        if not lasts:
            self.of_operation[operation].take(counted)
        self.clients[client] += number
