"""What lists are narrowed by is written for what was stored before the migration."""

import pytest
import sqlalchemy as sa

from app.storage.migrations import downgrade, migrate, steps
from tests.graph.filled import fill
from tests.graph.running import running_graph
from tests.storage.test_migrations import on

pytestmark = pytest.mark.anyio


def _facets(connection: sa.Connection) -> list[tuple[object, ...]]:
    rows = connection.execute(
        sa.text("SELECT id, kind, status, channel, account, contract_key FROM interaction ORDER BY id")
    )
    return [tuple(row) for row in rows]


async def test_facets_of_what_was_stored_before_are_as_those_of_today(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_graph(database_url) as graph:
        await fill(graph)
    expected = await on(database_url, _facets)
    assert len({row[1] for row in expected}) == 4
    assert all(row[5] is not None for row in expected)
    assert {str(row[4])[:4] for row in expected} == {"cha_", "aia_", "top_", "None"}
    await on(database_url, lambda connection: downgrade(connection, "0016"))
    monkeypatch.setattr(steps, "AT_ONCE", 3)
    await migrate(database_url)
    assert await on(database_url, _facets) == expected
