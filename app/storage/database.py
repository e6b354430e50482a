"""The two ways to SQL: `command` changes data, `plan` reads it."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Hashable, Mapping, Sequence
from functools import partial
from time import perf_counter, time
from types import MappingProxyType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.core.clock import Clock
from app.core.errors import Unavailable
from app.core.fairness import SERVER, Caller
from app.core.ids import Ids
from app.core.trail import Step, current
from app.settings import Settings
from app.storage.engines import ConfigurationError, parse_database_url
from app.storage.event_log import Appended, Committed
from app.storage.postgresql import PostgresqlCommands
from app.storage.postgresql_plans import PostgresqlPlans
from app.storage.query import Observer, Query, Row, Steps
from app.storage.replicas import Replicas
from app.storage.sqlite_commands import SqliteCommands
from app.storage.sqlite_lookups import Lookups
from app.storage.sqlite_plans import SqlitePlans
from app.storage.tally import Load, Tally
from app.storage.work import Unit, Work

__all__ = ["Database", "Query", "Row", "Steps", "Work", "open_database"]

MOST_NOTED = 200
"""How many steps of one request are recorded."""

P = ParamSpec("P")
T = TypeVar("T")


class Commands(Protocol):
    """Runs units of work. Each takes effect exactly once."""

    dialect: sa.Dialect
    committed: Committed
    tally: Tally

    @property
    def load(self) -> Load: ...

    async def run(self, unit: Unit[T], caller: Caller, subject: Hashable | None) -> T: ...

    async def forget_deleted(self) -> bool: ...

    async def close(self) -> None: ...


class Reads(Protocol):
    """Runs plans."""

    async def run(self, steps: Steps[T], snapshot: bool, caller: Caller) -> T: ...


class Plans(Reads, Protocol):
    """Runs plans on the driver. `waiting` is the number of plans that wait for a reader."""

    @property
    def waiting(self) -> int: ...

    @property
    def load(self) -> Load: ...

    async def close(self) -> None: ...


class Database:
    """The store. `open_database` makes it inside the running loop, and it belongs to that loop."""

    def __init__(self, commands: Commands, plans: Plans, replicas: Replicas | None = None) -> None:
        self.dialect = commands.dialect
        self.replicas = replicas
        """The replicas that answer reads beside the primary."""
        self._commands = commands
        self._plans = plans
        self._reads: Reads = plans if replicas is None else replicas
        self._lookups = Lookups(plans) if isinstance(plans, SqlitePlans) else None
        self._closed = False
        self._listeners: list[Committed] = []
        commands.committed = self._wake

    @property
    def tally(self) -> Tally:
        """The counters of commands."""
        return self._commands.tally

    def loads(self) -> Mapping[str, Load]:
        """The current load of commands and of reads."""
        loads = {"commands": self._commands.load, "reads": self._plans.load}
        return loads if self.replicas is None else {**loads, **self.replicas.loads()}

    async def command(self, f: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f(work, …)` as a unit of work of the process itself. Apart from that, the same as `command_of`."""
        return await self.command_of(SERVER, None, f, *args, **kwargs)

    async def command_of(
        self,
        caller: Caller,
        subject: Hashable | None,
        f: Callable[Concatenate[Work, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `f(work, …)` as one unit of work, and return its result once it is durable.

        The units of one `caller` only use that caller's share of the database. `subject` is what the unit locks, if
        that is known in advance: units on one subject wait for each other before they take a connection. The unit runs
        to its end even when its caller is cancelled. When the database asks for a retry, the whole unit runs again,
        with a new Work and a new `now`. When `f` raises, the whole unit is undone, with its events, and the error
        passes through. Raises RateLimited when too many units of the caller wait, and Unavailable when the database
        cannot run the unit now; in both cases nothing has changed. Raises OutcomeUnknown when the database failed
        during the commit."""
        self._require_open()
        unit = partial(_call, f, args, kwargs)
        trail = current()
        if trail is None or trail.steps is None:
            return await self._commands.run(unit, caller, subject)
        began, from_ = time(), perf_counter()
        try:
            return await self._commands.run(unit, caller, subject)
        finally:
            _note(trail.steps, Step("command", _named(f, args), 0, began, perf_counter() - from_))

    def plan(self, steps: Steps[T], *, snapshot: bool, caller: Caller) -> Coroutine[Any, Any, T]:
        """Run the generator that `steps` returns, in the caller's share of the readers. Returns the generator's result.

        With `snapshot`, all statements see the data of one moment. Errors of the generator pass through. `steps` may be
        called again when a connection breaks or the plan takes long, so a plan must have no side effects. Raises
        Timeout after `read_timeout` of reading, RateLimited when too many plans of the caller wait, and Unavailable
        when the plan waited too long or the database cannot be reached."""
        self._require_open()
        return self._plans.run(_noting(steps), snapshot, caller)

    def read(self, steps: Steps[T], *, snapshot: bool, caller: Caller) -> Coroutine[Any, Any, T]:
        """Run a plan as `plan` does, but on a replica if there is one that has everything written before this call."""
        self._require_open()
        return self._reads.run(_noting(steps), snapshot, caller)

    def look_up(self, steps: Steps[T], *, caller: Caller) -> Coroutine[Any, Any, T]:
        """Read with a plan that finds one row by its key, without a snapshot."""
        self._require_open()
        if self._lookups is None:
            return self._reads.run(_noting(steps), False, caller)
        return self._lookups.run(_noting(steps), caller)

    async def forget_deleted(self) -> bool:
        """Remove deleted data from SQLite's files. Returns False when that is not possible now, because a reader or
        another process still uses an old state. On PostgreSQL the server does this itself, and the result is True."""
        self._require_open()
        return await self._commands.forget_deleted()

    def on_commit(self, listener: Committed) -> None:
        """Call `listener` in the loop after every commit that wrote events. This is only a hint: the log is the
        truth."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Finish what is running, then release every connection and thread."""
        self._closed = True
        if self.replicas is not None:
            await self.replicas.close()
        if self._lookups is not None:
            self._lookups.close()
        await self._plans.close()
        await self._commands.close()

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("The database is closed.")

    def _wake(self, appended: Sequence[Appended]) -> None:
        # Each listener has its own turn of the loop, so that an error in it is not an error of the command.
        for listener in self._listeners:
            asyncio.get_running_loop().call_soon(listener, appended)


def _call(f: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], work: Work) -> T:
    return f(work, *args, **kwargs)


def _note(notes: list[Step], step: Step) -> None:
    # A stream lives long, and reads the log again each time it has fallen behind.
    if len(notes) < MOST_NOTED:
        notes.append(step)


def _named(f: Callable[..., object], args: tuple[Any, ...]) -> str:
    """The name of the service that a unit runs. A unit may get the service as an argument of another function."""
    found = next((each for each in (*args, f) if callable(each) and hasattr(each, "__name__")), f)
    return str(getattr(found, "__name__", "unit"))


def _noting(steps: Steps[T]) -> Steps[T]:
    """The plan. It records its statements if the trail of the request wants them."""
    trail = current()
    return steps if trail is None or trail.steps is None else partial(_noted, steps, trail.steps)


def _noted(steps: Steps[T], notes: list[Step]) -> Generator[Query, Sequence[Row], T]:
    """Drive a plan and record its statements. The plan may run in any thread."""
    plan = steps()
    try:
        query = next(plan)
        while True:
            began, from_ = time(), perf_counter()
            rows = yield query
            _note(notes, Step("statement", query.sql, len(rows), began, perf_counter() - from_))
            query = plan.send(rows)
    except StopIteration as ended:
        made: T = ended.value
        return made
    finally:
        plan.close()


async def open_database(
    database_url: str,
    *,
    clock: Clock,
    ids: Ids,
    settings: Settings,
    kinds: Mapping[str, Any] = MappingProxyType({}),
    observer: Observer | None = None,
    read_urls: Sequence[str] = (),
) -> Database:
    """Open a migrated database. The Work of every unit carries `kinds`, for code that treats all kinds alike.
    `read_urls` are the replicas of a PostgreSQL database; they need not be reachable yet.

    `observer` is called with each SQL text that a unit or a plan executes, in the thread that executes it; tests count
    statements by it. Transaction control is not counted. Raises ConfigurationError when the address cannot be used, or
    when the database does not have our tables."""
    url = parse_database_url(database_url)
    replica_urls = [_replica_url(each) for each in read_urls]

    def open_work(connection: sa.Connection) -> Work:
        return Work(connection, clock(), ids, settings, kinds)

    commands: SqliteCommands | PostgresqlCommands
    plans: SqlitePlans | PostgresqlPlans
    try:
        if url.get_backend_name() == "sqlite":
            commands = await SqliteCommands.open(str(url.database), open_work, settings)
            plans = SqlitePlans(str(url.database), settings)
        else:
            commands = await PostgresqlCommands.open(url, open_work, settings)
            try:
                plans = await PostgresqlPlans.open(url, settings, commands.liveness)
            except BaseException:
                await commands.close()
                raise
    except DBAPIError as error:
        raise ConfigurationError(f"The database has no tables of ours; migrate it first. ({error.orig})") from None
    replicas = Replicas(plans, replica_urls, settings) if replica_urls and isinstance(plans, PostgresqlPlans) else None
    if observer is not None:
        plans.observer = observer
        _observe(commands.engine, observer)
        if replicas is not None:
            replicas.observe(observer)
    return Database(commands, plans, replicas)


def _replica_url(text: str) -> sa.URL:
    try:
        return parse_database_url(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"An address of a replica: {error}") from None


def _observe(engine: sa.Engine, observer: Callable[[str], None]) -> None:
    def executed(_connection: object, _cursor: object, sql: str, *_rest: object) -> None:
        observer(sql)

    sa.event.listen(engine, "before_cursor_execute", executed)
