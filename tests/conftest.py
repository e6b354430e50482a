"""A fresh, migrated database of each kind for every test, with a clock and ids that the test controls."""

import tests.uncollected  # noqa: F401

# isort: split

import asyncio
import fcntl
import gc
import logging
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from app.settings import Settings
from app.storage.database import Database, open_database
from app.storage.migrations import migrate
from tests.chores import put_chores_off
from tests.keeping import keep_connections, keeper
from tests.lasting_loop import keep_loop, lasting
from tests.longest import longest_first
from tests.plain_events import require_plain_events
from tests.postgres import EXISTING, Copies, empty_database, running_server
from tests.postgres_server import PostgresqlFailed, has_programs
from tests.readers import read_warm
from tests.replication import Replicated, replicated_servers
from tests.sharing import share_all
from tests.sizes import be_thorough, pass_over_our_constants
from tests.turns import BOTH, EACH, left_out

pytest_plugins = ("tests.kit.library_fixtures",)

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

_running = pytest.StashKey[ExitStack]()
_address = pytest.StashKey[str]()
_ADDRESS = "postgres_url"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="try all of what is tried in part otherwise")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Before the first process of a parallel run starts, start the one PostgreSQL that all of them use.

    Without it the run ends here."""
    stash = node.config.stash
    if _running not in stash:
        stash[_running] = ExitStack()
        try:
            url = stash[_running].enter_context(running_server())
        except PostgresqlFailed as error:
            pytest.exit(str(error), returncode=1)
        stash[_address] = url.render_as_string(hide_password=False)
    node.workerinput[_ADDRESS] = stash[_address]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{BOTH}: each value is tried on both databases in every run")
    config.addinivalue_line("markers", f"{EACH}: each test is tried on one database in a usual run")
    # To collect the tests makes hardly any garbage, and what a test leaves is small: it is looked for seldom.
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
    be_thorough(config.getoption("thorough"))
    patch = pytest.MonkeyPatch()
    share_all(patch)
    require_plain_events(patch)
    read_warm(patch)
    keep_loop(patch)
    keep_connections(patch)
    config.add_cleanup(patch.undo)
    config.add_cleanup(lasting.end)
    config.add_cleanup(keeper.end)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Leave out, unless the run is thorough, what is tried on the other database; last, when a choice was made. Each
    process of a parallel run begins with what takes longest.

    Before Hypothesis looks for constants in all modules, which it does once it has seen the tests."""
    patch = pytest.MonkeyPatch()
    pass_over_our_constants(patch)
    config.add_cleanup(patch.undo)
    yield
    if not config.getoption("thorough") and (left := left_out(items)):
        config.hook.pytest_deselected(items=list(left))
        items[:] = [each for each in items if each not in left]
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


def pytest_collection_finish() -> None:
    """Leave modules and thousands of tests out of the collections of garbage, for they stay until the end."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _running in config.stash:
        config.stash[_running].close()


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class CountingIds:
    """Counts: the first UUID ends in 1, the first key of a prefix is `prefix_1`."""

    def __init__(self) -> None:
        self._uuids = 0
        self._keys: Counter[str] = Counter()

    def uuid(self) -> str:
        self._uuids += 1
        return f"00000000-0000-7000-8000-{self._uuids:012x}"

    def key(self, prefix: str) -> str:
        self._keys[prefix] += 1
        return f"{prefix}_{self._keys[prefix]}"

    def state(self) -> tuple[int, Mapping[str, int]]:
        """How far it has counted."""
        return self._uuids, dict(self._keys)

    def go_on_from(self, state: tuple[int, Mapping[str, int]]) -> None:
        """Count on from there."""
        self._uuids, self._keys = state[0], Counter(state[1])


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Of the session, so that fixtures of any scope may be asynchronous: a loop lives as long as one needs it."""
    return "asyncio"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    """The rules of each kind by its name; a test of interactions gives its own."""
    return {}


@pytest.fixture(scope="session")
def sqlite_template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all processes of a run: the first makes it while the others wait."""
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if hasattr(request.config, "workerinput") else own
    path, new = folder / "template.db", folder / "new" / "template.db"

    async def make() -> None:
        await migrate(f"sqlite:///{new}")
        await put_chores_off(f"sqlite:///{new}")

    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            new.parent.mkdir()
            asyncio.run(make())
            new.rename(path)
    return path


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[sa.URL]:
    """The server of the whole run: given by the main process of a parallel run, started here otherwise."""
    given = getattr(request.config, "workerinput", {}).get(_ADDRESS)
    if given is not None:
        yield sa.make_url(given)
        return
    with ExitStack() as running:
        try:
            url = running.enter_context(running_server())
        except PostgresqlFailed as error:
            # Every other test that needs it would fail alike.
            request.session.shouldstop = str(error)
            pytest.fail(str(error), pytrace=False)
        yield url


@pytest.fixture(scope="session")
def postgres_copies(request: pytest.FixtureRequest, postgres_server: sa.URL) -> Iterator[Copies]:
    given = getattr(request.config, "workerinput", {})
    # A server that stays would keep what nobody knows to be the last to use.
    shares = _ADDRESS in given and not os.environ.get(EXISTING)
    copies = Copies(postgres_server, f"shared_{given['testrunuid']}" if shares else None)
    yield copies
    copies.close()


@pytest.fixture(scope="session")
def replicated() -> Iterator[Replicated]:
    """A primary and its replica, of the tests' own programs; left out where those are not installed."""
    if not has_programs():
        pytest.skip("a replica is made by PostgreSQL's own programs, which ./scripts/test installs")
    with replicated_servers() as servers:
        yield servers


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh, migrated database, in which every chore is done."""
    with fresh_url(request, lambda: request.getfixturevalue("tmp_path")) as url:
        yield url


@contextmanager
def fresh_url(request: pytest.FixtureRequest, folder: Callable[[], Path]) -> Iterator[str]:
    """A fresh, migrated database of the kind that the fixture's parameter names, for a fixture of any scope."""
    if request.param == "sqlite":
        path = folder() / "switchboard.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        with request.getfixturevalue("postgres_copies").fresh() as url:
            yield url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def module_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database for all those tests of a module that leave it as it is."""
    with fresh_url(request, lambda: tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database without any tables."""
    with empty_url(request, lambda: request.getfixturevalue("tmp_path")) as url:
        yield url


@contextmanager
def empty_url(request: pytest.FixtureRequest, folder: Callable[[], Path]) -> Iterator[str]:
    """The same of the kind that the fixture's parameter names, for a fixture of any scope."""
    if request.param == "sqlite":
        yield f"sqlite:///{folder() / 'empty.db'}"
    else:
        with empty_database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture
async def database(
    database_url: str, clock: ManualClock, ids: CountingIds, settings: Settings, kinds: Mapping[str, Any]
) -> AsyncIterator[Database]:
    opened = await open_database(database_url, clock=clock, ids=ids, settings=settings, kinds=kinds)
    yield opened
    await opened.close()


@pytest.fixture
def own_logs() -> Iterator[None]:
    """Lets a test call `configure_logs`: afterwards the loggers are as they were."""
    loggers = [logging.getLogger(name) for name in (None, "alembic", "uvicorn.error", "uvicorn.websocket", "aiosqlite")]
    levels = [logger.level for logger in loggers]
    handlers = loggers[0].handlers[:]
    loggers[0].handlers.clear()
    # A server without an access log, that an earlier test started, has cut this one off for the whole process.
    access = logging.getLogger("uvicorn.access")
    passes_on, access.propagate = access.propagate, True
    yield
    access.propagate = passes_on
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    structlog.reset_defaults()
