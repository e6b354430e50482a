"""What is compiled for a request, counted: a filter is a parameter, not a plan."""

from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import chain, combinations
from typing import Any, cast

import pytest

from app.core.actor import Actor
from app.selection.compiler import Compiler
from app.selection.sql import SqlCompiler
from tests.graph.exchanges import of, receive, text
from tests.graph.running import Graph, running_graph

pytestmark = pytest.mark.anyio

FILTERS: Mapping[str, Any] = {
    "kinds": ["SESSION", "CONVERSATION"],
    "states": ["OPEN"],
    "labels": ["a", "b"],
    "tags": ["a"],
    "attentionNeeded": False,
    "botActive": True,
    "createdAt": {"since": "2020-01-01T00:00:00Z"},
    "latestMessageAt": {"before": "2030-01-01T00:00:00Z"},
}
NOBODY = Actor(user_id=1, name="Nobody")


@pytest.fixture
async def graph(database_url: str) -> AsyncIterator[Graph]:
    """What another graph has compiled would not be counted."""
    async with running_graph(database_url, own_plans=True) as found:
        yield found


def compiled(graph: Graph) -> SqlCompiler:
    return cast("Compiler", graph.operations.preparer.compiler).sql


def subsets() -> Iterator[dict[str, Any]]:
    names = chain.from_iterable(combinations(FILTERS, size) for size in range(len(FILTERS) + 1))
    return ({name: FILTERS[name] for name in each} for each in names)


async def test_filter_subset_compiles_nothing_when_its_members_are_known(graph: Graph) -> None:
    query = """query($f: InteractionFilter, $after: String) {
      interactions(first: 1, after: $after, filter: $f) {
        totalCount nodes { id messages(first: 1) { totalCount nodes { id } } } pageInfo { endCursor }
      }
      attentionQueue(first: 1, filter: $f) {
        totalCount nodes { id customer { interactions(filter: $f) { totalCount nodes { id } } } }
      }
    }"""
    given = {"system": "SESSION", "phoneNumber": "+4790000001", "customerKey": "key"}
    customer = (await graph.do("createCustomer", given, "customer { id }"))["customer"]["id"]
    await receive(graph, of(customer, "SESSION"), text("hello"))
    found = await graph.read(query)
    after = found["interactions"]["pageInfo"]["endCursor"]
    for name, value in FILTERS.items():
        await graph.read(query, f={name: value})
    await graph.read(query, after=after)
    # Kind and state together are read by another statement than each by itself, and are conditions beside a label.
    # On PostgreSQL, each of these has a plan for all values alone, and one for its values beside another condition.
    alone = (("kinds",), ("states",), ("kinds", "states"))
    for names in (*alone, *((*each, "botActive") for each in alone), ("kinds", "states", "labels")):
        await graph.read(query, f={name: FILTERS[name] for name in names})
    before = compiled(graph).compiled
    statements = set(graph.statements)
    for each in subsets():
        await graph.read(query, f=each)
        await graph.read(query, f=each, after=after)
    assert compiled(graph).compiled == before
    # They are different statements all the same.
    assert len(set(graph.statements) - statements) > 2 * 2 ** len(FILTERS)


async def test_filter_compiles_a_fragment_once_for_all_documents(graph: Graph) -> None:
    for _ in range(2):
        compilations = []
        for number in range(3):
            before = compiled(graph).compiled
            await graph.read(f"query Q{number} {{ interactions(filter: {{states: [OPEN]}}) {{ totalCount }} }}")
            compilations.append(compiled(graph).compiled - before)
    assert compilations == [0, 0, 0]


async def test_list_of_a_caller_without_permissions_compiles_no_statement(graph: Graph) -> None:
    fields = "id customer { id name } messages { nodes { id user { id } } } notes { totalCount }"
    query = f"""{{
      viewer {{ user {{ name }} }}
      interactions {{ nodes {{ {fields} }} edges {{ node {{ {fields} }} }} totalCount pageInfo {{ hasNextPage }} }}
      attentionQueue {{ nodes {{ {fields} }} }}
      chatTopics {{ nodes {{ id }} }}
    }}"""
    before = compiled(graph).compiled
    found = await graph.answer(query, NOBODY)
    assert {error["extensions"]["code"] for error in found["errors"]} <= {"FORBIDDEN"}
    alone = compiled(graph).compiled
    await graph.answer("{ viewer { user { name } } }", NOBODY)
    # What the viewer takes is all that was compiled.
    assert alone - before == compiled(graph).compiled - alone
