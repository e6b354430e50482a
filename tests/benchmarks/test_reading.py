"""How SQLite reads many interactions: by a key, or by an index with the order, never all of a kind."""

import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from app.core.actor import Actor
from benchmarks.bulk.loading import load_bulk
from tests.graph.running import Graph, running_graph

pytestmark = pytest.mark.anyio

ADMIN = Actor(user_id=1, name="Admin", is_admin=True)
READER = Actor(user_id=2, name="Reader", permissions=frozenset({"session:read", "conversation:read"}))

NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Session { version tags } } }"
SAID = 'query { searchMessages(text: "order", first: 5) { nodes { id interaction { id state } } } }'
UPDATE = (
    "mutation($input: UpdateSessionInput!) "
    "{ updateSession(input: $input) { session { id tags topics version } errors { code } } }"
)
INBOX = """{ attentionQueue(first: 5) { nodes {
    id customer { name } messages(last: 5) { nodes { id text sentAt } } } } }"""


@pytest.fixture
async def graph(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Graph]:
    path = tmp_path / "read.db"
    shutil.copyfile(sqlite_template, path)
    async with running_graph(f"sqlite:///{path}") as found:
        await load_bulk(found.database, 300)
        found.statements.clear()
        yield found


@pytest.mark.parametrize("actor", [ADMIN, READER], ids=["admin", "reader"])
@pytest.mark.parametrize(
    ("document", "variables", "statements"),
    [
        (NODES, {"ids": ["ses_1", "ses_5"]}, 1),
        (SAID, {}, 1),
        (INBOX, {}, 2),
    ],
    ids=["nodes", "search", "inbox"],
)
async def test_a_query_finds_its_rows(
    graph: Graph, tmp_path: Path, actor: Actor, document: str, variables: Mapping[str, object], statements: int
) -> None:
    await graph.read(document, actor, **variables)

    assert len(graph.statements) == statements
    assert _looked_through(tmp_path / "read.db", graph.statements) == []


async def test_a_payload_finds_its_rows(graph: Graph, tmp_path: Path) -> None:
    found = await graph.answer(UPDATE, ADMIN, input={"id": "ses_1", "tags": ["new"]})

    assert found["data"]["updateSession"]["session"]["tags"] == ["new"]
    read = [statement for statement in graph.statements if statement.startswith("SELECT")]
    assert len(read) == 2
    assert _looked_through(tmp_path / "read.db", read) == []


def _looked_through(path: Path, statements: list[str]) -> list[str]:
    """The steps of SQLite's plans that go through a table, or through all rows of a kind."""
    connection = sqlite3.connect(path)
    try:
        steps = [
            row[3]
            for statement in statements
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))
        ]
    finally:
        connection.close()
    return [
        step
        for step in steps
        if re.search(r"ix_interaction_part_\w+ \(kind=\?\)$", step)
        or (
            step.startswith("SCAN")
            and not step.endswith(("CONSTANT ROW", "page", "each_kinds", "each_states"))
            and "VIRTUAL TABLE" not in step
            and "USING INDEX" not in step
        )
    ]
