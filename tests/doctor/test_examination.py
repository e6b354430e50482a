"""Deployments that are broken in one way each: what is found, and what the advice is."""

import asyncio
import shutil
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from app.connections.model import NewConnection
from app.connections.service import create_connection
from app.core.clock import utc_now
from app.core.ids import TimeOrderedIds
from app.destinations.tables import destination
from app.directory.service import bootstrap
from app.doctor import Finding, State, examine
from app.doctor.machine import FEWEST_FILES, open_files, packages, python_version, sqlite_version
from app.doctor.postgresql import clocks, refusal, server
from app.doctor.sqlite import disk
from app.registry import CONNECTORS
from app.settings import Settings
from app.storage.database import Work, open_database
from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.migrations import migrate, revisions
from tests.connections.conftest import ADA, KEYS, RULES
from tests.graph.reached import destination_row
from tests.identity_provider import identity_provider
from tests.postgres import copied_database, empty_database

pytestmark = pytest.mark.anyio

PEPPER = "a pepper of our own"
WHOLE: Mapping[str, Any] = {"key_pepper": PEPPER, "secrets_key": KEYS[0], "port": 0}


async def examined(database_url: str, **settings: Any) -> list[Finding]:
    chosen = Settings.model_validate({"database_url": database_url, **WHOLE, **settings})
    # The server of the tests is one that may lose what it was given.
    return [found async for found in examine(chosen, utc_now) if not found.text.startswith("fsync or")]


def content(database_url: str) -> bytes:
    """The file of an SQLite database; nothing where there is none."""
    file = Path(str(parse_database_url(database_url).database))
    return file.read_bytes() if file.is_file() else b""


def wrong(findings: list[Finding], topic: str) -> Finding:
    """The one finding that is not in order; it has this topic, and nothing else is at fault."""
    (found,) = [each for each in findings if each.state is not State.OK]
    assert found.topic == topic, found
    assert found.advice
    return found


async def execute(database_url: str, *statements: str) -> None:
    """Run statements with a driver, as an operator would."""
    url = parse_database_url(database_url)
    engine = (
        sa.create_engine(url.set(drivername="sqlite"), poolclass=sa.NullPool)
        if database_url.startswith("sqlite")
        else None
    )
    if engine is not None:
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        return
    connected = await asyncpg.connect(**asyncpg_arguments(url))
    for statement in statements:
        await connected.execute(statement)
    await connected.close()


