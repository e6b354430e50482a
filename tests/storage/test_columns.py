"""Column types and constructs, through SQLAlchemy and as a compiler runs them on the driver."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.errors import AlreadyExists
from app.storage.constructs import IntList, TextList, among, among_keys, keys, unindexed
from app.storage.database import Database, Query, Work
from app.storage.repository import Repository
from tests.storage.conftest import counter, sample

pytestmark = pytest.mark.anyio

MOMENT = datetime(2026, 1, 5, 9, 0, 0, 120, tzinfo=UTC)
SPACED = '{"a" :  1.50, "b": "\\u00e9", "a": null}'


def _insert(work: Work, /, **values: Any) -> int:
    key: int = work.connection.execute(sa.insert(sample).values(**values).returning(sample.c.id)).scalar_one()
    return key


def _read(work: Work) -> list[tuple[Any, ...]]:
    columns = (sample.c.at, sample.c.text, sample.c.value, sample.c.flag)
    return [tuple(row) for row in work.connection.execute(sa.select(*columns).order_by(sample.c.id))]


async def test_values_come_back_as_they_went_in(scratch_database: Database) -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=2)))
    await scratch_database.command(_insert, at=elsewhere, text=SPACED, value=["é", {"x": [1]}], flag=True)
    await scratch_database.command(_insert, at=None, text=None, value=None, flag=None)
    assert await scratch_database.command(_read) == [
        (MOMENT, SPACED, ["é", {"x": [1]}], True),
        (None, None, None, None),
    ]


async def test_the_driver_gives_what_an_answer_splices(scratch_database: Database) -> None:
    await scratch_database.command(_insert, at=MOMENT, text=SPACED, value={"é": 1})

    def steps() -> Any:
        rows = yield Query("SELECT at, text, value FROM sample")
        return tuple(rows[0])

    sqlite = scratch_database.dialect.name == "sqlite"
    at: Any = "2026-01-05T09:00:00.000120Z" if sqlite else MOMENT
    assert await scratch_database.plan(steps, snapshot=False, caller=1) == (at, SPACED, '{"é":1}')


async def test_a_time_without_a_zone_is_refused(scratch_database: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a zone"):
        await scratch_database.command(_insert, at=datetime(2026, 1, 5))  # noqa: DTZ001 - the fault under test


async def test_times_compare_in_sql(scratch_database: Database) -> None:
    for second in (9, 10, 11):
        await scratch_database.command(_insert, at=MOMENT.replace(second=second))

    def later(work: Work) -> list[int]:
        after = sa.select(sample.c.id).where(sample.c.at > MOMENT.replace(second=9)).order_by(sample.c.at.desc())
        literal = sa.literal(MOMENT.replace(second=10), sample.c.at.type)
        counted = sa.select(sa.func.count()).where(sample.c.at == literal)
        text = str(counted.compile(dialect=work.connection.dialect, compile_kwargs={"literal_binds": True}))
        assert work.connection.exec_driver_sql(text).scalar_one() == 1
        return list(work.connection.execute(after).scalars())

    assert await scratch_database.command(later) == [3, 2]


async def test_surrogate_keys_are_never_given_twice(scratch_database: Database) -> None:
    first = await scratch_database.command(_insert, name="a")
    await scratch_database.command(lambda work: work.connection.execute(sa.delete(sample)).rowcount)
    assert (first, await scratch_database.command(_insert, name="b")) == (1, 2)


async def _on_driver(database: Database, statement: sa.Select[Any], **values: Any) -> list[tuple[Any, ...]]:
    """Run Core as a compiler of plans does: compiled once, its own bind processors applied."""
    compiled: Any = statement.compile(dialect=database.dialect)
    processors = compiled._bind_processors
    parameters = compiled.construct_params(values)
    args = [
        processors[name](parameters[name]) if name in processors else parameters[name]
        for name in (compiled.positiontup or ())
    ]

    def steps() -> Any:
        rows = yield Query(str(compiled), args)
        return [tuple(row) for row in rows]

    result: list[tuple[Any, ...]] = await database.plan(steps, snapshot=False, caller=1)
    return result


@pytest.mark.parametrize("wanted", [[], [2], [2, 1, 7]])
async def test_lists_are_one_parameter(scratch_database: Database, wanted: list[int]) -> None:
    found = [(key,) for key in (1, 2) if key in wanted]
    param: sa.BindParameter[Any] = sa.bindparam("wanted")
    bound = sa.select(counter.c.id).where(among(counter.c.id, param)).order_by(counter.c.id)
    assert await _on_driver(scratch_database, bound, wanted=wanted) == found
    given = sa.select(counter.c.id).where(among(counter.c.id, wanted)).order_by(counter.c.id)
    rows = await scratch_database.command(lambda work: [tuple(row) for row in work.connection.execute(given)])
    assert rows == found
    others = sa.select(counter.c.id).where(~among(counter.c.id, wanted)).order_by(counter.c.id)
    rows = await scratch_database.command(lambda work: [tuple(row) for row in work.connection.execute(others)])
    assert rows == [(key,) for key in (1, 2) if key not in wanted]


async def test_lists_of_texts(scratch_database: Database) -> None:
    for name in ("a", 'quo"te', "é"):
        await scratch_database.command(_insert, name=name)
    statement = sa.select(sample.c.id).where(among(sample.c.name, sa.bindparam("names"))).order_by(sample.c.id)
    assert await _on_driver(scratch_database, statement, names=['quo"te', "é", "z"]) == [(2,), (3,)]


async def test_keys_are_a_table(scratch_database: Database) -> None:
    wanted = keys(sa.bindparam("wanted", type_=IntList()))
    joined = sa.select(wanted.c.key, counter.c.value).outerjoin_from(wanted, counter, counter.c.id == wanted.c.key)
    rows = await _on_driver(scratch_database, joined, wanted=[2, 9])
    assert sorted(rows) == [(2, 0), (9, None)]
    nearest = sa.select(sa.func.max(counter.c.id)).where(counter.c.id <= wanted.c.key).scalar_subquery()
    assert sorted(await _on_driver(scratch_database, sa.select(wanted.c.key, nearest), wanted=[1, 5])) == [
        (1, 1),
        (5, 2),
    ]


async def test_unindexed_keeps_the_planner_off_an_index(scratch_database: Database) -> None:
    statement = sa.select(sample.c.id).where(unindexed(sample.c.name) == sa.bindparam("name"))
    await scratch_database.command(_insert, name="a")
    assert await _on_driver(scratch_database, statement, name="a") == [(1,)]
    if scratch_database.dialect.name == "sqlite":
        assert [row.split()[0] for row in await _plan_on_sqlite(scratch_database, statement)] == ["SCAN"]


async def test_rows_among_keys_are_looked_up_by_an_index(scratch_database: Database) -> None:
    # Of two conditions, as SQLAlchemy writes a single one of them otherwise.
    wanted = sa.bindparam("names", type_=TextList())
    statement = sa.select(sample.c.id).where(sample.c.flag.is_(None), among_keys(sample.c.name, wanted))
    for name in "ab":
        await scratch_database.command(_insert, name=name)
    assert await _on_driver(scratch_database, statement, names=["b", "z"]) == [(2,)]
    if scratch_database.dialect.name == "sqlite":
        plan = await _plan_on_sqlite(scratch_database, statement)
        assert plan[0].startswith("SEARCH")
        assert plan[0].endswith("(name=?)")


async def _plan_on_sqlite(database: Database, statement: sa.Select[Any]) -> Sequence[str]:
    plan = f"EXPLAIN QUERY PLAN {statement.compile(dialect=database.dialect)}"
    return await database.command(lambda work: work.connection.exec_driver_sql(plan, ("a",)).scalars("detail").all())


async def test_a_violated_constraint_becomes_the_rule_it_guards(scratch_database: Database) -> None:
    class Samples(Repository):
        def add(self, name: str) -> None:
            with self._refusing(AlreadyExists("There is one of that name.", path=("name",))):
                self.connection.execute(sa.insert(sample).values(name=name))

        def names(self) -> list[str]:
            return [row.name for row in self._all(sa.select(sample.c.name))]

        def first(self) -> str | None:
            row = self._one(sa.select(sample.c.name).order_by(sample.c.id))
            return None if row is None else str(row.name)

    assert await scratch_database.command(lambda work: work.use(Samples).first()) is None
    await scratch_database.command(lambda work: work.use(Samples).add("a"))
    with pytest.raises(AlreadyExists) as refused:
        await scratch_database.command(lambda work: work.use(Samples).add("a"))
    assert refused.value.path == ("name",)
    assert await scratch_database.command(lambda work: work.use(Samples).names()) == ["a"]
    assert await scratch_database.command(lambda work: work.use(Samples).first()) == "a"
