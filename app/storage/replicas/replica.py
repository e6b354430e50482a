"""One PostgreSQL replica, and whether it may answer reads now."""

import asyncio
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any

import asyncpg
import sqlalchemy as sa
import structlog

from app.core.errors import DomainError, Unavailable
from app.core.fairness import SERVER
from app.settings import Settings
from app.storage.engines import asyncpg_arguments
from app.storage.liveness import Liveness
from app.storage.postgresql_plans import PostgresqlPlans
from app.storage.query import Observer, Query, Row, Steps

log = structlog.get_logger(__name__)

FAILURES = (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""Errors of a read on a replica where the primary may still be able to answer."""

ATTEMPTS = 2
"""How often a read is tried on the replica when its connection or statement is out of date. Then the primary gets
it."""

PACE = 0.004
"""Seconds between two rounds. All reads that arrive meanwhile share one."""

IDLE = 0.5
"""After how many seconds the replica is checked although nobody reads, and before it is tried again."""

_TURNS = 8
"""For how many turns of the loop an answer is still accepted that arrived while the loop was busy."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.1

# An acknowledged commit is flushed, unless the server is set to acknowledge earlier.
PRIMARY_POSITION = Query(
    "SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn() "
    "ELSE pg_current_wal_flush_lsn() END"
)
REPLICA_POSITION = Query("SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()")

_IDENTITY = (
    "SELECT (SELECT system_identifier FROM pg_control_system()), "
    "(SELECT oid FROM pg_database WHERE datname = current_database()), "
)
# The last part is the timeline: after a failover, a replica that does not follow the new primary may be ahead of it.
PRIMARY_IDENTITY = Query(f"{_IDENTITY} substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)")
REPLICA_IDENTITY = Query(f"{_IDENTITY} lpad(upper(to_hex(timeline_id)), 8, '0') FROM pg_control_checkpoint()")


class Left(StrEnum):
    """Why a replica is not used for reads."""

    STARTING = "starting"
    LAGS = "lags"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    NO_REPLICA = "no_replica"
    OTHER_DATABASE = "other_database"
    PRIMARY_UNKNOWN = "primary_unknown"


class _Unfit(Exception):
    """The replica cannot be used, and neither can its connections."""

    def __init__(self, reason: Left) -> None:
        super().__init__(reason)
        self.reason = reason


class Replica:
    """Answers reads with data as new as the primary's.

    A read waits until the replica has replayed what the primary had written when the read arrived. This is found out in
    rounds: all reads that arrived since the last round share one. A round asks the primary for its position, then asks
    the replica until it has reached that position. A replica that takes longer than the setting `read_lag` is not used
    until it keeps up again."""

    def __init__(self, number: int, url: sa.URL, settings: Settings, primary: PostgresqlPlans) -> None:
        self.number = number
        self.left: Left | None = Left.STARTING
        """Why the replica is not used; None while it is used."""
        self.reads = 0
        """How many reads it has answered."""
        self.departures: Counter[Left] = Counter()
        self.plans: PostgresqlPlans | None = None
        """Its connections, from the first use until they are lost."""
        self.observer: Observer | None = None
        self._url = url
        self._settings = settings
        self._primary = primary
        self._longest = settings.read_lag / 1_000
        self._silence = settings.database_silence.total_seconds()
        self._time = asyncio.get_running_loop().time
        self._took = 0.0
        self._current_at = self._time()
        self._identified_at = float("-inf")
        self._waiting: list[asyncio.Future[PostgresqlPlans | None]] = []
        self._in_round: list[asyncio.Future[PostgresqlPlans | None]] = []
        self._asked = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    @property
    def lag(self) -> float:
        """How many seconds the replica last needed to reach the primary's position; while it is not used, for how many
        seconds it has not reached it."""
        return self._took if self.left is None else self._time() - self._current_at

    async def reached(self) -> PostgresqlPlans | None:
        """Its plans, once it has everything written before this call. None when it stops being used meanwhile."""
        if self.left is not None:
            return None
        future: asyncio.Future[PostgresqlPlans | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._asked.set()
        return await future

    async def close(self) -> None:
        """Stop using it, and drop its connections."""
        self._running.cancel()
        await asyncio.wait([self._running])
        self._answer(None)

    async def _run(self) -> None:
        while True:
            liveness = Liveness(asyncpg_arguments(self._url), self._silence)
            plans: PostgresqlPlans | None = None
            try:
                plans = await PostgresqlPlans.open(self._url, self._settings, liveness, attempts=ATTEMPTS)
                plans.observer = self.observer
                await self._follow(plans)
            except _Unfit as unfit:
                self._leave(unfit.reason)
            except FAILURES:
                self._leave(Left.UNREACHABLE)
            except Exception:
                log.exception("a replica cannot be looked after", replica=self.number)
                self._leave(Left.UNREACHABLE)
            finally:
                self.plans = None
                if plans is not None:
                    await plans.abandon()
                await liveness.close()
            await asyncio.sleep(IDLE)

    async def _follow(self, plans: PostgresqlPlans) -> None:
        self._identified_at = float("-inf")
        while True:
            began = self._time()
            await self._round(plans)
            if self.left is not None:
                await asyncio.sleep(IDLE)
                continue
            await asyncio.sleep(began + PACE - self._time())
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE):
                    await self._asked.wait()

    async def _round(self, plans: PostgresqlPlans) -> None:
        """Release the waiting reads once the replica has reached the primary's current position. Raises _Unfit and
        FAILURES."""
        self._asked.clear()
        self._in_round, self._waiting = self._waiting, []
        identity: Row | None = None
        try:
            if self._time() - self._identified_at >= IDLE:
                identity = await self._primary.run(_one(PRIMARY_IDENTITY), False, SERVER)
            (position,) = await self._primary.run(_one(PRIMARY_POSITION), False, SERVER)
        except (DomainError, *FAILURES):
            self._leave(Left.PRIMARY_UNKNOWN)
            return
        began = self._time()
        if identity is not None:
            await self._require_same(plans, identity)
            self._identified_at = began
        began, pause = self._time(), _SHORTEST_PAUSE
        while True:
            # Counted from the time of the question: a delay in this process is not the replica's fault.
            took = self._time() - began
            in_recovery, replayed = await self._ask(plans, REPLICA_POSITION)
            if not in_recovery:
                raise _Unfit(Left.NO_REPLICA)
            if replayed is not None and replayed >= position:
                break
            if took > self._longest:
                self._leave(Left.LAGS)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._current_at, self._took = began, took
        if took > self._longest:
            self._leave(Left.LAGS)
        else:
            self._use(plans)

    async def _require_same(self, plans: PostgresqlPlans, identity: Row) -> None:
        in_recovery, _ = await self._ask(plans, REPLICA_POSITION)
        if not in_recovery:
            raise _Unfit(Left.NO_REPLICA)
        if tuple(await self._ask(plans, REPLICA_IDENTITY)) != tuple(identity):
            raise _Unfit(Left.OTHER_DATABASE)

    async def _ask(self, plans: PostgresqlPlans, query: Query) -> Row:
        """The replica's row. While the answer is slow, the replica is not used. Raises _Unfit when no answer comes."""
        asking = asyncio.create_task(plans.run(_one(query), False, SERVER))
        # When nobody waits any more, it ends with the connections, and its error is of no interest.
        asking.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        patience = min(self._longest, self._silence)
        await self._wait_for(asking, patience)
        if not asking.done():
            self._leave(Left.LAGS)
            await self._wait_for(asking, self._silence - patience)
        if not asking.done():
            raise _Unfit(Left.SILENT)
        row: Row = asking.result()
        return row

    async def _wait_for(self, asking: "asyncio.Task[Any]", seconds: float) -> None:
        await asyncio.wait([asking], timeout=seconds)
        for _ in range(_TURNS):
            if asking.done():
                break
            await asyncio.sleep(0)

    def _use(self, plans: PostgresqlPlans) -> None:
        self.plans = plans
        if self.left is not None:
            self.left = None
            log.info("a replica answers reads", replica=self.number)
        waiting, self._in_round = self._in_round, []
        for future in waiting:
            if not future.done():
                future.set_result(plans)

    def _leave(self, reason: Left) -> None:
        if self.left is not reason:
            self.departures[reason] += 1
            self.left = reason
            log.warning("the primary answers the reads of a replica", replica=self.number, reason=reason.value)
        self._answer(None)

    def _answer(self, plans: PostgresqlPlans | None) -> None:
        waiting = (*self._in_round, *self._waiting)
        self._in_round, self._waiting = [], []
        for future in waiting:
            if not future.done():
                future.set_result(plans)


def _one(query: Query) -> Steps[Any]:
    """A plan that returns the only row of a statement."""

    def steps() -> Generator[Query, Sequence[Row], Row]:
        return (yield query)[0]

    return steps
