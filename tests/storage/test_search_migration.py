"""Texts that were stored before are found as those that are stored today."""

import pytest
import sqlalchemy as sa

from app.storage.migrations import downgrade, migrate
from tests.graph.running import Graph, running_graph
from tests.kinds.conftest import store_users
from tests.storage.test_migrations import on

pytestmark = pytest.mark.anyio

TEXTS = ("我想要退款", "smørrebrød", "plain words", "がっこう", "?!", "退款 смс")


async def found(graph: Graph, search: str) -> tuple[int, int]:
    data = await graph.read(
        "query($text: String!) { searchMessages(text: $text) { totalCount } customers(search: $text) { totalCount } }",
        text=search,
    )
    return data["searchMessages"]["totalCount"], data["customers"]["totalCount"]


def _as_before(connection: sa.Connection) -> None:
    """What an older version stored: whole words, and other letters."""
    downgrade(connection, "0014")
    add_message = sa.text("INSERT INTO message_search (rowid, words) VALUES (:id, :words)")
    old = {1: "我想要退款", 2: "smørrebrød", 3: "plain words", 4: "かっこう", 6: "退款 смс"}
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text("INSERT INTO message_search (message_search) VALUES ('delete-all')"))
        for number, words in old.items():
            connection.execute(add_message, {"id": number, "words": words})
    for number, words in old.items():
        given = {"id": number, "words": words}
        connection.execute(sa.text("UPDATE message SET words = :words WHERE id = :id"), given)
        connection.execute(sa.text("DELETE FROM customer_word WHERE owner_id = :id"), given)
        for word in (" ", *(f"{word} " for word in words.split())):
            add = sa.text("INSERT INTO customer_word (owner_id, word) VALUES (:id, :word)")
            connection.execute(add, {"id": number, "word": word})


async def test_search_finds_what_was_stored_before_the_migration(database_url: str) -> None:
    async with running_graph(database_url) as graph:
        await graph.database.command(store_users)
        for text in TEXTS:
            made = await graph.do(
                "createCustomer", {"system": "SESSION", "name": text, "tags": [text]}, "customer { id }"
            )
            target = {"customer": {"kind": "SESSION", "customerId": made["customer"]["id"]}}
            await graph.do("receiveMessage", {"target": target, "contents": [{"text": {"content": text}}]})
    await on(database_url, _as_before)
    async with running_graph(database_url) as graph:
        assert await found(graph, "退款") == (1, 1), "the older version finds whole words alone"
    await migrate(database_url)
    async with running_graph(database_url) as graph:
        assert await found(graph, "退款") == (2, 2)
        assert await found(graph, "smorrebrod") == (1, 1)
        assert await found(graph, "plain") == (1, 1)
        assert await found(graph, "がっこう") == (1, 1)
        assert await found(graph, "かっこう") == (0, 0)
        await graph.do("deleteMessage", {"id": "msg_1"})
        assert (await found(graph, "退款"))[0] == 1
