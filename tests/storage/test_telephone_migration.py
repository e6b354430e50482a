"""Telephone numbers that were stored before are found as those that are stored today."""

import pytest
import sqlalchemy as sa

from app.storage.migrations import downgrade, migrate
from tests.graph.running import running_graph
from tests.kinds.conftest import store_users
from tests.storage.test_migrations import on

pytestmark = pytest.mark.anyio

SEARCH = "query($text: String!) { customers(search: $text) { totalCount } profiles(search: $text) { totalCount } }"


def _as_before(connection: sa.Connection) -> None:
    """An older version stored the digits alone."""
    downgrade(connection, "0015")
    digits = "' ', '4722123456 ', '5511987654321 '"
    for owner in ("customer", "profile"):
        connection.execute(sa.text(f"DELETE FROM {owner}_word WHERE word NOT IN ({digits})"))


async def test_telephone_numbers_stored_before_the_migration_are_found(database_url: str) -> None:
    async with running_graph(database_url) as graph:
        await graph.database.command(store_users)
        await graph.do("createCustomer", {"system": "SESSION", "phoneNumber": "+47 22 12 34 56"})
        whatsapp = {"system": "CONVERSATION", "channel": "WHATSAPP", "displayId": "5511987654321"}
        await graph.do("createCustomer", whatsapp)
        await graph.do("createProfile", {"name": "Ana", "phoneNumber": "+47 22 12 34 56"})
    await on(database_url, _as_before)
    async with running_graph(database_url) as graph:
        found = await graph.read(SEARCH, text="3456")
        assert (found["customers"]["totalCount"], found["profiles"]["totalCount"]) == (0, 0)
    await migrate(database_url)
    async with running_graph(database_url) as graph:
        found = await graph.read(SEARCH, text="3456")
        assert (found["customers"]["totalCount"], found["profiles"]["totalCount"]) == (1, 1)
        found = await graph.read(SEARCH, text="+55 11 8765-4321")
        assert (found["customers"]["totalCount"], found["profiles"]["totalCount"]) == (1, 0)
