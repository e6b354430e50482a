"""Applies deliveries in the background: one process per connection."""

import asyncio
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog

from app.connections.repository import WAITING
from app.connections.service import Outcome, apply_delivery, due_deliveries, put_off
from app.connections.service.systems import Connectors
from app.core.clock import Clock
from app.core.errors import DATABASE_AWAY
from app.core.fairness import SERVER
from app.core.holders import new_holder
from app.storage.database import Database
from app.storage.leases import end_lease, take_lease
from app.storage.query import Query, Row
from app.storage.tables import moment_of

LEASE = timedelta(seconds=30)
"""How long a process keeps a connection after its last sign of life. Then another process takes over."""

AT_ONCE = 50
"""How many deliveries of one connection are applied before the next connection has its turn."""

PAUSE = 1.0
"""Seconds until the next check for what is due but held by another process."""

LOOK = 5.0
"""Seconds between checks while there are connections and nothing is due: another process may have crashed after it
accepted a delivery, or may have resumed a connection."""

SELDOM = 30.0
"""The same, without connections."""

_LONGEST_TROUBLE = 30.0
_LAST_SECONDS = 2.0

_log = structlog.get_logger(__name__)


class Runner:
    """Each process has one. A lease assigns each connection to one process, so deliveries keep their order. The lease
    ends when nothing is due, so that the process that accepts the next delivery can apply it at once."""

    def __init__(self, database: Database, connectors: Connectors, clock: Clock, holder: str | None = None) -> None:
        self._database = database
        self._connectors = connectors
        self._clock = clock
        self._holder = new_holder() if holder is None else holder
        self._held: set[int] = set()
        self.pause = 0.0
        """For how many seconds there is nothing to do, as far as the latest step knows."""

    async def run(self, taken: asyncio.Event) -> None:
        """Apply what is due until cancelled. `taken` is set when this process accepts a delivery."""
        trouble = 0.0
        while True:
            try:
                await self.step()
                pause, trouble = self.pause, 0.0
            except Exception as error:
                # Nothing is lost by waiting: deliveries are stored.
                pause = trouble = min(_LONGEST_TROUBLE, 2 * trouble or PAUSE)
                if isinstance(error, DATABASE_AWAY):
                    _log.warning("nothing can be applied", reason=error.message, seconds=trouble)
                else:
                    _log.exception("nothing can be applied", seconds=trouble)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await taken.wait()
            taken.clear()

    async def step(self) -> bool:
        """Give each connection with a free lease its turn. Returns whether any may have more that is due."""
        found = await self._database.plan(_waiting, snapshot=False, caller=SERVER)
        self.pause = LOOK if found else SELDOM
        more = False
        for connection_id, due_at in found:
            if due_at is None:
                continue
            seconds = (due_at - self._clock()).total_seconds()
            if seconds > 0:
                self.pause = min(self.pause, seconds)
                continue
            try:
                if await self._lease(connection_id):
                    more = await self._turn(connection_id) or more
                    self.pause = 0.0
                else:
                    self.pause = min(self.pause, PAUSE)
            except DATABASE_AWAY:
                raise
            except Exception:
                # An error in this turn must not affect the turns of other connections.
                _log.exception("a connection failed", connection=f"con_{connection_id}")
                self.pause = min(self.pause, PAUSE)
        return more

    async def stop(self) -> None:
        """End all leases, if the database answers in time."""
        with suppress(Exception):
            async with asyncio.timeout(_LAST_SECONDS):
                for connection_id in self._held:
                    await self._database.command(end_lease, _name(connection_id), self._holder)

    async def _lease(self, connection_id: int) -> bool:
        mine = await self._database.command(take_lease, _name(connection_id), self._holder, LEASE)
        if mine:
            self._held.add(connection_id)
        else:
            self._held.discard(connection_id)
        return mine

    async def _turn(self, connection_id: int) -> bool:
        """Apply what is due for a connection. Returns whether there may be more."""
        due = await self._database.command(due_deliveries, connection_id, AT_ONCE)
        for delivery_id in due:
            await self._apply(connection_id, delivery_id)
        more = len(due) == AT_ONCE
        if not more:
            self._held.discard(connection_id)
            await self._database.command(end_lease, _name(connection_id), self._holder)
        return more

    async def _apply(self, connection_id: int, delivery_id: int) -> None:
        try:
            outcome = await self._database.command(apply_delivery, self._connectors, delivery_id)
        except DATABASE_AWAY:
            raise
        except Exception:
            _log.exception("a delivery failed", connection=f"con_{connection_id}", delivery=f"dlv_{delivery_id}")
            outcome = await self._database.command(put_off, self._connectors, delivery_id)
        if outcome is Outcome.PARKED:
            _log.warning("a delivery is parked", connection=f"con_{connection_id}", delivery=f"dlv_{delivery_id}")


@asynccontextmanager
async def applying(
    database: Database, connectors: Connectors, clock: Clock, taken: asyncio.Event
) -> AsyncIterator[Runner]:
    """Run a runner beside the block. When the block ends, the database finishes what has begun."""
    runner = Runner(database, connectors, clock)
    task = asyncio.create_task(runner.run(taken), name="connections")
    try:
        yield runner
    finally:
        task.cancel()
        await asyncio.wait([task])
        await runner.stop()


def _name(connection_id: int) -> str:
    """The name of a connection's lease."""
    return f"connection {connection_id}"


def _waiting() -> Generator[Query, Sequence[Row], list[tuple[int, datetime | None]]]:
    """The connections that are not paused, with the due time of each one's first waiting delivery."""
    rows = yield WAITING
    return [(row[0], None if row[1] is None else moment_of(row[1])) for row in rows]
