"""Attacks by the text of documents."""

from functools import partial
from random import Random

from graphql import get_introspection_query

from tests.soak.hostile.target import Hostile
from tests.soak.hostile.wire import post, request

_SELECTIONS = (
    "id",
    "kind",
    "state",
    "version",
    "labels",
    "botActive",
    "createdAt",
    "updatedAt",
    "latestMessageAt",
    "unreadCustomerMessagesCount",
    "attention { level reason since needed }",
    "assignee { id name }",
    "customer { id name system }",
    "latestMessage { id author text sentAt }",
    "latestCustomerMessage { id text sentAt }",
    "latestNote { id text }",
    "viewers { user { id } }",
    "messages(first: 1) { nodes { id text sentAt } }",
    "notes(first: 1) { nodes { id text } }",
    "history(first: 1) { nodes { at topic } }",
    "... on Session { tags topics sessionKey }",
    "... on Conversation { status channel replyUntil conversationId }",
    "... on ChatSession { chatStatus: status rank chatSessionId topicId }",
    "... on AgentSession { name enabled agentKey }",
)
_FILTERS = {
    "kinds": "[SESSION, CONVERSATION]",
    "states": "[OPEN]",
    "levels": "[HIGH, LOW]",
    "reasons": "[]",
    "labels": '["a"]',
    "tags": '["b"]',
    "topics": '["c"]',
    "attentionNeeded": "true",
    "botActive": "false",
    "customerId": '"cus_1"',
    "assignee": "{assigned: true}",
    "createdAt": '{since: "2026-01-01T00:00:00Z"}',
    "updatedAt": '{since: "2026-01-01T00:00:00Z"}',
    "latestMessageAt": '{before: "2036-01-01T00:00:00Z"}',
}


async def wide_documents_4(to: Hostile) -> None:
    """Wide documents without any permission, each a new one, over 4 connections."""
    await to.flood(_wide(to.target.nobody), lines=4)


async def wide_documents_32(to: Hostile) -> None:
    """The same over 32 connections."""
    await to.flood(_wide(to.target.nobody), lines=32)


async def filter_subsets(to: Hostile) -> None:
    """One list with another set of filters every time, by a caller with all permissions."""
    random = Random(1)

    def make(_: int) -> bytes:
        chosen = random.sample(sorted(_FILTERS), random.randint(4, 10))
        given = ", ".join(f"{name}: {_FILTERS[name]}" for name in chosen)
        selected = " ".join(random.sample(_SELECTIONS, 6))
        return post(
            f"{{ interactions(first: 1, filter: {{{given}}}) {{ nodes {{ {selected} }} }} }}", key=to.target.able
        )

    await to.flood(make, lines=4)


async def filter_variables(to: Hostile) -> None:
    """The same sets of filters as the value of a variable of one document."""
    random = Random(2)
    values: dict[str, object] = {
        "kinds": ["SESSION"],
        "states": ["OPEN"],
        "levels": ["HIGH"],
        "labels": ["a"],
        "tags": ["b"],
        "topics": ["c"],
        "attentionNeeded": True,
        "botActive": False,
        "customerId": "cus_1",
        "assignee": {"assigned": True},
        "createdAt": {"since": "2026-01-01T00:00:00Z"},
        "updatedAt": {"since": "2026-01-01T00:00:00Z"},
    }
    document = "query($filter: InteractionFilter) { interactions(first: 1, filter: $filter) { nodes { id } } }"

    def make(_: int) -> bytes:
        chosen = random.sample(sorted(values), random.randint(2, 10))
        return post(document, {"filter": {name: values[name] for name in chosen}}, key=to.target.able)

    await to.flood(make, lines=4)


async def unknown_fields(to: Hostile) -> None:
    """Documents with 1,000 fields that are misspelt by a letter, each a new one."""

    def make(number: int) -> bytes:
        fields = " ".join(f"interaction{'s' * (place % 3)}{number}x{place}" for place in range(1_000))
        return post(f"{{ {fields} }}", key=to.target.nobody)

    await to.flood(make, lines=4)


async def broken_documents(to: Hostile) -> None:
    """Documents of 64 KB that end in a fault of syntax, each a new one."""

    def make(number: int) -> bytes:
        return post(f"query Q{number} {{ " + "viewer { user { id } } " * 2_500 + "(", key=to.target.nobody)

    await to.flood(make, lines=4)


async def introspections(to: Hostile) -> None:
    """The standard introspection under a new name every time."""
    standard = get_introspection_query()

    def make(number: int) -> bytes:
        return post(standard.replace("IntrospectionQuery", f"Introspection{number}"), key=to.target.nobody)

    await to.flood(make, lines=4)


async def descriptions(to: Hostile) -> None:
    """The descriptions of the four contracts, without a pause."""
    made = [request("GET", f"/{base}/openapi.json", key=to.target.nobody) for base in ("v1", "v2", "api/v1")]
    await to.flood(lambda number: made[number % len(made)], lines=8)


def _wide(key: str) -> "partial[bytes]":
    return partial(_wide_document, key, Random(3))


def _wide_document(key: str, random: Random, number: int) -> bytes:
    """A document near every limit: 45 root fields, some 1,800 selections."""
    roots = (
        f"r{number}x{root}: interactions(first: 1) {{ nodes {{ {' '.join(random.sample(_SELECTIONS, 10))} }} }}"
        for root in range(45)
    )
    return post(f"{{ {' '.join(roots)} }}", key=key)
