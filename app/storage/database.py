"""The two ways to reach SQL: `command` changes, `plan` reads."""

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
from app.storage.postgresql import PostgresqlCommands
from app.storage.postgresql_plans import PostgresqlPlans
from app.storage.query import Observer, Query, Row, Steps
from app.storage.replicas import Replicas
from app.storage.sqlite_commands import SqliteCommands
from app.storage.sqlite_plans import SqlitePlans
from app.storage.tally import Load, Tally
from app.storage.work import Unit, Work

__all__ = ["Database", "Query", "Row", "Steps", "Work", "open_database"]

MOST_NOTED = 200
"""How many steps of one request are noted."""

P = ParamSpec("P")
T = TypeVar("T")


class Commands(Protocol):
    """Runs units of work, each exactly once in effect."""

    dialect: sa.Dialect
    committed: Callable[[], None]
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
    """Runs plans on the driver; `waiting` is how many wait for a reader."""

    @property
    def waiting(self) -> int: ...

    @property
    def load(self) -> Load: ...

    async def close(self) -> None: ...


class Database:
    """The store; made by `open_database` inside the running loop, and bound to it."""

    def __init__(self, commands: Commands, plans: Plans, replicas: Replicas | None = None) -> None:
        self.dialect = commands.dialect
        self.replicas = replicas
        """What answers reads beside the primary."""
        self._commands = commands
        self._plans = plans
        self._reads: Reads = plans if replicas is None else replicas
        self._closed = False
        self._listeners: list[Callable[[], None]] = []
        commands.committed = self._wake

    @property
    def tally(self) -> Tally:
        """What has been counted of commands."""
        return self._commands.tally

    def loads(self) -> Mapping[str, Load]:
        """How busy the two roads are."""
        loads = {"commands": self._commands.load, "reads": self._plans.load}
        return loads if self.replicas is None else {**loads, **self.replicas.loads()}

    async def command(self, f: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f(work, …)` as one unit of work of the process itself, and otherwise as `command_of`."""
        return await self.command_of(SERVER, None, f, *args, **kwargs)

    async def command_of(
        self,
        caller: Caller,
        subject: Hashable | None,
        f: Callable[Concatenate[Work, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `f(work, …)` as one unit of work and return its result once it is durable.

        Units of one `caller` take their share of the database alone. `subject` is what the unit locks, where that is
        known before: units on one subject wait for each other before they take a connection.
        The unit finishes even when its caller is cancelled, and starts again as a whole (a new Work, a new now) when
        the database asks for that. Whatever `f` raises undoes all of the unit, its events too, and passes through.
        Raises RateLimited when too many units of the caller wait, Unavailable when the database cannot do it now, in
        both cases without any change, and OutcomeUnknown when it failed during the commit."""
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
        """Run the generator that `steps` starts in the caller's share of the readers, and return what it returns.

        With `snapshot` all its statements see one moment. What the generator raises passes through. `steps` may be
        called again when a connection breaks or the plan takes long, so a plan must have no effects.
        Raises Timeout after `read_timeout` of reading, RateLimited when too many plans of the caller wait, and
        Unavailable when the plan waited for too long or the database cannot be reached."""
        self._require_open()
        return self._plans.run(_noting(steps), snapshot, caller)

    def read(self, steps: Steps[T], *, snapshot: bool, caller: Caller) -> Coroutine[Any, Any, T]:
        """Run a plan as `plan` does, on a replica where there is one that has all that was written before."""
        self._require_open()
        return self._reads.run(_noting(steps), snapshot, caller)

    async def forget_deleted(self) -> bool:
        """Clean SQLite's files of what has been deleted; False when a reader or another process keeps an old state just
        now. On PostgreSQL that is the server's own task, and this is True."""
        self._require_open()
        return await self._commands.forget_deleted()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the loop after every commit that wrote events: a hint, the log is the truth."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Finish what is running, then let go of every connection and thread."""
        self._closed = True
        if self.replicas is not None:
            await self.replicas.close()
        await self._plans.close()
        await self._commands.close()

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("The database is closed.")

    def _wake(self) -> None:
        # Each in a turn of its own: what goes wrong in a listener is not the command's failure.
        for listener in self._listeners:
            asyncio.get_running_loop().call_soon(listener)


def _call(f: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], work: Work) -> T:
    return f(work, *args, **kwargs)


def _note(notes: list[Step], step: Step) -> None:
    # A stream lasts, and reads the log again whenever it has fallen behind.
    if len(notes) < MOST_NOTED:
        notes.append(step)


def _named(f: Callable[..., object], args: tuple[Any, ...]) -> str:
    """The name of the service that a unit runs, which another function may have been given."""
    found = next((each for each in (*args, f) if callable(each) and hasattr(each, "__name__")), f)
    return str(getattr(found, "__name__", "unit"))


def _noting(steps: Steps[T]) -> Steps[T]:
    """The plan, which notes its statements where the request's trail wants them."""
    trail = current()
    return steps if trail is None or trail.steps is None else partial(_noted, steps, trail.steps)


def _noted(steps: Steps[T], notes: list[Step]) -> Generator[Query, Sequence[Row], T]:
    """Drive a plan, and note its statements; the thread that runs it may be any."""
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
    """Open a migrated database. Every unit's Work carries `kinds` to those who treat all kinds alike. `read_urls` are
    replicas of it, on PostgreSQL, which need not be there yet.

    `observer` is called with each SQL text that a unit or a plan executes, for tests that count (in the thread that
    executes it). Transaction control is not counted.
    Raises ConfigurationError for an address we cannot use and for a database without our tables."""
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
