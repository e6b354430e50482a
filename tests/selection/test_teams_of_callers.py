"""Conditions on the caller's teams, however many these are."""

from collections.abc import Generator, Sequence

import pytest
import sqlalchemy as sa

from app.core.actor import Actor
from app.selection.mapping import VIEWER_TEAMS
from app.selection.mapping.env import MOST_PLACES
from app.selection.sql import SqlCompiler
from app.storage.constructs import IntList, among, keys
from app.storage.database import Database
from app.storage.query import Query, Row

pytestmark = pytest.mark.anyio


def _of(number: int) -> Actor:
    """A caller with so many teams, 1 and up."""
    return Actor(7, "Ada", frozenset({"session:read:team"}), teams=frozenset(range(1, number + 1)))


async def test_condition_on_teams_holds_for_these_and_for_none_alone(database: Database) -> None:
    numbers = keys(sa.bindparam("numbers", type_=IntList()))
    of_teams = among(numbers.c.key, sa.bindparam(VIEWER_TEAMS, type_=IntList()))
    select = sa.select(numbers.c.key).order_by(numbers.c.key)
    compiler = SqlCompiler(database.dialect)
    seen, unseen = (compiler.statement(select.where(each)) for each in (of_teams, ~of_teams))
    most = MOST_PLACES + 4

    async def keys_of(query: Query) -> list[int]:
        def steps() -> Generator[Query, Sequence[Row], list[int]]:
            return [row[0] for row in (yield query)]

        return await database.plan(steps, snapshot=False, caller=1)

    texts = set()
    for teams in range(most):
        given = {"numbers": list(range(-1, most + 1))}
        shown, hidden = (each.query(given, _of(teams)) for each in (seen, unseen))
        texts.add(shown.sql)
        assert await keys_of(shown) == list(range(teams + 1))
        assert await keys_of(hidden) == [-1, *range(teams + 1, most + 1)]
    # None, 1, 2, 4, 8 and 16 places, and a list: callers with other teams share them.
    assert len(texts) == 7


async def test_lists_that_are_not_the_callers_teams_stay_one_parameter(database: Database) -> None:
    numbers = keys(sa.bindparam("numbers", type_=IntList()))
    wanted = among(numbers.c.key, sa.bindparam("wanted", type_=IntList()))
    statement = SqlCompiler(database.dialect).statement(sa.select(numbers.c.key).where(wanted))
    query = statement.query({"numbers": [1, 2, 3], "wanted": [2, 3, 4]}, _of(1))
    assert len(query.args) == 2

    def steps() -> Generator[Query, Sequence[Row], list[int]]:
        return sorted(row[0] for row in (yield query))

    assert await database.plan(steps, snapshot=False, caller=1) == [2, 3]
