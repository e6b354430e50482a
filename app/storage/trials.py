"""Few statements at a time that are new of a caller."""

from app.core.fairness import Caller, Turns
from app.storage.read_queue import Read, share_of

_EACH = 8
"""A caller tries new statements on an eighth of the connections, while others read."""

_MOST_KNOWN = 4_096


class IsNew(Exception):
    """A read has come to a statement that is new of its caller, while others read. It starts again in its turn."""


class Trials:
    """Which statements each caller has read by in a short time, and turns for those that are new.

    Nobody knows yet whether a new statement takes long. Many of them together would keep the cores of the database from
    everybody else until each has used up its time: for eight at once on two cores, that is a quarter of a second. So
    few of a caller run at a time while others read, and of all callers at most on half of the connections."""

    def __init__(self, connections: int, most_waiting: int) -> None:
        self._turns = Turns(share_of(connections), each=max(1, connections // _EACH), waiting=most_waiting)
        self.known: dict[int, None] = {}
        """The hashes of callers with statements by which they have read in a short time. Each statement is looked up
        here, so that a call would be felt."""

    def learn(self, caller: Caller, sql: str) -> None:
        """Note that the caller has read by this statement in a short time."""
        if len(self.known) >= _MOST_KNOWN:
            del self.known[next(iter(self.known))]
        self.known[hash((caller, sql))] = None

    @property
    def waiting(self) -> int:
        """How many reads wait for a turn."""
        return self._turns.waiting

    def begin(self, read: Read) -> None:
        """Let the read run a statement that is new. Raises IsNew when it has to wait for that."""
        if read.trial is None:
            read.trial = self._turns.at_once(read.caller)
            if read.trial is None:
                raise IsNew

    async def wait_for(self, read: Read) -> None:
        """Wait until the read may run a statement that is new. Raises RateLimited when too many of its caller wait."""
        read.trial = await self._turns.take(read.caller)
