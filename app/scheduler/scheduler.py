"""The loop that fires deadlines and runs chores."""

import asyncio
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from app.core.clock import Clock
from app.core.errors import DATABASE_AWAY
from app.core.fairness import SERVER
from app.destinations.repository import NEXT_ALERT
from app.destinations.service import tell_due
from app.interactions.repository.deadlines import NEXT_DUE
from app.interactions.repository.erasing import ANY_ERASING
from app.interactions.service.deadlines import fire_due
from app.scheduler.chores import CHORES
from app.scheduler.erasing import Eraser
from app.storage.chores import DUE, Chore, take
from app.storage.database import Database
from app.storage.query import Query, Row
from app.storage.tables import moment_of

BATCH = 64
"""How many interactions one unit reads; on PostgreSQL they stay locked until it ends."""

LONGEST_PAUSE = 1.0
"""Seconds between two checks when nothing is known to be due earlier. A deadline that another process sets meanwhile is
found at most that late."""

BETWEEN_PARTS = 0.02
"""Seconds left to other commands between two units that erase."""

_SHORTEST_PAUSE = 0.05
_LONGEST_TROUBLE = 30.0
_WITHOUT_DATABASE = 2.0

_log = structlog.get_logger(__name__)


class Scheduler:
    """Each process has one; row locks give each deadline to one of them."""

    def __init__(self, database: Database, clock: Clock, chores: Sequence[Chore] = CHORES) -> None:
        self._database = database
        self._clock = clock
        self._chores: dict[Chore, datetime | None] = dict.fromkeys(chores)
        self._begun: set[Chore] = set()
        self._eraser = Eraser(database)

    async def run(self) -> None:
        """Until cancelled, fire deadlines when they are due, the latest first."""
        trouble = 0.0
        while True:
            try:
                pause = await self.fire()
                trouble = 0.0
            except Exception as error:
                # A pause loses nothing: deadlines stay due.
                longest = _WITHOUT_DATABASE if isinstance(error, DATABASE_AWAY) else _LONGEST_TROUBLE
                pause = trouble = min(longest, 2 * trouble or LONGEST_PAUSE)
                if isinstance(error, DATABASE_AWAY):
                    _log.warning("nothing can be fired", reason=error.message, seconds=trouble)
                else:
                    _log.exception("nothing can be fired", seconds=trouble)
            await asyncio.sleep(pause)

    async def fire(self) -> float:
        """Fire everything that is due now. Returns the seconds until the next known deadline."""
        next_due, erases = await self._database.plan(_look, snapshot=False, caller=SERVER)
        if next_due is not None and next_due <= self._clock():
            await self._fire_deadlines()
            await self._tell_alerts()
            next_due, erases = await self._database.plan(_look, snapshot=False, caller=SERVER)
        if await self._fire_chores():
            return 0
        if erases and await self._eraser.step():
            return BETWEEN_PARTS
        if next_due is None:
            return LONGEST_PAUSE
        # Another process holds what is still due.
        return min(LONGEST_PAUSE, max(_SHORTEST_PAUSE, (next_due - self._clock()).total_seconds()))

    async def _fire_deadlines(self) -> None:
        while True:
            looked = await self._database.command(fire_due, BATCH)
            for failure in looked.failures:
                _log.error(
                    "a deadline failed",
                    interaction=failure.ref,
                    again_in=failure.pause.total_seconds(),
                    exc_info=failure.error,
                )
            if looked.found < BATCH:
                return

    async def _tell_alerts(self) -> None:
        while await self._database.command(tell_due, BATCH) == BATCH:
            pass

    async def _fire_chores(self) -> bool:
        """Run one part of each chore that is due. Returns whether parts are left; deadlines go before them."""
        for chore in await self._due_chores():
            mine, self._chores[chore] = await self._database.command(take, chore)
            if mine:
                self._begun.add(chore)
        for chore in list(self._begun):
            try:
                if await self._database.command(chore.run):
                    continue
            except DATABASE_AWAY:
                raise
            except Exception:
                _log.exception("a chore failed", chore=chore.name, again_in=chore.every.total_seconds())
            self._begun.discard(chore)
        return bool(self._begun)

    async def _due_chores(self) -> Sequence[Chore]:
        """The chores that are due, and that no other process has done meanwhile, as far as one look tells."""
        now = self._clock()

        def is_due(chore: Chore) -> bool:
            due_at = self._chores[chore]
            return chore not in self._begun and (due_at is None or due_at <= now)

        due = [chore for chore in self._chores if is_due(chore)]
        if due:
            known = await self._database.plan(_chores, snapshot=False, caller=SERVER)
            self._chores.update((chore, known[chore.name]) for chore in due if chore.name in known)
        return [chore for chore in due if is_due(chore)]


@asynccontextmanager
async def scheduling(database: Database, clock: Clock) -> AsyncIterator[Scheduler]:
    """Run a scheduler beside the block. Commands that run when the block ends are still finished."""
    scheduler = Scheduler(database, clock)
    task = asyncio.create_task(scheduler.run(), name="scheduler")
    try:
        yield scheduler
    finally:
        task.cancel()
        await asyncio.wait([task])


def _look() -> Generator[Query, Sequence[Row], tuple[datetime | None, bool]]:
    """The time of the next deadline or alert, and whether there is something to erase."""
    deadlines = yield NEXT_DUE
    alerts = yield NEXT_ALERT
    erases = bool((yield ANY_ERASING))
    return min((moment_of(due) for due, *_ in (*deadlines, *alerts)), default=None), erases


def _chores() -> Generator[Query, Sequence[Row], dict[str, datetime]]:
    """When each chore is due, of those that were ever done."""
    return {name: moment_of(due_at) for name, due_at in (yield DUE)}