async def make_whole(database_url: str) -> str:
    """Migrate a database, and give it a key, a connection to another system, and an event."""

    def fill(work: Work) -> None:
        bootstrap(work, None)
        create_connection(work, ADA, CONNECTORS, NewConnection(system="HTTP", name="Shop"))

    await migrate(database_url)
    settings = Settings.model_validate({"database_url": database_url, **WHOLE})
    database = await open_database(database_url, clock=utc_now, ids=TimeOrderedIds(), settings=settings, kinds=RULES)
    await database.command(fill)
    await database.close()
    return database_url


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "switchboard.db"
    asyncio.run(make_whole(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="module")
def whole_url(postgres_server: sa.URL) -> Iterator[str]:
    with empty_database(postgres_server) as url:
        yield asyncio.run(make_whole(url))


@pytest.fixture(params=["sqlite", "postgres"])
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A copy of a database with a key, a connection to another system, and an event."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("whole_file"), tmp_path / "whole.db")
        yield f"sqlite:///{tmp_path}/whole.db"
    else:
        with copied_database(request.getfixturevalue("whole_url")) as url:
            yield url


async def test_whole_deployment_has_nothing_at_fault_and_is_not_changed(whole: str) -> None:
    before = content(whole)
    findings = await examined(whole)
    assert [each for each in findings if each.state is not State.OK] == []
    assert {"versions", "database", "structure", "indexes", "clock", "deadlines", "secrets"} <= {
        each.topic for each in findings
    }
    assert content(whole) == before


async def test_pepper_that_is_another_is_found_and_not_taken(whole: str) -> None:
    for _ in range(2):  # the first look has not made it the current one
        found = wrong(await examined(whole, key_pepper="another pepper of ours"), "secrets")
        assert "digested with a pepper" in found.text
        assert "set the former pepper again" in found.advice


@pytest.mark.parametrize(
    ("key", "says"),
    [((), "SWITCHBOARD_SECRETS_KEY is not set"), (KEYS[1], "No key of SWITCHBOARD_SECRETS_KEY fits")],
    ids=["missing", "another"],
)
async def test_secrets_that_cannot_be_read_are_named(whole: str, key: object, says: str) -> None:
    found = wrong(await examined(whole, secrets_key=key), "secrets")
    assert (found.state, found.text.startswith(says), "the connection Shop" in found.text) == (State.FAULT, True, True)
    assert "the key that they were sealed with" in found.advice


async def test_missing_index_comes_with_the_statement_that_makes_it(whole: str) -> None:
    await execute(whole, "DROP INDEX ix_interaction_part_active")
    found = wrong(await examined(whole), "indexes")
    assert found.text.startswith("The index ix_interaction_part_active is missing")
    await execute(whole, found.advice)
    assert [each for each in await examined(whole) if each.state is not State.OK] == []


async def test_clock_that_went_back_is_found_by_the_events(whole: str) -> None:
    later = "2190-01-05T09:00:00.000000Z"
    await execute(whole, f"UPDATE event_log SET at = '{later}'")
    found = wrong(await examined(whole), "clock")
    assert ("2190-01-05 09:00:00" in found.text, "NTP" in found.advice) == (True, True)


@pytest.mark.parametrize("whole", ["postgres"], indirect=True)
async def test_partitions_that_do_not_go_on_are_told(whole: str) -> None:
    await execute(whole, "UPDATE log_era SET began_at = now() - interval '30 days'")
    found = wrong(await examined(whole), "partitions")
    assert found.text.endswith("longer than it should. The next one is missing.")
    await execute(
        whole,
        "CREATE TABLE event_log_1 (LIKE event_log)",
        "ALTER TABLE event_log ATTACH PARTITION event_log_1 FOR VALUES IN (1)",
    )
    assert wrong(await examined(whole), "partitions").text.endswith("longer than it should.")
    await execute(
        whole,
        "INSERT INTO log_era SELECT id, 1, head + 1, now() FROM lane",
        "UPDATE lane SET era = 1, first = head + 1, oldest = head + 1",
    )
    assert wrong(await examined(whole), "partitions").text.startswith("The partition event_log_0 holds only")
    await execute(whole, "DROP TABLE event_log_0; DELETE FROM log_era WHERE era = 0")
    (found,) = [each for each in await examined(whole) if each.topic == "partitions"]
    assert (found.state, found.text[:37]) == (State.OK, "Partitions of the event log in use: 1")


async def test_revision_that_is_older_or_newer_is_told_apart(whole: str) -> None:
    old, newest = revisions()[-2:]
    await execute(whole, f"UPDATE alembic_version SET version_num = '{old}'")
    behind = wrong(await examined(whole), "structure")
    assert (behind.state, behind.text) == (
        State.WARNING,
        f"The database is at revision {old}, this version's is {newest}.",
    )
    assert "make a backup" in behind.advice
    await execute(whole, "UPDATE alembic_version SET version_num = '9999'")
    ahead = wrong(await examined(whole), "structure")
    assert (ahead.state, "Install that version" in ahead.advice) == (State.FAULT, True)


async def test_destination_is_told_that_lacks_settings(whole: str) -> None:
    def fill(work: Work) -> None:
        row = destination_row(work.now, type="EMAIL", address="team@example.com", document=None, secret=None)
        work.connection.execute(sa.insert(destination).values(row))

    settings = Settings.model_validate({"database_url": whole, **WHOLE})
    database = await open_database(whole, clock=utc_now, ids=TimeOrderedIds(), settings=settings, kinds=RULES)
    await database.command(fill)
    await database.close()
    assert "SWITCHBOARD_SMTP_HOST" in wrong(await examined(whole), "connectivity").text
    found = await examined(whole, smtp_host="mail.example.com", smtp_sender="desk@example.com")
    assert [each.text for each in found if each.topic == "connectivity" and each.state is not State.OK] == []


async def test_database_without_tables_is_no_fault(empty_database_url: str) -> None:
    found = wrong(await examined(empty_database_url), "database" if "sqlite" in empty_database_url else "structure")
    assert found.state is State.WARNING
    assert content(empty_database_url) == b""


async def test_sqlite_file_that_cannot_be_used_is_told_with_its_reason(tmp_path: Path) -> None:
    missing = wrong(await examined(f"sqlite:///{tmp_path}/no/such.db"), "database")
    assert missing.advice == "Make it, or correct SWITCHBOARD_DATABASE_URL."
    (tmp_path / "notes.db").write_text("no database at all, but a text" * 50, encoding="utf-8")
    other = wrong(await examined(f"sqlite:///{tmp_path}/notes.db"), "database")
    assert ("it is not an SQLite database" in other.text, "restore a backup" in other.advice) == (True, True)


async def test_postgresql_that_cannot_be_reached_is_told_with_its_reason(postgres_server: sa.URL) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        gone = wrong(await examined(f"postgresql://me:word@127.0.0.1:{port}/a"), "database")
    assert ("cannot be reached" in gone.text, "word" in gone.text) == (True, False)
    assert gone.advice == "Start it, or correct the host and the port in SWITCHBOARD_DATABASE_URL."
    nowhere = postgres_server.set(database="no_such_database").render_as_string(hide_password=False)
    assert "createdb" in wrong(await examined(nowhere), "database").advice
    stranger = postgres_server.set(username="nobody_here").render_as_string(hide_password=False)
    assert "%40 for @" in wrong(await examined(stranger), "database").advice


@pytest.mark.parametrize("whole", ["postgres"], indirect=True)
async def test_connections_are_reckoned_for_all_workers(whole: str) -> None:
    found = wrong(await examined(whole, workers=60), "database")
    assert found.text.startswith("60 processes open at most 2040 of ")


async def test_identity_provider_that_is_down_is_told(database_url: str) -> None:
    async with identity_provider() as provider:
        issuers = (provider.issuer(),)
        works = [each.text for each in await examined(database_url, issuers=issuers) if each.topic == "connectivity"]
        assert works == [f"The identity provider {provider.url} has 1 keys."]
        provider.fault = "down"
        found = wrong(await examined(database_url, issuers=issuers), "connectivity")
    assert (found.state, provider.url in found.text) == (State.FAULT, True)


async def test_port_that_another_program_has_is_told(database_url: str) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as taken:
        found = wrong(await examined(database_url, port=taken.sockets[0].getsockname()[1]), "address")
    assert "SWITCHBOARD_PORT" in found.advice


STATE: Mapping[str, Any] = {
    "version": 150_004,
    "version_name": "15.4",
    "encoding": "UTF8",
    "now": datetime(2026, 1, 5, tzinfo=UTC),
    "read_only": False,
    "may_create": True,
    "connections": 97,
    "durable": True,
}


@pytest.mark.parametrize(
    ("change", "state", "advice"),
    [
        ({"version": 140_011}, State.FAULT, "Upgrade it to 15 or newer."),
        ({"encoding": "SQL_ASCII"}, State.FAULT, "--encoding=UTF8"),
        ({"read_only": True}, State.FAULT, "Name the primary"),
        ({"may_create": False}, State.FAULT, "GRANT CREATE ON SCHEMA public"),
        ({"durable": False}, State.WARNING, "Set both to on."),
        ({"connections": 67}, State.WARNING, "Set SWITCHBOARD_POOL_SIZE to 15,"),
        ({"now": datetime(2026, 1, 4, 23, 59, 54, tzinfo=UTC)}, State.FAULT, "NTP"),
        ({"now": datetime(2026, 1, 5, 0, 0, 2, tzinfo=UTC)}, State.WARNING, "NTP"),
    ],
)
def test_postgresql_that_does_not_fit_comes_with_advice(change: dict[str, Any], state: State, advice: str) -> None:
    now = STATE["now"].timestamp()
    assert {each.state for each in server(STATE, now, 16, 2)} == {State.OK}
    (found,) = [each for each in server({**STATE, **change}, now, 16, 2) if each.state is not State.OK]
    assert (found.state, advice in found.advice) == (state, True), found


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (TimeoutError(), "firewall"),
        (asyncpg.TooManyConnectionsError("sorry"), "max_connections"),
        (asyncpg.CannotConnectNowError("starting"), "Wait for it"),
        (asyncpg.ProtocolViolationError("what?"), "Correct SWITCHBOARD_DATABASE_URL or the server."),
    ],
)
def test_refusal_of_postgresql_comes_with_advice(error: Exception, advice: str) -> None:
    found = refusal(error, "db.example.com")
    assert found is not None
    assert (found.state, advice in found.advice) == (State.FAULT, True)
    assert refusal(KeyError("ours"), "db.example.com") is None


def test_machine_that_lacks_something_comes_with_advice() -> None:
    assert python_version((3, 10, 9)).state is State.FAULT
    assert sqlite_version((3, 34, 1)).state is State.FAULT
    assert "LimitNOFILE" in open_files(FEWEST_FILES - 1).advice
    assert open_files(-1).state is State.OK

    differs = packages("orjson==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1.0\n")
    assert (differs.state, "no-such-package is missing" in differs.text) == (State.WARNING, True)
    assert disk("/data", 1 << 29, 0).state is State.WARNING
    assert disk("/data", 1 << 31, 1 << 32).state is State.WARNING
    assert disk("/data", 1 << 31, 1 << 30).state is State.OK
    assert clocks(0.2).text == "The clock is 0.2 s ahead of the database's."
