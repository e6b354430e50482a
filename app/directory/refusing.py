"""Writes what was refused to users, once a minute."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from app.core.actor import Actor
from app.core.errors import DomainError, Forbidden
from app.directory.model.refusal import RefusalReason, Refusals
from app.directory.service import record_refusals
from app.storage.database import Database

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0
_LAST_SECONDS = 2.0


class RefusalLog:
    """Writes the refusals that this process has counted: for each user, reason and permission one event at a time."""

    def __init__(self, database: Database, refusals: Refusals) -> None:
        self._database = database
        self._refusals = refusals

    def forbidden(self, actor: Actor, error: Forbidden) -> None:
        """Count something that the actor may not do or read."""
        if actor.user_id:
            self._refusals.note(
                actor.user_id, RefusalReason.FORBIDDEN, permission=error.permission, key_id=actor.key_id
            )

    async def write(self) -> None:
        """Write what was counted; what cannot be written now, the next time."""
        counted = self._refusals.take()
        if not counted:
            return
        try:
            await self._database.command(record_refusals, counted)
        except Exception as error:
            self._refusals.give_back(counted)
            if isinstance(error, DomainError):
                log.warning("refusals cannot be written", entries=len(counted), reason=error.message)
            else:
                log.exception("refusals cannot be written", entries=len(counted))

    async def run(self, seconds: float) -> None:
        """Write every so many seconds, without end."""
        while True:
            await asyncio.sleep(seconds)
            await self.write()


@asynccontextmanager
async def refusing(database: Database, refusals: Refusals, seconds: float = EVERY_SECONDS) -> AsyncIterator[RefusalLog]:
    """Write refusals beside the block, and at its end as far as the database answers in time."""
    found = RefusalLog(database, refusals)
    running = asyncio.create_task(found.run(seconds), name="refusals")
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.wait([running])
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await found.write()
