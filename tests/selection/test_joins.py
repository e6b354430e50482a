"""Joins to another row by its key."""

import pytest
import sqlalchemy as sa

from app.directory.tables import customer
from app.selection.joins import by_key
from app.storage.database import Database
from app.storage.work import Work

pytestmark = pytest.mark.anyio

_OTHERS = ("hashjoin", "mergejoin", "material", "bitmapscan")
_SOME_OFTEN = (
    "CREATE TEMP TABLE each ON COMMIT DROP AS SELECT number % 10 AS key FROM generate_series(1, 1000) AS number"
)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_rows_found_by_keys_that_differ_are_not_remembered(database: Database) -> None:
    values = sa.table("each", sa.column("key", sa.BigInteger))

    def steps(work: Work, distinct: bool) -> list[str]:
        on = by_key(customer.c.id, values.c.key, True, database.dialect, distinct=distinct)
        work.connection.exec_driver_sql(_SOME_OFTEN)
        work.connection.exec_driver_sql("ANALYZE each")
        for each in _OTHERS:
            work.connection.exec_driver_sql(f"SET LOCAL enable_{each} = off")
        select = sa.select(values.c.key, customer.c.name).select_from(values.outerjoin(customer, on))
        text = str(select.compile(work.connection, compile_kwargs={"literal_binds": True}))
        return [row[0] for row in work.connection.exec_driver_sql(f"EXPLAIN {text}")]

    equal = await database.command(steps, False)
    found = await database.command(steps, True)
    assert any("Memoize" in step for step in equal)
    assert not any("Memoize" in step for step in found)
    assert any("Index Scan using pk_customer" in step for step in found)


async def test_row_without_a_key_has_no_other(database: Database) -> None:
    values = sa.union_all(sa.select(sa.literal(1).label("key")), sa.select(sa.null())).subquery("each")
    others = sa.select(sa.literal(1).label("id"), sa.literal("Ada").label("name")).subquery("others")

    def rows(work: Work) -> list[tuple[object, ...]]:
        on = by_key(others.c.id, values.c.key, True, database.dialect, distinct=True)
        joined = values.outerjoin(others, on)
        return [
            tuple(row) for row in work.connection.execute(sa.select(values.c.key, others.c.name).select_from(joined))
        ]

    assert sorted(await database.command(rows), key=repr) == [(1, "Ada"), (None, None)]
