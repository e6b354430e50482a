"""Polls another system for what has changed."""

from collections.abc import Callable

from app.connections.model import ConnectedSystem
from app.connections.service import reading
from app.interactions.remote import Reach, Refused, Remote, Unanswered
from app.storage.database import Database

_MOST_PAGES = 5
_LONGEST_TROUBLE = 60.0
_ITEM_SECONDS = 0.001
"""How much longer the pause after a poll is for each item that it has listed: long lists are read less often."""


class Poller:
    """The polls of one connection. Each goes on from where the one before it ended, even after a restart."""

    def __init__(
        self,
        database: Database,
        system: ConnectedSystem,
        remote: Remote,
        reach: Reach,
        every: float,
        time: Callable[[], float],
    ) -> None:
        self._run = database.command
        self._number = system.id
        self._remote = remote
        self._reach = reach
        self._every = every
        self._time = time
        self._cursor = system.poll_cursor
        self._has_polled = system.polled_at is not None
        self._troubles = 0
        self.at = 0.0
        """When the next poll is due."""

    async def poll(self) -> None:
        """Mark what has changed. Raises Refused and Unanswered; then the next poll is due later and later."""
        listed = 0
        try:
            listed = await self._mark()
            self._troubles = 0
        except (Refused, Unanswered):
            self._troubles += 1
            raise
        finally:
            pause = min(self._every * 2 ** min(self._troubles, 10), max(_LONGEST_TROUBLE, self._every))
            self.at = self._time() + pause + _ITEM_SECONDS * listed

    async def _mark(self) -> int:
        """Mark what has changed. Returns how many items were listed."""
        at: str | None = None
        listed = 0
        for _ in range(_MOST_PAGES):
            found = await self._remote.changes(self._reach, self._cursor, at)
            # What the first poll finds was there before, even if it is the newest.
            changed = await self._run(reading.note_listed, self._number, found.items, quiet=not self._has_polled)
            at, listed = found.after, listed + len(found.items)
            if at is None or (self._remote.newest_first and not changed):
                break
        await self._run(reading.note_polled, self._number, found.cursor)
        self._cursor, self._has_polled = found.cursor, True
        return listed
