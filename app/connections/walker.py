"""Walks through everything that another system lists, page by page."""

from collections.abc import Callable
from datetime import timedelta

from app.connections.model import ConnectedSystem
from app.connections.service import reading
from app.interactions.remote import Reach, Refused, Remote, Unanswered
from app.storage.database import Database

BUSY = 30.0
"""How many seconds a page waits for more urgent work. Then it is read anyway."""

MOST_PAGES = 100_000
"""How many pages a walk has. A list with more has no end."""

_ENDLESS = "The other system lists pages without end."
_AFTER_FAULT = 60.0
_LEAST_PAUSE = 0.1
_SHARE = 0.1
"""How much of the requests that the other system takes may be of one walk after the other."""


class Walker:
    """The walks of one connection. Each continues where the one before it stopped, even after a restart."""

    def __init__(
        self,
        database: Database,
        system: ConnectedSystem,
        remote: Remote,
        reach: Reach,
        every: timedelta,
        least: float,
        rate: float,
        time: Callable[[], float],
    ) -> None:
        self._database = database
        self._system = system
        self._remote = remote
        self._reach = reach
        self._every = every
        self._least = least
        self._page_seconds = 1 / (_SHARE * rate)
        self._time = time
        # All keys that the current walk has seen, if they are known from its first page on.
        self._seen: set[str] | None = None
        # The places where its pages went on: a page that leads back to one would be read for ever.
        self._places: set[str] = set()
        self._pages = 0
        self.at = time()
        """When the next page is due, if nothing else is."""

    def now(self) -> None:
        """Make the next page due at once, whatever else there is to do."""
        self.at = float("-inf")

    def is_due(self, *, busy: bool, ahead: bool) -> bool:
        """Whether the next page is due: while the connection is `busy`, only once it has waited long, and not while the
        walk is `ahead` of the reads, which are to take up what earlier pages have found."""
        if self.at == float("-inf"):
            return True
        return not ahead and self._time() >= self.at + (BUSY if busy else 0.0)

    async def page(self) -> None:
        """Read the next page, if the next walk is due. Raises Refused and Unanswered; then the page is due a minute
        later."""
        run, number = self._database.command, self._system.id
        at = await run(reading.next_page, number, self._pause())
        if at.page is None:
            self.at = self._time() + max(at.seconds, _LEAST_PAUSE)
            return
        if at.page == 1:
            self._seen, self._places = set(), set()
        try:
            found = await self._remote.list_page(self._reach, at.after)
            if found.after is not None and (found.after in self._places or at.page >= MOST_PAGES):
                await run(reading.note_listed, number, found.items, quiet=True)
                raise Refused(_ENDLESS)
        except (Refused, Unanswered) as fault:
            if isinstance(fault, Refused) and at.after is not None:
                # The cursor of the page may be invalid now.
                await run(reading.restart_walk, number)
            self.at = self._time() + _AFTER_FAULT
            raise
        if self._seen is not None:
            self._seen.update(each.key for each in found.items)
        await run(reading.note_walked, self._remote, number, found, at.page, at.began_at, self._seen)
        self.at = self._time()
        if found.after is not None:
            self._places.add(found.after)
        else:
            self._seen, self._pages = None, at.page

    def _pause(self) -> timedelta:
        """How long after a walk the next one begins. If lists do not begin with new items, only walks find them: then
        they follow one another as soon as their share of requests allows, which is two seconds per page as a rule."""
        if self._remote.newest_first:
            return self._every
        return min(self._every, timedelta(seconds=max(self._least, self._page_seconds * self._pages)))
