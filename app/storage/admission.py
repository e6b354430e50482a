"""The order in which commands get connections to PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import AsyncExitStack, asynccontextmanager

from app.core.errors import Unavailable
from app.core.fairness import Caller, KeyedTurns, Turns, too_many_wait
from app.storage import engines
from app.storage.growth import Connect, Growth
from app.storage.tally import Load

ON_ONE_SUBJECT = 1
"""Connections that commands on one subject take: the others would hold theirs only to wait for the same lock."""

SHARE = 4
"""One caller's commands take at most this part of the connections: a quarter."""


def share_of(connections: int) -> int:
    """How many of the connections commands of one caller use."""
    return max(1, connections // SHARE)


class Admission:
    """Gives each command its turn on its subject, then one of its caller's connections; both are fair by caller."""

    def __init__(self, connections: int, *, most_waiting: int, patience: float, opened: int, connect: Connect) -> None:
        """So many of the connections are open; `connect` takes one of them, or opens another one."""
        self._subjects = KeyedTurns(ON_ONE_SUBJECT)
        self._connections = turns = Turns(opened, each=share_of(connections))
        self._growth = Growth(opened, connections, connect=connect, grown=turns.grow, lacks=lambda: not turns.free)
        self._most_waiting = most_waiting
        self._patience = patience
        self._asking: Counter[Caller] = Counter()

    @property
    def load(self) -> Load:
        """The connections that are open, those in use, and the commands that wait for one or for their subject."""
        busy = self._growth.opened - self._connections.free
        return Load(self._growth.opened, busy, max(self._asking.total() - busy, 0))

    @asynccontextmanager
    async def of(self, caller: Caller, subject: Hashable | None) -> AsyncIterator[None]:
        """Wait until the command may take a connection. `subject` is what it changes, if that is known before.

        Raises RateLimited when too many commands of the caller are here, Unavailable when a turn takes too long."""
        if self._asking[caller] >= self._most_waiting:
            raise too_many_wait(self._most_waiting)
        self._asking[caller] += 1
        try:
            async with AsyncExitStack() as held:
                try:
                    if subject is not None:
                        async with asyncio.timeout(self._patience):
                            await held.enter_async_context(self._subjects.of(subject, caller))
                    async with asyncio.timeout(engines.LONGEST_WAIT):
                        self._growth.look()
                        await held.enter_async_context(self._connections.of(caller))
                        self._growth.look()
                except TimeoutError:
                    raise Unavailable("Other commands took too long; nothing was changed.") from None
                yield
        finally:
            self._asking[caller] -= 1
            if not self._asking[caller]:
                del self._asking[caller]

    async def close(self) -> None:
        """Open no more connections."""
        await self._growth.close()
