"""Everything that a database holds, as plain Python: to compare before and after, and for the oracle to answer from."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.storage.database import Database, Work
from app.storage.tables import metadata

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]

# Searches read the words, but no rule and no field does; chores are done whatever is asked.
_LEFT_OUT = ("app_user_word", "profile_word", "customer_word", "chore")
# When a key was last used is no change of anything.
_NOT_COMPARED = {"api_key": "last_used_at"}


async def rows_of(database: Database) -> Rows:
    """All rows of all tables, ordered by their primary key; JSON text as text, times as datetimes."""
    return await database.command(_read)


async def unchanged(database: Database, before: Rows) -> None:
    """Fail, naming the table, when anything differs from before: rows, or the heads of the event log."""
    after = await rows_of(database)
    for name, rows in after.items():
        assert rows == before[name], f"{name} has changed"


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
