"""Statements that are compiled once and run on the driver."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.compiler import SQLCompiler

from app.storage import fixed
from app.storage.database import Database, Work
from app.storage.fixed import Fixed
from tests.storage.conftest import counter, sample

pytestmark = pytest.mark.anyio

MOMENT = datetime(2026, 1, 5, 9, 0, 0, 120, tzinfo=UTC)
KEY: sa.BindParameter[int] = sa.bindparam("key")
INSERT = Fixed(sa.insert(sample).returning(sample.c.id))
INSERT_PLAIN = Fixed(sa.insert(sample))
UPDATE = Fixed(sa.update(sample).where(sample.c.id == KEY))
BY_ID = Fixed(sa.select(sample.c.id, sample.c.at, sample.c.value, sample.c.flag).where(sample.c.id == KEY))
BUMP = Fixed(sa.update(counter).where(counter.c.id == KEY).values(value=counter.c.value + 1).returning(counter.c.value))


async def test_fixed_statement_reads_and_writes_values_of_every_type(scratch_database: Database) -> None:
    def unit(work: Work) -> tuple[Any, ...]:
        (row,) = INSERT.rows(work.connection, {"at": MOMENT, "value": ["é", {"x": [1]}], "flag": True})
        assert UPDATE.run(work.connection, {"key": row.id, "flag": False}) == 1
        assert UPDATE.run(work.connection, {"key": -1, "flag": False}) == 0
        (found,) = BY_ID.rows(work.connection, {"key": row.id})
        assert (found.at, found.value, found.flag) == tuple(found)[1:]
        return tuple(found)[1:]

    assert await scratch_database.command(unit) == (MOMENT, ["é", {"x": [1]}], False)
    # It was committed, though SQLAlchemy's connection ran nothing itself.
    rows = await scratch_database.command(lambda work: BY_ID.rows(work.connection, {"key": 1}))
    assert [row.flag for row in rows] == [False]


async def test_fixed_statement_keeps_the_values_it_was_built_with(scratch_database: Database) -> None:
    for expected in (1, 2):
        (row,) = await scratch_database.command(lambda work: BUMP.rows(work.connection, {"key": 1}))
        assert row.value == expected


def _run(work: Work, statement: Fixed, parameters: dict[str, Any]) -> int:
    return statement.run(work.connection, parameters)


async def test_fixed_statement_is_compiled_once(scratch_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    visit = SQLCompiler.visit_update

    def visited(self: Any, statement: Any, *args: Any, **kw: Any) -> Any:
        compiled.append("")
        return visit(self, statement, *args, **kw)

    monkeypatch.setattr(SQLCompiler, "visit_update", visited)
    statement = Fixed(sa.update(sample).where(sample.c.id == KEY))
    for number in range(5):
        await scratch_database.command(_run, statement, {"key": number, "name": "x"})
    assert len(compiled) == 1
    await scratch_database.command(_run, statement, {"key": 1, "flag": True})
    assert len(compiled) == 2


async def test_fixed_statement_keeps_a_bounded_number_of_variants(
    scratch_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixed, "MOST_VARIANTS", 2)
    statement = Fixed(sa.update(sample).where(sample.c.id == KEY))
    variants: list[dict[str, Any]] = [{"name": "a"}, {"flag": True}, {"at": MOMENT}, {"name": "a", "flag": True}]
    for given in variants:
        await scratch_database.command(_run, statement, {"key": 1, **given})
        assert len(statement._compiled) <= 2


async def test_fixed_statement_that_violates_a_constraint_undoes_its_unit_alone(scratch_database: Database) -> None:
    def unit(work: Work) -> None:
        INSERT_PLAIN.run_many(work.connection, [{"name": "once"}])
        INSERT_PLAIN.run_many(work.connection, [{"name": "twice"}, {"name": "twice"}])

    with pytest.raises(IntegrityError) as raised:
        await scratch_database.command(unit)
    assert raised.value.orig is not None
    assert "twice" not in str(raised.value.params)
    names = sa.select(sample.c.name)
    assert await scratch_database.command(lambda work: work.connection.execute(names).all()) == []
