"""A database that cannot write says so, and says whether anything was changed."""

import asyncio
import sqlite3

import pytest
import sqlalchemy as sa

from app.core.errors import OutcomeUnknown, Unavailable
from app.storage.database import Database, Work
from app.storage.refusals import sqlite_failed_commit
from tests.storage.conftest import increment, sample, value_of

pytestmark = pytest.mark.anyio

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)

RAISES = """
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$
"""
ENDS = """
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$
"""
NOW = "CREATE TRIGGER refuses BEFORE INSERT ON sample FOR EACH ROW EXECUTE FUNCTION refuse()"
AT_COMMIT = (
    "CREATE CONSTRAINT TRIGGER refuses AFTER INSERT ON sample DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION refuse()"
)


def store(work: Work, size: int = 1) -> None:
    increment(work)
    work.connection.execute(sa.insert(sample), {"value": "x" * size})


def _execute(work: Work, *statements: str) -> None:
    for statement in statements:
        work.connection.exec_driver_sql(statement)


@on_sqlite
async def test_full_database_is_unavailable_and_unchanged(scratch_database: Database) -> None:
    driver = scratch_database._commands._driver  # type: ignore[attr-defined]
    (pages,) = driver.execute("PRAGMA page_count").fetchone()
    driver.execute(f"PRAGMA max_page_count = {pages + 4}")
    units = [scratch_database.command(increment), scratch_database.command(store, 1_000_000)]
    first, refused, last = await asyncio.gather(*units, scratch_database.command(increment), return_exceptions=True)
    assert (first, last) == (1, 2)
    assert isinstance(refused, Unavailable)
    assert refused.message == "The database is full; nothing was changed."
    with pytest.raises(Unavailable, match="full"):
        await scratch_database.command(store, 1_000_000)
    assert await scratch_database.command(value_of) == 2
    driver.execute(f"PRAGMA max_page_count = {pages + 4_000}")
    await scratch_database.command(store, 1_000_000)
    assert await scratch_database.command(value_of) == 3


@on_sqlite
async def test_read_only_database_is_unavailable(scratch_database: Database) -> None:
    driver = scratch_database._commands._driver  # type: ignore[attr-defined]
    driver.execute("PRAGMA query_only = ON")
    with pytest.raises(Unavailable, match="nothing was changed"):
        await scratch_database.command(increment)
    driver.execute("PRAGMA query_only = OFF")
    assert await scratch_database.command(increment) == 1


def test_failed_commit_of_a_broken_disk_is_an_unknown_outcome() -> None:
    def error(code: int) -> sqlite3.Error:
        made = sqlite3.OperationalError("disk I/O error")
        made.sqlite_errorcode = code
        return made

    assert isinstance(sqlite_failed_commit(error(sqlite3.SQLITE_IOERR_FSYNC)), OutcomeUnknown)
    assert sqlite_failed_commit(error(sqlite3.SQLITE_FULL)) is None


@on_postgres
@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("53100", "The database is full; nothing was changed."),
        ("53200", "The database cannot write now; nothing was changed."),
        ("57014", "This took too long; nothing was changed. Try again."),
        ("58030", "The database cannot write now; nothing was changed."),
        ("25006", "The database cannot write now; nothing was changed."),
        ("55P03", "Another command holds a lock that this one needs; nothing was changed. Try again."),
    ],
)
@pytest.mark.parametrize("trigger", [NOW, AT_COMMIT], ids=["in the unit", "at the commit"])
async def test_postgresql_that_cannot_write_is_unavailable_and_unchanged(
    scratch_database: Database, state: str, said: str, trigger: str
) -> None:
    await scratch_database.command(_execute, RAISES.format(state=state), trigger)
    with pytest.raises(Unavailable) as refused:
        await scratch_database.command(store)
    assert refused.value.message == said
    assert await scratch_database.command(value_of) == 0


@on_postgres
async def test_connection_that_ends_in_the_commit_is_an_unknown_outcome(scratch_database: Database) -> None:
    await scratch_database.command(_execute, ENDS, AT_COMMIT)
    with pytest.raises(OutcomeUnknown, match="not known"):
        await scratch_database.command(store)
    # It was not in this case, and was not repeated.
    assert await scratch_database.command(value_of) == 0
