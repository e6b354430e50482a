"""What is held to be unchanged is so, whoever has changed something."""

import pytest

from app.storage.database import Work
from tests.graph.running import Graph, open_graph
from tests.graph.state import picture_of, sizes_of, unchanged
from tests.kinds.conftest import store_users

pytestmark = pytest.mark.anyio


def rename(work: Work) -> None:
    work.connection.exec_driver_sql("UPDATE app_user SET name = 'Zoe' WHERE id = 1")


def rename_in_vain(work: Work) -> None:
    rename(work)
    raise RuntimeError


async def test_state_is_unchanged_by_what_is_undone_alone(graph: Graph, database_url: str) -> None:
    before = await picture_of(graph.database)
    assert (await sizes_of(graph.database))["app_user"] == 0
    await graph.database.command(store_users)
    assert (await sizes_of(graph.database))["app_user"] == 4
    with pytest.raises(AssertionError, match="app_user has changed"):
        await unchanged(graph.database, before)
    before = await picture_of(graph.database)
    with pytest.raises(RuntimeError):
        await graph.database.command(rename_in_vain)
    await unchanged(graph.database, before)
    before = await picture_of(graph.database)  # or what was undone would be counted as a change
    other = await open_graph(database_url)
    try:
        await other.database.command(rename)
    finally:
        await other.database.close()
    with pytest.raises(AssertionError, match="app_user has changed"):
        await unchanged(graph.database, before)
