"""Does the entries of an outbox in its system, one after another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from app.connections.model.outbox import IN_FLIGHT
from app.connections.model.standing import ReachFault
from app.connections.service import sending
from app.interactions.remote import Reach, Refused, Remote, Unanswered
from app.storage.database import Database

PATIENCE = 10.0
"""How many seconds each request of a write waits for its turn. Then the whole write is put off."""

_SPARE = timedelta(seconds=10)
_UNAUTHORIZED_SECONDS = 60.0


class Sender:
    """Sends what a connection has to write, or checks whether it was done, and records the result."""

    def __init__(
        self,
        database: Database,
        remote: Remote,
        reach: Reach,
        lease: str,
        holder: str,
        reached: Callable[[ReachFault | None], Awaitable[None]],
    ) -> None:
        self._run = database.command
        self._remote = remote
        # An entry that waited until another process may take it would be done twice.
        self._reach = reach.within(PATIENCE)
        self._lease = lease
        self._holder = holder
        self._reached = reached

    async def send(self, entry_id: int) -> bool:
        """Do the next step of an entry. Returns False when it is not its turn, or nothing is left to do."""
        begun = await self._run(sending.begin_entry, self._remote, self._lease, self._holder, entry_id)
        if begun is None:
            return False
        try:
            await self._do(begun)
            await self._reached(None)
        except Refused as refused:
            if not refused.unauthorized:
                await self._run(sending.entry_refused, begun.entry.id, begun.entry.attempts, refused.reason)
                return True
            # Not only this write is refused, but all: it waits until the token is corrected.
            await self._unanswered(begun, Unanswered(refused.reason, arrived=False, wait=_UNAUTHORIZED_SECONDS))
            await self._reached(ReachFault.TOKEN)
        except Unanswered as silent:
            await self._unanswered(begun, silent)
        return True

    async def _do(self, begun: sending.Begun) -> None:
        number, attempts = begun.entry.id, begun.entry.attempts
        if begun.looks:
            async with _in_time():
                looked = await self._remote.look(self._reach, begun.task)
            await self._run(sending.entry_looked, self._remote, number, attempts, looked)
        else:
            async with _in_time():
                key = await self._remote.send(self._reach, begun.task)
            await self._run(sending.entry_done, number, attempts, key)

    async def _unanswered(self, begun: sending.Begun, silent: Unanswered) -> None:
        await self._run(
            sending.entry_unanswered,
            self._remote,
            begun.entry.id,
            begun.entry.attempts,
            silent.reason,
            arrived=silent.arrived,
            wait=silent.wait,
        )


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """Raises Unanswered shortly before another process may take the entry: nothing may be done for it after that."""
    try:
        async with asyncio.timeout((IN_FLIGHT - _SPARE).total_seconds()):
            yield
    except TimeoutError:
        raise Unanswered("It took too long.", arrived=True) from None
