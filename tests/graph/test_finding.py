"""The search for interactions: what finds one, for whom, and how much is looked at."""

import re
import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from app.core.actor import Actor
from app.directory.reads import searching
from tests.graph.exchanges import of, receive, text
from tests.graph.running import ADMIN, Graph

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

SEARCH = """query($text: String!, $filter: InteractionFilter, $first: Int, $after: String) {
  searchInteractions(text: $text, filter: $filter, first: $first, after: $after) {
    totalCount nodes { id } pageInfo { hasNextPage endCursor } } }"""
SESSIONS = Actor(user_id=1, name="Without the directory", permissions=frozenset({"session:read"}))
DIRECTORY = Actor(user_id=1, name="With it", permissions=frozenset({"session:read", "directory:read"}))


async def found(graph: Graph, words: str, actor: Actor = ADMIN, **given: Any) -> list[str]:
    page = (await graph.read(SEARCH, actor, text=words, **given))["searchInteractions"]
    return [node["id"] for node in page["nodes"]]


@pytest.fixture
async def ana(graph: Graph) -> str:
    """The id of a Session of Ana, who wrote."""
    given = {"system": "SESSION", "name": "Ána Gómez", "phoneNumber": "+47 22 12 34 56", "customerKey": "crm-7781"}
    customer = (await graph.do("createCustomer", given, "customer { id }"))["customer"]["id"]
    await receive(graph, of(customer, "SESSION"), text("Where is my parcel, please?"))
    graph.clock.advance(60)
    other = {"system": "SESSION", "name": "Bo Berg", "phoneNumber": "+47 22 99 99 99"}
    customer = (await graph.do("createCustomer", other, "customer { id }"))["customer"]["id"]
    await receive(graph, of(customer, "SESSION"), text("I am not Ana"))
    (session,) = (await graph.read("{ interactions(last: 1) { nodes { id } } }"))["interactions"]["nodes"]
    return str(session["id"])


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("gomez", ["ana"]),
        ("Ána Góm", ["ana"]),
        ("ana", ["bo", "ana"]),
        ("berg ana", []),
        ("+47 22 12 34 56", ["ana"]),
        ("3456", ["ana"]),
        ("456", []),
        ("crm-7781", ["ana"]),
        ("parcel", ["ana"]),
        ("PARC", ["ana"]),
        ("pa", []),
        ("is my pleas", ["ana"]),
        ("parcel gomez", []),
        ("nothing of the kind", []),
    ],
)
async def test_search_finds_interactions_by_customers_and_words(
    graph: Graph, ana: str, words: str, ids: Sequence[str]
) -> None:
    names = {ana: "ana"}
    assert [names.get(each, "bo") for each in await found(graph, words)] == ids


async def test_search_finds_an_interaction_by_its_keys(graph: Graph, ana: str) -> None:
    key = (await graph.read(f'{{ node(id: "{ana}") {{ ... on Session {{ sessionKey }} }} }}'))["node"]["sessionKey"]
    for words in (ana, key, key.upper(), f" #{key} "):
        assert await found(graph, words) == [ana], words
    assert await found(graph, ana.replace("ses_", "cnv_")) == []
    assert await found(graph, key[:-1]) == []


async def test_search_without_the_directory_finds_nobody_by_their_data(graph: Graph, ana: str) -> None:
    for words in ("gomez", "3456", "crm-7781"):
        assert await found(graph, words, SESSIONS) == []
        assert await found(graph, words, DIRECTORY) == [ana]
    assert await found(graph, "parcel", SESSIONS) == [ana]
    assert await found(graph, ana, SESSIONS) == [ana]
    chats = Actor(user_id=1, name="Chats", permissions=frozenset({"chat_session:read", "directory:read"}))
    for words in ("gomez", "parcel", ana):
        assert await found(graph, words, chats) == []


async def test_search_has_pages_a_filter_and_a_count(graph: Graph, ana: str) -> None:
    first = (await graph.read(SEARCH, text="ana", first=1))["searchInteractions"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (2, True)
    assert await found(graph, "ana", first=1, after=first["pageInfo"]["endCursor"]) == [ana]
    assert await found(graph, "ana", filter={"kinds": ["SESSION", "CONVERSATION"]}) != []
    assert await found(graph, "ana", filter={"kinds": ["CONVERSATION"]}) == []
    assert await found(graph, "ana", filter={"kinds": []}) == []


@pytest.mark.parametrize("words", ["", "?!", " # ", " ".join(f"w{number}" for number in range(33))])
async def test_search_for_nothing_or_too_much_is_refused(graph: Graph, words: str) -> None:
    (error,) = (await graph.answer(SEARCH, text=words))["errors"]
    assert error["extensions"] == {"code": "INVALID_INPUT", "argument": ["text"]}


async def test_search_ends_when_it_has_found_enough(graph: Graph, ana: str) -> None:
    text_ = "query($text: String!) { searchInteractions(text: $text) { totalCount } }"
    await graph.read(text_, text="gomez")
    (statement,) = [each for each in graph.statements if "customer_word" in each][-1:]
    for most in (searching.MOST_LOOKED_AT, searching.MOST_CUSTOMERS):
        assert re.search(rf"LIMIT {most}\b", statement)


@pytest.mark.parametrize("actor", [ADMIN, DIRECTORY], ids=["admin", "one kind"])
async def test_search_looks_rows_up_by_what_was_found(graph: Graph, database_url: str, ana: str, actor: Actor) -> None:
    graph.statements.clear()
    assert await found(graph, "gomez", actor, filter={"states": ["OPEN"]}) == [ana]
    statement = graph.statements[0]
    if graph.database.dialect.name == "postgresql":
        assert re.search(r"t1\.id = ANY \(ARRAY\(", statement)
        return
    connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    try:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))]
    finally:
        connection.close()
    assert "SEARCH t1 USING INTEGER PRIMARY KEY (rowid=?)" in steps
    through = ("json_each", "message_search", "SUBQUERY", "SCAN spoken", "SCAN of_", "SCAN named")
    assert [step for step in steps if step.startswith("SCAN") and not any(each in step for each in through)] == []
    assert not any("ix_interaction_part" in step for step in steps)
