"""Everything that a database holds, as plain Python: to compare before and after, and for the oracle to answer from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.storage.database import Database, Work
from app.storage.tables import metadata

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]


@dataclass(frozen=True)
class Picture:
    """What a database holds, only to be compared.

    Of each table the rows as SQLite has them, or how many there are on PostgreSQL with the sum of their digests."""

    tables: Mapping[str, object]
    changes: object = field(compare=False)
    """What SQLite counts of all changes, undone ones too, and which transactions of any database PostgreSQL knows to
    have ended: while that stands still, nothing changes."""


# Searches read the words, but no rule and no field does; chores are done whatever is asked.
_LEFT_OUT = ("app_user_word", "profile_word", "customer_word", "chore")
# When a key was last used is no change of anything.
_NOT_COMPARED = {"api_key": "last_used_at"}


async def rows_of(database: Database) -> Rows:
    """All rows of all tables, ordered by their primary key; JSON text as text, times as datetimes."""
    return await database.command(_read)


async def sizes_of(database: Database) -> Mapping[str, int]:
    """How many rows each table has."""
    return await database.command(_count)


async def picture_of(database: Database) -> Picture:
    """What each table holds, only to be compared: a tenth of the work of `rows_of`."""
    return await database.command(_look)


async def unchanged(database: Database, before: Picture) -> Picture:
    """What is there; fail, naming the table, when anything differs from before: rows, or the heads of the event log."""
    after = await database.command(_look_again, before)
    for name, held in after.tables.items():
        assert held == before.tables[name], f"{name} has changed"
    return after


def _look(work: Work) -> Picture:
    changes = _changes(work)  # first: what changes meanwhile is to be seen by the next look
    tables: dict[str, object]
    if work.dialect_name == "sqlite":
        tables = {name: work.connection.exec_driver_sql(sql).all() for name, sql in _every_row().items()}
    else:
        tables = {name: (count, digest) for name, count, digest in work.connection.exec_driver_sql(_digests())}
    return Picture(tables, changes)


def _look_again(work: Work, before: Picture) -> Picture:
    return before if _changes(work) == before.changes else _look(work)


def _changes(work: Work) -> object:
    """How many rows this connection has changed, and by what number SQLite's file tells it of others; or what
    PostgreSQL shows to a transaction."""
    if work.dialect_name != "sqlite":
        return work.connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one()
    driver: Any = work.connection.connection.driver_connection
    return driver.total_changes, driver.execute("PRAGMA data_version").fetchone()


def _count(work: Work) -> Mapping[str, int]:
    return {row[0]: row[1] for row in work.connection.execute(_counts())}


def _read(work: Work) -> Rows:
    statements, which_are_filled = _statements()
    filled = set(work.connection.execute(which_are_filled).scalars())
    found: dict[str, list[Row]] = {}
    for name, statement in statements.items():
        # Most tables are empty in most tests, and one statement for each was most of the work.
        if name not in filled:
            found[name] = []
            continue
        rows = work.connection.execute(statement)
        names = tuple(rows.keys())
        found[name] = [dict(zip(names, row, strict=True)) for row in rows]
    return found


def _columns() -> Mapping[str, str]:
    """The names of the columns that are compared, by table."""
    tables = [table for table in metadata.sorted_tables if table.name not in _LEFT_OUT]
    return {
        table.name: ", ".join(f'"{each.name}"' for each in table.columns if _NOT_COMPARED.get(table.name) != each.name)
        for table in tables
    }


@cache
def _counts() -> sa.CompoundSelect[Any]:
    tables = [table for table in metadata.sorted_tables if table.name not in _LEFT_OUT]
    return sa.union_all(*(sa.select(sa.literal(table.name), sa.func.count()).select_from(table) for table in tables))


@cache
def _every_row() -> Mapping[str, str]:
    return {table: f'SELECT {columns} FROM "{table}"' for table, columns in _columns().items()}


@cache
def _digests() -> str:
    one = "SELECT '{0}', count(*), sum(hashtextextended(ROW({1})::text, 0)) FROM \"{0}\""
    return " UNION ALL ".join(one.format(table, columns) for table, columns in _columns().items())


@cache
def _statements() -> tuple[Mapping[str, sa.Select[Any]], sa.CompoundSelect[Any]]:
    """What reads each table, and which tables hold a row. Made once, for thousands of commands are compared."""
    tables = [table for table in metadata.sorted_tables if table.name not in _LEFT_OUT]
    reading = {}
    for table in tables:
        columns = [column for column in table.columns if _NOT_COMPARED.get(table.name) != column.name]
        reading[table.name] = sa.select(*columns).order_by(*table.primary_key.columns)
    held = (sa.select(sa.literal(table.name)).where(sa.exists().select_from(table)) for table in tables)
    return reading, sa.union_all(*held)
