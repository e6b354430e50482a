"""Pages of every connection: both ways over the same items, and steady while others write."""

from typing import Any

import pytest

from tests.graph.exchanges import of, receive, text
from tests.graph.filled import Filled
from tests.graph.forgery import forgeries, odd_places
from tests.graph.orders import orders_of, written
from tests.graph.people import store_people
from tests.graph.running import SCHEMA, Graph

pytestmark = pytest.mark.anyio

PAGE = (
    "{ edges { cursor node { __typename } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }"
)


def connections() -> list[tuple[str, str, str | None]]:
    """Every connection of the graph with each of its orders, as (type, field, order as a document has it)."""
    found: list[tuple[str, str, str | None]] = []
    for name, type_ in sorted(SCHEMA.type_map.items()):
        for field_name, field in getattr(type_, "fields", {}).items():
            if {"first", "last"} <= set(getattr(field, "args", {})):
                orders = [written(order) for order in orders_of(field.args)]
                found += [(name, field_name, each) for each in orders] or [(name, field_name, None)]
    return found


CONNECTIONS = [each for each in connections() if each[0] != "Interaction"]

PARENTS = {
    "Session": "ses_2",
    "AgentSession": "ags_10",
    "ChatSession": "chs_14",
    "Conversation": "cnv_6",
    "ConnectedSystem": "con_1",
    "Destination": "dst_1",
    "Customer": "cus_3",
    "Profile": "prf_1",
    "User": "usr_1",
    "Team": "tea_1",
    "AiAgent": "aia_1",
    "ChatTopic": "top_2",
    "Message": None,
}
"""Of each type one with several items in its connections."""


class Pages:
    """One connection, page by page."""

    def __init__(self, graph: Graph, type_name: str, field: str, order: str | None, parent: str | None, actor: Any):
        self.graph, self.field, self.actor = graph, field, actor
        given = {"orderBy": order, "text": None} if order else {"text": None}
        arguments = SCHEMA.type_map[type_name].fields[field].args  # type: ignore[attr-defined]
        fixed = "".join(
            f", {name}: {value}" if value is not None else f', {name}: "e"'
            for name, value in given.items()
            if name in arguments
        )
        head = "query($first: Int, $after: String, $last: Int, $before: String) "
        inner = f"{field}(first: $first, after: $after, last: $last, before: $before{fixed}) {PAGE}"
        self.path: tuple[str, ...] = (field,)
        if type_name == "Query":
            self.query = f"{head}{{ {inner} }}"
        elif type_name == "Viewer":
            self.query, self.path = f"{head}{{ viewer {{ {inner} }} }}", ("viewer", field)
        elif type_name == "Upstream":
            self.query = f'{head}{{ node(id: "{parent}") {{ ... on Interaction {{ upstream {{ {inner} }} }} }} }}'
            self.path = ("node", "upstream", field)
        else:
            self.query = f'{head}{{ node(id: "{parent}") {{ ... on {type_name} {{ {inner} }} }} }}'
            self.path = ("node", field)

    async def page(self, **arguments: object) -> dict[str, Any]:
        found: Any = await self.graph.read(self.query, self.actor, **arguments)
        for name in self.path:
            found = found[name]
        return dict(found)

    async def forward(self, size: int) -> list[str]:
        cursors: list[str] = []
        after = None
        while True:
            page = await self.page(first=size, after=after)
            own = [edge["cursor"] for edge in page["edges"]]
            cursors += own
            info = page["pageInfo"]
            assert (info["startCursor"], info["endCursor"]) == ((own[0], own[-1]) if own else (None, None))
            assert info["hasPreviousPage"] == (after is not None)
            if not info["hasNextPage"]:
                return cursors
            assert len(own) == size
            after = info["endCursor"]

    async def backward(self, size: int) -> list[str]:
        cursors: list[str] = []
        before = None
        while True:
            page = await self.page(last=size, before=before)
            own = [edge["cursor"] for edge in page["edges"]]
            cursors = own + cursors
            assert page["pageInfo"]["hasNextPage"] == (before is not None)
            if not page["pageInfo"]["hasPreviousPage"]:
                return cursors
            assert len(own) == size
            before = page["pageInfo"]["startCursor"]


