"""Erases deleted data, a few rows in each unit of work."""

import structlog

from app.core.errors import DATABASE_AWAY
from app.destinations.service import erase_excerpts
from app.interactions.service.erasing import erase_part, finish_erasing
from app.storage.database import Database

ROWS = 100
"""Rows that one unit erases; on SQLite other commands wait for it."""

_log = structlog.get_logger(__name__)


class Eraser:
    """Erases in small steps between the process's other work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def step(self) -> bool:
        """Erase one part. Returns whether more is left. A failure is logged and retried later."""
        try:
            erased = await self._database.command(erase_part, ROWS, erase_excerpts)
            if erased.files is not None and await self._database.forget_deleted():
                await self._database.command(finish_erasing, erased.files)
        except DATABASE_AWAY:
            raise
        except Exception:
            _log.exception("what was deleted cannot be erased")
            return False
        return erased.more
