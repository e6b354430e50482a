"""The order in which commands get connections to PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import Hashable

from app.core.errors import Unavailable
from app.core.fairness import Caller, Turn, Turns, too_many_wait
from app.core.keyed_turns import KeyedTurn, KeyedTurns
from app.storage import engines
from app.storage.growth import Connect, Growth
from app.storage.tally import Load

ON_ONE_SUBJECT = 1
"""How many connections the commands on one subject may take. More would only wait for the same lock."""

SHARE = 4
"""The share of the connections that the commands of one caller may take: a quarter."""


def share_of(connections: int) -> int:
    """How many of these connections the commands of one caller may use."""
    return max(1, connections // SHARE)


class Admission:
    """Gives each command a turn on its subject, then a connection. Both queues are fair between callers."""

    def __init__(self, connections: int, *, most_waiting: int, patience: float, opened: int, connect: Connect) -> None:
        """`opened` connections are open. `connect` takes a free one, or opens a new one."""
        self._subjects = KeyedTurns(ON_ONE_SUBJECT)
        self._connections = turns = Turns(opened, each=share_of(connections))
        self._growth = Growth(opened, connections, connect=connect, grown=turns.grow, lacks=lambda: not turns.free)
        self._most_waiting = most_waiting
        self._patience = patience
        self._asking: Counter[Caller] = Counter()

    @property
    def load(self) -> Load:
        """How many connections are open, how many are in use, and how many commands wait for a connection or a
        subject."""
        busy = self._growth.opened - self._connections.free
        return Load(self._growth.opened, busy, max(self._asking.total() - busy, 0))

    async def admit(self, caller: Caller, subject: Hashable | None) -> "Admitted":
        """Wait until the command may take a connection. Returns what the command holds until it ends. `subject` is what
        it changes, if that is known in advance.

        Raises RateLimited when too many commands of the caller are here, Unavailable when a turn takes too long."""
        if self._asking[caller] >= self._most_waiting:
            raise too_many_wait(self._most_waiting)
        self._asking[caller] += 1
        held = Admitted(self, caller)
        try:
            # Nearly always nobody has to wait. A wait costs more than everything else here, even when it ends at once.
            if subject is not None:
                held.subject = self._subjects.at_once(subject, caller)
                if held.subject is None:
                    async with asyncio.timeout(self._patience):
                        held.subject = await self._subjects.take(subject, caller)
            self._growth.look()
            held.connection = self._connections.at_once(caller)
            if held.connection is None:
                async with asyncio.timeout(engines.LONGEST_WAIT):
                    held.connection = await self._connections.take(caller)
            self._growth.look()
        except BaseException as error:
            held.end()
            if isinstance(error, TimeoutError):
                raise Unavailable("The server is busy with other commands; nothing was changed. Try again.") from None
            raise
        return held

    def left(self, caller: Caller) -> None:
        """One command of the caller has ended."""
        self._asking[caller] -= 1
        if not self._asking[caller]:
            del self._asking[caller]

    async def close(self) -> None:
        """Open no more connections."""
        await self._growth.close()


class Admitted:
    """What a command holds until `end`: its turn on its subject, and its turn for a connection."""

    __slots__ = ("_admission", "_caller", "connection", "subject")

    def __init__(self, admission: Admission, caller: Caller) -> None:
        self._admission = admission
        self._caller = caller
        self.subject: KeyedTurn | None = None
        self.connection: Turn | None = None

    def end(self) -> None:
        """Pass both turns on to the next commands."""
        if self.connection is not None:
            self.connection.end()
        if self.subject is not None:
            self.subject.end()
        self._admission.left(self._caller)
