"""How many statements an operation takes is a matter of its shape alone, however much it reads."""

from collections.abc import AsyncIterator

import pytest

from tests.graph.chats import request, store_topics
from tests.graph.exchanges import of, receive, text
from tests.graph.filled import Filled
from tests.graph.people import People, store_people
from tests.graph.running import Graph, running_graph

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

PERSON = """
query Person($id: ID!) {
  profile(id: $id) {
    name
    interactions(first: 100, orderBy: {field: CREATED_AT, direction: ASC}) {
      totalCount
      nodes {
        __typename kind state labels
        customer { name system }
        assignee { name }
        attention { needed level reason waitingSeconds claimedBy { name } }
        latestMessage { text sentAt }
        messages(last: 3) { nodes { text author user { name } } }
        notes(first: 1) { nodes { text author { name } } }
        viewerCan { reply claim close }
        ... on Session { sessionKey needAttention tags suggestedMessages { nodes { content } } }
        ... on AgentSession { agentSessionKey metadata agent { name } }
        ... on ChatSession { chatSessionId status topic { name } transferTo { name } }
        ... on Conversation { conversationId channel replyPossible channelAgent { name } }
      }
    }
  }
}
"""

QUERIES = {
    "one read": ('{ interaction(id: "ses_1") { id kind state version customer { name } assignee { name } } }', 1),
    "one of its kind": ("{ conversation(conversationId: 1) { id status user { name } channelAgent { name } } }", 1),
    "inbox page": (
        (
            "{ interactions(first: 50) { nodes { id kind customer { name } assignee { name } attention { level } "
            "messages(last: 5) { nodes { text sentAt user { name } } } } pageInfo { hasNextPage endCursor } } }"
        ),
        2,
    ),
    "flat page": ("{ interactions(first: 20) { nodes { id kind state } } }", 1),
    "counted page": ("{ interactions(first: 20) { totalCount nodes { id } } }", 2),
    "queue": (
        (
            "{ attentionQueue(first: 50) { cursor totalCount nodes { id attention { level since waitingSeconds } "
            "customer { name profile { name } } latestMessage { text } } } }"
        ),
        3,
    ),
    "summary": ("{ attentionSummary(groupBy: REASON) { count oldestSince groups { reason count } } }", 2),
    "summary by assignee": ("{ attentionSummary(groupBy: ASSIGNEE) { groups { assignee { name } count } } }", 3),
    "search": (
        '{ searchMessages(text: "hello", first: 50) { nodes { id text interaction { id customer { name } } } } }',
        1,
    ),
    "chat queue": ("{ chatQueue { nodes { id topic { name queueLength } } } }", 1),
    "customers": ('{ customers(search: "zoe") { totalCount nodes { name profile { name } } } }', 2),
}
"""Each with its number of statements: one a list, one a count, one an edge to many, one for the log's cursor."""


async def counted(graph: Graph, query: str, **variables: object) -> int:
    """The number of statements of a query that was asked before."""
    await graph.read(query, **variables)
    graph.statements.clear()
    await graph.read(query, **variables)
    return len(graph.statements)


@pytest.fixture
async def crowded(database_url: str) -> AsyncIterator[tuple[Graph, People]]:
    """People, a topic, a channel agent and an AI agent, and no interaction yet."""
    async with running_graph(database_url) as graph:
        people = await store_people(graph)
        await store_topics(graph, people)
        await graph.do("createAiAgent", {"name": "Helper", "agentKey": "helper"})
        await graph.do("createChannelAgent", {"channel": "WHATSAPP", "displayId": "+478", "name": "Ours"})
        yield graph, people


async def write_everywhere(graph: Graph, people: People, times: int) -> None:
    """Zoe writes in all four systems."""
    customers = people.customers
    targets = [
        of(customers["zoe_session"], "SESSION"),
        of(customers["zoe_agent"], "AGENT_SESSION", agentKey="helper"),
        of(customers["zoe_chat"], "CHAT_SESSION", chatTopicId="top_1"),
        of(customers["zoe_whatsapp"], "CONVERSATION", channelAgentId="cha_1"),
    ]
    for number in range(times):
        for target in targets:
            await receive(graph, target, text(f"hello {number}"))


async def test_one_query_reads_one_person_in_all_four_systems(crowded: tuple[Graph, People]) -> None:
    graph, people = crowded
    await write_everywhere(graph, people, 1)
    await graph.do("updateSession", {"customerKey": "zoe-key", "needAttention": True, "tags": ["vip"]})
    found = (await graph.read(PERSON, id=people.profiles["zoe"]))["profile"]
    assert found["name"] == "Zoë Straße"
    assert found["interactions"]["totalCount"] == 4
    nodes = {node["kind"]: node for node in found["interactions"]["nodes"]}
    assert {kind: node["__typename"] for kind, node in nodes.items()} == {
        "SESSION": "Session",
        "AGENT_SESSION": "AgentSession",
        "CHAT_SESSION": "ChatSession",
        "CONVERSATION": "Conversation",
    }
    assert {node["messages"]["nodes"][-1]["text"] for node in nodes.values()} == {"hello 0"}
    assert {node["customer"]["system"] for node in nodes.values()} == set(nodes)
    assert nodes["SESSION"]["attention"] == {
        "needed": True,
        "level": "HIGH",
        "reason": "FLAGGED",
        "waitingSeconds": 0,
        "claimedBy": None,
    }
    assert (nodes["SESSION"]["tags"], nodes["AGENT_SESSION"]["agent"]) == (["vip"], {"name": "Helper"})
    assert nodes["CHAT_SESSION"]["topic"] == {"name": "Support"}
    assert (nodes["CONVERSATION"]["channel"], nodes["CONVERSATION"]["replyPossible"]) == ("WHATSAPP", True)


async def test_its_statements_do_not_grow_with_what_it_reads(crowded: tuple[Graph, People]) -> None:
    graph, people = crowded
    await write_everywhere(graph, people, 1)
    few = await counted(graph, PERSON, id=people.profiles["zoe"])
    # The profile; its interactions and their number; messages, notes, and the suggestions of Sessions.
    assert few == 6
    await write_everywhere(graph, people, 10)
    for _ in range(20):
        await request(graph, customerId=people.customers["zoe_chat"])
    found = (await graph.read(PERSON, id=people.profiles["zoe"]))["profile"]["interactions"]
    assert found["totalCount"] >= 24
    assert await counted(graph, PERSON, id=people.profiles["zoe"]) == few


@pytest.mark.parametrize("name", QUERIES)
async def test_statements_of_the_main_queries(filled: Filled, name: str) -> None:
    query, statements = QUERIES[name]
    assert await counted(filled.graph, query) == statements, filled.graph.statements


async def test_a_refusal_at_a_root_field_costs_no_statement(filled: Filled) -> None:
    filled.graph.statements.clear()
    answer = await filled.graph.answer("{ customers { nodes { id } } }", filled.people.actors["eve"])
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert filled.graph.statements == []