@pytest.mark.both_databases
@pytest.mark.parametrize(("type_name", "field", "order"), CONNECTIONS)
async def test_both_ways_lead_over_the_same_items(
    filled: Filled, type_name: str, field: str, order: str | None
) -> None:
    parent = PARENTS.get(type_name)
    if type_name == "Message":
        failed = await filled.graph.read(
            "{ conversation(conversationId: 1) { messages { nodes { id latestError { errorId } } } } }"
        )
        parent = next(each["id"] for each in failed["conversation"]["messages"]["nodes"] if each["latestError"])
    elif type_name == "Upstream":
        parent = filled.conversations[1]
    pages = Pages(filled.graph, type_name, field, order, parent, filled.people.admin)
    whole = await pages.page(first=100)
    cursors = [edge["cursor"] for edge in whole["edges"]]
    assert cursors, "there is nothing to page through"
    assert len(set(cursors)) == len(cursors) == whole["totalCount"]
    for size in (1, 2, 3):
        assert await pages.forward(size) == cursors
        assert await pages.backward(size) == cursors
    assert [edge["cursor"] for edge in (await pages.page(last=100))["edges"]] == cursors
    middle = cursors[len(cursors) // 2]
    after = [edge["cursor"] for edge in (await pages.page(first=100, after=middle))["edges"]]
    before = [edge["cursor"] for edge in (await pages.page(last=100, before=middle))["edges"]]
    assert [*before, middle, *after] == cursors


NEWEST = "{field: LATEST_MESSAGE_AT}"


async def store_many(graph: Graph) -> list[str]:
    """Nine Sessions, a second apart, each of its own customer."""
    await store_people(graph)
    found = []
    for number in range(9):
        given = {"system": "SESSION", "phoneNumber": f"+47{number}000000"}
        customer = (await graph.do("createCustomer", given, "customer { id }"))["customer"]["id"]
        found.append((await receive(graph, of(customer, "SESSION"), text(f"hello {number}")))[0])
        graph.clock.advance(1)
    return found


async def ids_after(graph: Graph, order: str, cursor: str | None) -> tuple[list[str], str]:
    """The next three interactions, and the cursor of the last."""
    page = (
        await graph.read(
            f"query($after: String) {{ interactions(first: 3, after: $after, orderBy: {order}) "
            "{ nodes { id } pageInfo { endCursor } } }",
            after=cursor,
        )
    )["interactions"]
    return [node["id"] for node in page["nodes"]], page["pageInfo"]["endCursor"]


@pytest.mark.both_databases
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_are_steady_while_rows_come(graph: Graph, direction: str) -> None:
    stored = await store_many(graph)
    seen: list[str] = []
    cursor = None
    for number in range(3):
        page, cursor = await ids_after(graph, f"{{field: CREATED_AT, direction: {direction}}}", cursor)
        seen += page
        # One more comes, and one that was read already is touched.
        given = {"system": "SESSION", "phoneNumber": f"+46{number}000000"}
        customer = (await graph.do("createCustomer", given, "customer { id }"))["customer"]["id"]
        await receive(graph, of(customer, "SESSION"), text("new"))
        await graph.do("setLabels", {"id": page[0], "labels": [f"after {number}"]})
        graph.clock.advance(1)
    assert seen == (stored if direction == "ASC" else stored[::-1])


async def test_what_moves_is_met_again_only_where_it_went(graph: Graph) -> None:
    stored = await store_many(graph)
    first, cursor = await ids_after(graph, NEWEST, None)
    assert first == stored[:-4:-1]
    graph.clock.advance(60)
    await receive(graph, {"interactionId": stored[0]}, text("I am first now"))
    await receive(graph, {"interactionId": stored[8]}, text("and I was"))
    second, cursor = await ids_after(graph, NEWEST, cursor)
    third, _ = await ids_after(graph, NEWEST, cursor)
    # What moved up behind the reader's back is not met further down, and nothing else is left out or met twice.
    assert [*second, *third] == [stored[number] for number in (5, 4, 3, 2, 1)]
    again, _ = await ids_after(graph, NEWEST, None)
    assert sorted(again[:2]) == sorted([stored[0], stored[8]])


FORGEABLE = [each for each in CONNECTIONS if each[0] in ("Query", "Viewer", "Profile", "Session")]


@pytest.mark.parametrize(("type_name", "field", "order"), FORGEABLE)
async def test_forged_cursors_are_refused(filled: Filled, type_name: str, field: str, order: str | None) -> None:
    pages = Pages(filled.graph, type_name, field, order, PARENTS.get(type_name), filled.people.admin)
    true = (await pages.page(first=100))["edges"][0]["cursor"]
    accepted = []
    for cursor in forgeries(true):
        answer = await filled.graph.answer(pages.query, filled.people.admin, first=2, after=cursor)
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        if codes not in (["INVALID_CURSOR"], ["INVALID_INPUT"]):
            accepted.append((cursor, codes))
    for cursor in odd_places(true):
        answer = await filled.graph.answer(pages.query, filled.people.admin, last=2, before=cursor)
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        if codes not in ([], ["INVALID_CURSOR"]):
            accepted.append((cursor, codes))
    assert accepted == []


async def test_a_cursor_of_another_connection_or_order_is_refused(filled: Filled) -> None:
    read, admin = filled.graph.read, filled.people.admin
    page = "{ pageInfo { endCursor } }"
    found = await read(
        f"{{ a: interactions(first: 1) {page} "
        f"b: interactions(first: 1, orderBy: {{field: CREATED_AT, direction: ASC}}) {page} "
        f"c: attentionQueue(first: 1) {page} d: customers(first: 1) {page} }}",
        admin,
    )
    for name, each in found.items():
        if name == "a":
            continue
        query = "query($after: String) { interactions(after: $after) { totalCount } }"
        answer = await filled.graph.answer(query, admin, after=each["pageInfo"]["endCursor"])
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_CURSOR"]
