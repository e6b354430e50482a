"""Walks through all that another system lists, a page at a time."""

from collections.abc import Callable
from datetime import timedelta

from app.connections.model import ConnectedSystem
from app.connections.service import reading
from app.interactions.remote import Reach, Refused, Remote, Unanswered
from app.storage.database import Database

BUSY = 30.0
"""Seconds for which a page waits for what is more urgent; then it is its turn all the same."""

_AFTER_FAULT = 60.0
_PAGE_SECONDS = 2.0


class Walker:
    """The walks of one connection, of which each goes on where the one before it was left off, also after a restart."""

    def __init__(
        self,
        database: Database,
        system: ConnectedSystem,
        remote: Remote,
        reach: Reach,
        every: timedelta,
        least: float,
        time: Callable[[], float],
    ) -> None:
        self._database = database
        self._system = system
        self._remote = remote
        self._reach = reach
        self._every = every
        self._least = least
        self._time = time
        # All keys that the walk under way has seen, while they are known from its first page on.
        self._seen: set[str] | None = None
        self._pages = 0
        self.at = time()
        """When the next page is due, where nothing else is."""

    def now(self) -> None:
        """Have the next page due at once, whatever else there is."""
        self.at = float("-inf")

    def is_due(self, *, busy: bool) -> bool:
        """Whether the next page is due; where the connection is `busy`, only once it has waited for long."""
        return self._time() >= self.at + (BUSY if busy else 0.0)

    async def page(self) -> None:
        """Read the next page, if the next walk is due. Raises Refused and Unanswered; then it is due a minute later."""
        run, number = self._database.command, self._system.id
        at = await run(reading.next_page, number, self._pause())
        if at.page is None:
            self.at = self._time() + max(at.seconds, 1.0)
            return
        if at.page == 1:
            self._seen = set()
        try:
            found = await self._remote.list_page(self._reach, at.after)
        except (Refused, Unanswered) as fault:
            if isinstance(fault, Refused) and at.after is not None:
                # What led to the page may not be good any more.
                await run(reading.restart_walk, number)
            self.at = self._time() + _AFTER_FAULT
            raise
        if self._seen is not None:
            self._seen.update(each.key for each in found.items)
        await run(reading.note_walked, self._remote, number, found, at.page, at.began_at, self._seen)
        self.at = self._time()
        if found.after is None:
            self._seen, self._pages = None, at.page

    def _pause(self) -> timedelta:
        """How long after a walk the next one begins. Where lists do not begin with what is new, walks are what finds
        it: they take place as often as two seconds for each page allow."""
        if self._remote.newest_first:
            return self._every
        return min(self._every, timedelta(seconds=max(self._least, _PAGE_SECONDS * self._pages)))
