"""The tail's reads of the event log."""

import asyncio
from collections.abc import Sequence

from app.core.fairness import SERVER
from app.feed import steps
from app.storage.database import Database
from app.storage.event_log import Cursor, Newest, newest_era
from app.storage.query import Row


class Log:
    """The event log as the tail reads it.

    `newest` is the newest era as of the latest read of the heads; None on SQLite. `longest_silence` is after how many
    seconds without an answer of the database nobody can rely on the tail."""

    def __init__(self, database: Database, longest_silence: float) -> None:
        self.longest_silence = longest_silence
        self.newest: Newest | None = None
        self._database = database
        self._dialect = database.dialect.name
        self._asked_at: float | None = None  # since when a read has had no answer

    @property
    def is_silent(self) -> bool:
        """Whether the log has been unreadable for so long that listeners have to be told."""
        if self._asked_at is None:
            return False
        return asyncio.get_running_loop().time() - self._asked_at >= self.longest_silence

    def is_in_newest(self, cursor: Cursor) -> bool:
        """Whether what follows the cursor is in the newest era. If not, a read gives the rest of an older one."""
        return self.newest is None or self.newest.begin <= cursor

    async def heads(self) -> Sequence[Row]:
        """The rows of HEADS, and on PostgreSQL the newest era."""
        heads = await self._ask(steps.era_heads(self._dialect))
        self.newest = newest_era(heads)
        return heads

    async def after(self, cursor: Cursor, most: int) -> Sequence[Row]:
        """About `most` rows after the cursor."""
        return await self._ask(steps.after(self._dialect, cursor, most, self.newest))

    def rest(self) -> None:
        """Called when nobody wants the log any more. A silence ends only with an answer, also then."""
        if not self.is_silent:
            self._asked_at = None

    async def _ask(self, asked: steps.LogSteps) -> Sequence[Row]:
        if self._asked_at is None:
            self._asked_at = asyncio.get_running_loop().time()
        rows = await self._database.plan(asked, snapshot=False, caller=SERVER)
        self._asked_at = None
        return rows
