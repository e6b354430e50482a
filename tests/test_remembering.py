"""Rows that are remembered are those that were made, with what else their making left behind."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.events import EventRecord
from app.directory.tables import app_user
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from tests.conftest import CountingIds, ManualClock, fresh_url
from tests.graph.filled import fill
from tests.graph.running import running_graph
from tests.graph.state import rows_of
from tests.kinds.conftest import store_customer, store_users
from tests.kinds.conversation.conftest import furnish
from tests.remembering import remembered, remembered_graph

pytestmark = pytest.mark.anyio

desk: Any = furnish.__wrapped__  # type: ignore[attr-defined]
users: Any = store_users.__wrapped__  # type: ignore[attr-defined]


@pytest.fixture(params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[str]]:
    """The addresses of three fresh databases."""
    with ExitStack() as stack:
        yield [stack.enter_context(fresh_url(request, lambda: tmp_path_factory.mktemp("database"))) for _ in range(3)]


async def test_remembered_rows_are_those_that_the_function_makes(urls: Sequence[str]) -> None:
    runs = 0

    def filled(work: Work) -> Any:
        nonlocal runs
        runs += 1
        found = desk(work)
        work.record(EventRecord(topic="user.updated", actor_id=1, data={"key": work.ids.key("agt")}))
        return found

    again = remembered(filled)
    given, rows, following = [], [], []
    for url, function in zip(urls, (filled, again, again), strict=True):
        database = await open_database(url, clock=ManualClock(), ids=CountingIds(), settings=Settings())
        given.append(await database.command(function))
        rows.append({**await rows_of(database), "report_state": ()})  # which says when the database was made
        following.append(await database.command(_next))
        with pytest.raises(sa.exc.IntegrityError):  # what rows point to is looked after again
            await database.command(_point_nowhere)
        await database.close()
    assert runs == 2  # the second of which was looked at, and the third one not needed
    assert given[0] == given[1] == given[2]
    assert rows[0] == rows[1] == rows[2]
    assert len(rows[0]["customer"]) == 4
    assert len(rows[0]["event_log"]) == 1
    assert following[0] == following[1] == following[2]


def _next(work: Work) -> tuple[int, str]:
    return store_customer(work, customer_key="next", system="SESSION"), work.ids.key("agt")


def _point_nowhere(work: Work) -> None:
    work.connection.exec_driver_sql("UPDATE customer SET profile_id = 4711")


async def test_remembered_graph_is_as_it_was_filled(urls: Sequence[str]) -> None:
    filling: Any = fill.__wrapped__  # type: ignore[attr-defined]
    again = remembered_graph(filling)
    given, rows, following = [], [], []
    for url, function in zip(urls, (filling, again, again), strict=True):
        async with running_graph(url) as graph:
            filled = await function(graph)
            assert filled.graph is graph
            given.append((replace(filled, graph=None), graph.clock.now))
            rows.append({**await rows_of(graph.database), "report_state": ()})
            following.append(await graph.database.command(_next))
    assert given[0] == given[1] == given[2]
    assert rows[1] == rows[2]
    # What is secret is another one each time.
    assert {name: len(held) for name, held in rows[0].items()} == {name: len(held) for name, held in rows[2].items()}
    assert following[0] == following[1] == following[2]


async def test_remembered_rows_go_with_a_unit_that_fails(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await database.command(_fail)
    assert (await rows_of(database))["app_user"] == []


def _fail(work: Work) -> None:
    store_users(work)
    raise ZeroDivisionError


async def test_remembered_function_needs_a_database_as_migrated(database: Database) -> None:
    await database.command(users)
    with pytest.raises(AssertionError, match="app_user is not as migrated"):
        await database.command(remembered(_one_more_user))
    assert [row["name"] for row in (await rows_of(database))["app_user"]] == ["Ada", "Bo", "Cy", "Dee"]


def _one_more_user(work: Work) -> None:
    ada = work.connection.execute(sa.select(app_user).where(app_user.c.id == 1)).mappings().one()
    values = {name: value for name, value in ada.items() if name != "id"} | {
        "name": "Eve",
        "login": "eve",
        "login_key": "eve",
    }
    work.connection.execute(sa.insert(app_user).values(**values))
