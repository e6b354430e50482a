"""The process's one tail of the event log."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Protocol

import structlog

from app.core.clock import Clock
from app.core.errors import CursorExpired, InvalidCursor, Unavailable
from app.core.events import LoggedEvent
from app.core.fairness import Caller
from app.feed import steps
from app.feed.entry import Entry, Page
from app.feed.handed import Handed
from app.feed.lag import Lag
from app.feed.log import Log
from app.feed.waiting import Waiting
from app.feed.wakeup import Wakeups
from app.storage.database import Database
from app.storage.event_log import EXPIRED, Appended, Cursor, check_cursor, heads_cursor, merged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = structlog.get_logger(__name__)

_BATCH = 500
_PACE = 0.01  # a hundred times a second is enough: each takes what was committed since the one before
_IN_A_ROW = 16  # half a millisecond; a page has hundreds, and nothing else would be served meanwhile
_PAUSE_AFTER_FAILURE = 0.2

NOT_READABLE = "The event log cannot be read now."


class Listener(Protocol):
    """Receives the events that the tail reads. It is called in the event loop and must not block."""

    def heard(self, entries: Sequence[Entry]) -> None:
        """Called with the next events of the log."""

    def lost(self) -> None:
        """Called when events were deleted unread, or the log was replaced: listeners have to start again."""


class Feed:
    """The tail of the log. It sleeps while nobody holds it: a process without listeners does not read the log."""

    def __init__(
        self,
        database: Database,
        wakeups: Wakeups,
        clock: Clock,
        *,
        poll_seconds: float = 0.5,
        pace: float = _PACE,
        longest_silence: float = 10.0,
        longest_beginning: float = 5.0,
    ) -> None:
        self.number = 0
        self.lag = Lag(clock)
        self._database = database
        self._dialect = database.dialect.name
        self._wakeups = wakeups
        self._listeners: list[Listener] = []
        self._at_beginnings: list[Callable[[], None]] = []
        self._at_news: list[Callable[[], None]] = []
        self._poll_seconds = poll_seconds
        self._pace = pace
        self._log = Log(database, longest_silence)
        self._head: Cursor | None = None
        self._handed = Handed()
        self._is_unsure = True  # whether the log may have events that were not handed over
        self.longest_beginning = longest_beginning
        """Seconds that a new holder waits for the first answer of the database."""
        self._holders = 0
        self._needed = asyncio.Event()
        self._wake = asyncio.Event()
        self._moved = Waiting()
        database.on_commit(self._committed)

    @property
    def head(self) -> Cursor:
        """The cursor up to which events were passed to the listeners; only while the feed is held."""
        assert self._head is not None
        return self._head

    @property
    def positions(self) -> Sequence[int]:
        """The position in each lane; empty while the feed sleeps."""
        return () if self._head is None else self._head.positions

    @property
    def is_silent(self) -> bool:
        """Whether the log has been unreadable for so long that listeners have to be told."""
        return self._log.is_silent

    def listen(self, listener: Listener) -> None:
        """Add a listener, which is called after those that were added before."""
        self._listeners.append(listener)

    def on_begin(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the tail wakes; it read nothing while it slept."""
        self._at_beginnings.append(listener)

    def on_news(self, listener: Callable[[], None]) -> None:
        """Call `listener` at hints of commits, also while nobody holds the feed. They may be lost, doubled or late."""
        self._at_news.append(listener)

    @asynccontextmanager
    async def held(self) -> "AsyncIterator[None]":
        """Keep the tail awake. Raises Unavailable when the log cannot be read, because the database does not answer."""
        if self.is_silent:
            raise Unavailable(NOT_READABLE)
        self._holders += 1
        self._needed.set()
        try:
            try:
                async with asyncio.timeout(self.longest_beginning):
                    while self._head is None:
                        await self._moved.wait()
            except TimeoutError:
                raise Unavailable(NOT_READABLE) from None
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._needed.clear()
                self._wake.set()

    async def run(self) -> None:
        """Tail the log until cancelled, also after failures of the database."""
        others = asyncio.create_task(self._wakeups.run(self._hinted))
        try:
            while True:
                if not self._holders:
                    # The next holder starts at the then-current head; events until then concern no listener.
                    self._head = None
                    self._handed.clear()
                    self._log.rest()
                    if not self.is_silent:
                        await self._needed.wait()
                try:
                    await self._follow()
                except Exception as error:
                    self._tell_of(error)
                    await asyncio.sleep(_PAUSE_AFTER_FAILURE)
        finally:
            others.cancel()
            await asyncio.wait([others])

    async def begin(self, cursor: Cursor | None, caller: Caller) -> Cursor:
        """The cursor to start after, once the tail has read up to it; without a cursor, the current end of the log.

        The log's end is read in the caller's share.
        Raises CursorExpired for a cursor that is too old to go on from, InvalidCursor for one of another log."""
        heads = await self._database.plan(steps.heads, snapshot=False, caller=caller)
        if cursor is None:
            cursor = heads_cursor(heads)
        else:
            check_cursor(cursor, heads)
        while not cursor <= self.head:
            self._hinted()
            await self._moved.wait()
        return cursor

    async def since(
        self, cursor: Cursor, most: int, caller: Caller, enough: Callable[[Entry], bool] = lambda _: False
    ) -> Page:
        """The next events after a cursor that the tail has reached, up to the tail's head: about `most`, or up to the
        first after which it is `enough`.

        They are read in the caller's share. Raises CursorExpired when the log does not hold them all any more."""
        head, number = self.head, self.number
        if head <= cursor:
            return Page((), cursor, number)
        rows = await self._database.plan(steps.after(self._dialect, cursor, most), snapshot=False, caller=caller)
        entries: list[Entry] = []
        for found in merged(rows):
            if not head.has_seen(found.lane, found.position):
                continue
            steps.require_next(cursor, found)
            cursor = cursor.advance(found.lane, found.position)
            entries.append(Entry(found, cursor))
            if enough(entries[-1]):
                break
            if len(entries) % _IN_A_ROW == 0:
                await asyncio.sleep(0)
        if not entries:
            raise CursorExpired(EXPIRED)
        return Page(entries, cursor, number if head <= cursor else None, len(rows) - len(entries))

    # ---- the tail -------------------------------------------------------------------------------------------------

    def _committed(self, appended: Sequence[Appended]) -> None:
        if self._head is not None:
            self._handed.add(appended)
        self._stir()
        self._wakeups.tell()

    def _hinted(self) -> None:
        self._is_unsure = True
        self._stir()

    def _stir(self) -> None:
        self._wake.set()
        for told in self._at_news:
            told()

    async def _follow(self) -> None:
        if self._head is None:
            self._head = heads_cursor(await self._log.heads())
            for begun in self._at_beginnings:
                begun()
            self._moved.stir()
        time = asyncio.get_running_loop().time
        look_at = time() + self._poll_seconds
        self._is_unsure = True
        while self._holders:
            self._wake.clear()
            began = time()
            if await self._read():
                await asyncio.sleep(0)
                continue
            if time() >= look_at:
                await self._look()
                look_at = time() + self._poll_seconds
                self._is_unsure = True
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout_at(look_at):
                    await self._wake.wait()
            # The first commit after a rest is read at once. Those that follow it closely are read together.
            await asyncio.sleep(max(began + self._pace - time(), 0))

    async def _read(self) -> bool:
        """Pass the next events to the listeners: those that were handed over, or else those that the log has.

        Returns whether more may be ready."""
        if found := self._handed.after(self.head, _BATCH):
            self._pass_on(found)
            return bool(self._handed)
        if not (self._is_unsure or self._handed):
            return False
        self._is_unsure = False
        rows = await self._log.after(self.head, _BATCH)
        if not rows:
            return False
        found = list(merged(rows))
        try:
            steps.require_all(self.head, found)
        except CursorExpired:
            log.error("events are missing from the log", after=self.head.positions)
            await self._start_anew()
            return True
        self._pass_on(found)
        is_more = not self._log.is_in_newest(self.head) or steps.is_full(found, self.head, _BATCH)
        self._is_unsure |= is_more
        return is_more

    def _pass_on(self, found: Sequence[LoggedEvent]) -> None:
        """Pass these events, which are the next ones of their lanes, to the listeners."""
        head = self.head
        entries = []
        for number, each in enumerate(found, self.number + 1):
            head = head.advance(each.lane, each.position)
            entries.append(Entry(each, head, number))
        self.number += len(found)
        self._head = head
        for listener in self._listeners:
            listener.heard(entries)
        self._moved.stir()
        self.lag.note(found[0], len(found))

    async def _look(self) -> None:
        """Check from time to time that the log was not replaced or truncated."""
        heads = await self._log.heads()
        try:
            check_cursor(self.head, heads)
        except (CursorExpired, InvalidCursor) as error:
            log.error("the event log is another one than before", reason=error.code)
            await self._start_anew()

    async def _start_anew(self) -> None:
        self._handed.clear()
        self._is_unsure = True
        self._head = heads_cursor(await self._log.heads())
        self.number += 1
        for listener in self._listeners:
            listener.lost()
        self._moved.stir()

    def _tell_of(self, failure: Exception) -> None:
        if isinstance(failure, Unavailable):
            log.warning("the feed cannot read the event log; it tries again", reason=failure.message)
        else:
            log.error("the feed cannot read the event log; it tries again", exc_info=failure)
