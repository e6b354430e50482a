"""What an actor may not see is not there, through whichever door it is looked for; what it may not do is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLNonNull

from app.core.actor import Actor
from app.registry import KINDS, PERMISSIONS
from app.storage.database import Work
from app.storage.event_log import Cursor, lane_count
from tests.graph.commands import (
    CONNECTIONS,
    DESTINATIONS,
    DIRECTORY,
    OF_KIND,
    ON_INTERACTION,
    ON_MESSAGE,
    ON_NOTE,
    ONES_OWN,
    OUTBOX,
    TEAMS,
    received,
)
from tests.graph.filled import Filled
from tests.graph.running import SCHEMA
from tests.graph.state import picture_of, rows_of, unchanged

pytestmark = pytest.mark.anyio

NAMES = [kind.name for kind in KINDS]
SATELLITES = {
    "session": ["sug_1"],
    "agent_session": ["aia_1", "aia_2"],
    "chat_session": ["top_1", "top_2", "tpm_1"],
    "conversation": ["cha_1", "cha_2"],
}
"""What belongs to a kind beside its interactions."""


def without(*missing: str) -> Actor:
    """Bo with every permission but some, and their narrower forms."""
    held = {each for each in PERMISSIONS if not any(each == gone or each.startswith(f"{gone}:") for gone in missing)}
    return Actor(user_id=2, name="Bo", permissions=frozenset(held), key_id=2)


def texts(value: Any) -> Iterator[str]:
    """Every text of an answer."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


async def kept_of(filled: Filled, kind: str) -> tuple[list[str], list[str], list[str]]:
    """The ids of a kind's interactions, of their messages and of their notes."""
    rows = await rows_of(filled.graph.database)
    prefix = next(each.prefix for each in KINDS if each.name == kind)
    return (
        [f"{prefix}_{row['id']}" for row in rows["interaction"] if row["kind"] == kind],
        [f"msg_{row['id']}" for row in rows["message"] if row["kind"] == kind],
        [f"not_{row['id']}" for row in rows["note"] if row["kind"] == kind],
    )


@pytest.mark.parametrize("kind", NAMES)
async def test_a_kind_that_may_not_be_read_is_nowhere(filled: Filled, kind: str) -> None:
    ask = filled.graph.read
    actor, admin = without(f"{kind}:read"), filled.people.admin
    interactions, messages, notes = await kept_of(filled, kind)
    hidden = [*interactions, *messages, *notes, *SATELLITES[kind]]
    assert all((interactions, messages, notes))

    assert (await ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", actor, ids=hidden))["nodes"] == [None] * len(
        hidden
    )
    for each in hidden:
        assert await ask("query($id: ID!) { node(id: $id) { id } }", actor, id=each) == {"node": None}
    for each in interactions:
        assert await ask("query($id: ID!) { interaction(id: $id) { id } }", actor, id=each) == {"interaction": None}

    everything = (
        "totalCount nodes { id kind messages(first: 5) { nodes { id } } latestMessage { id } latestNote { id } }"
    )
    for query in (
        f"{{ interactions(first: 50) {{ {everything} }} }}",
        f"{{ attentionQueue(first: 50) {{ {everything} }} }}",
        f"{{ customers(first: 50) {{ nodes {{ interactions(first: 5) {{ {everything} }} }} }} }}",
        f"{{ profiles {{ nodes {{ interactions(first: 9) {{ {everything} }} customers {{ nodes {{ id }} }} }} }} }}",
        '{ searchMessages(text: "e", first: 100) { totalCount nodes { id interaction { id kind } } } }',
        '{ searchMessages(text: "hello", first: 100) { totalCount nodes { id interaction { id kind } } } }',
    ):
        seen, all_ = await ask(query, actor), await ask(query, admin)
        assert not {*hidden, kind.upper()} & set(texts(seen)), query
        assert {*texts(all_)} - {*texts(seen)} or "searchMessages" in query, query
    of_kind = f"filter: {{kinds: [{kind.upper()}]}}"
    for query in (
        f"{{ all: interactions({of_kind}) {{ totalCount nodes {{ id }} }} }}",
        f"{{ all: attentionQueue({of_kind}) {{ totalCount nodes {{ id }} }} }}",
        f'{{ all: searchMessages(text: "e", kinds: [{kind.upper()}]) {{ totalCount nodes {{ id }} }} }}',
    ):
        assert (await ask(query, actor))["all"] == {"totalCount": 0, "nodes": []}

    counted = await ask("{ interactions { totalCount } attentionQueue { totalCount } }", actor)
    complete = await ask("{ interactions { totalCount } attentionQueue { totalCount } }", admin)
    assert counted["interactions"]["totalCount"] == complete["interactions"]["totalCount"] - len(interactions)
    for grouping in ("KIND", "REASON", "LEVEL", "ASSIGNEE"):
        summary = await ask(f"{{ attentionSummary(groupBy: {grouping}) {{ count groups {{ kind count }} }} }}", actor)
        assert summary["attentionSummary"]["count"] == counted["attentionQueue"]["totalCount"]
        assert kind.upper() not in set(texts(summary))


async def log_of(filled: Filled, actor: Actor) -> list[dict[str, Any]]:
    """Every event that the actor may see, page by page."""

    def start(work: Work) -> str:
        return str(Cursor.start(lane_count(work.connection)))

    after, found, more = await filled.graph.database.command(start), [], True
    while more:
        page = (
            await filled.graph.read(
                "query($after: String) { events(after: $after, first: 50) { cursor hasMore events { topic kind "
                "interaction { id } message { id } note { id } } } }",
                actor,
                after=after,
            )
        )["events"]
        after, more = page["cursor"], page["hasMore"]
        found += page["events"]
    return found


async def test_events_are_told_to_who_may_see_what_they_are_about(filled: Filled) -> None:
    everything = await log_of(filled, filled.people.admin)
    rows = await rows_of(filled.graph.database)
    assert len(everything) == len(rows["event_log"])
    for kind in NAMES:
        seen = await log_of(filled, without(f"{kind}:read"))
        assert len(seen) == sum(event["kind"] != kind.upper() for event in everything)
        assert {event["kind"] for event in seen} == {None, *(name.upper() for name in NAMES if name != kind)}
        hidden = {each for some in await kept_of(filled, kind) for each in some}
        assert not hidden & set(texts(seen))
    assert await log_of(filled, filled.people.actors["eve"]) == []
    # Who signed in, and what was refused to whom, is for who manages users.
    unmanaged = await log_of(filled, without("users:manage"))
    audit = {"USER_SIGNED_IN", "USER_REFUSED"}
    assert audit <= {event["topic"] for event in everything}
    assert unmanaged == [event for event in everything if event["topic"] not in audit]


async def test_root_fields_about_one_kind_are_forbidden_without_its_permission(filled: Filled) -> None:
    wanted = {
        "session": ('session(sessionKey: "00000000-0000-7000-8000-000000000001")', 'currentSession(customerKey: "x")'),
        "agent_session": (
            'agentSession(agentKey: "agt_other", agentSessionKey: "x")',
            'aiAgent(agentKey: "agt_other")',
            "aiAgents",
        ),
        "chat_session": ("chatSession(chatSessionId: 1)", "chatQueue", 'chatTopic(id: "top_1")', "chatTopics"),
        "conversation": ("conversation(conversationId: 1)", 'channelAgent(id: "cha_1")', "channelAgents"),
        "directory": ('customer(id: "cus_1")', "customers", 'profile(id: "prf_1")', "profiles"),
    }
    roots = {name for slice_ in KINDS for name, root in slice_.slice.roots.items() if getattr(root, "requires", None)}
    assert roots == {root.split("(")[0] for kind in NAMES for root in wanted[kind]}
    for kind, fields in wanted.items():
        for field in fields:
            plural = (field.rstrip("s") != field and "(" not in field) or field == "chatQueue"
            name = field.split("(")[0]
            query = f'{{ {field} {"{ totalCount }" if plural else "{ id }"} node(id: "usr_1") {{ id }} }}'
            answer = await filled.graph.answer(query, without(f"{kind}:read"))
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"], query
            assert answer["data"] == {name: None, "node": {"id": "usr_1"}}
            assert "errors" not in await filled.graph.answer(query, without()), query


async def test_settings_are_read_with_their_own_permission_alone(filled: Filled) -> None:
    query = "{ settings { name value isSecret isSet source } }"
    refused = await filled.graph.answer(query, without("settings:read"))
    assert refused["data"] == {"settings": None}
    assert [each["extensions"]["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    only = Actor(user_id=2, name="Bo", permissions=frozenset({"settings:read"}), key_id=2)
    found = {each["name"]: each for each in (await filled.graph.read(query, only))["settings"]}
    port = found["SWITCHBOARD_PORT"]
    assert (port["value"], port["isSecret"], port["isSet"], port["source"]) == ("8000", False, True, "DEFAULT")
    assert all(each["value"] is None for each in found.values() if each["isSecret"])


def test_root_fields_of_queries_are_nullable() -> None:
    assert SCHEMA.query_type is not None
    assert [name for name, field in SCHEMA.query_type.fields.items() if isinstance(field.type, GraphQLNonNull)] == []


async def test_every_command_is_known_to_these_tests() -> None:
    own = {name for commands in OF_KIND.values() for name in commands}
    of_slices = {*CONNECTIONS, *DESTINATIONS, *DIRECTORY, *OUTBOX, *TEAMS}
    known = {*ON_INTERACTION, *ON_MESSAGE, *ON_NOTE, *own, *of_slices, *ONES_OWN, "receiveMessage"}
    assert SCHEMA.mutation_type is not None
    assert known == set(SCHEMA.mutation_type.fields)


@pytest.mark.parametrize("kind", NAMES)
async def test_commands_need_the_permission_to_write(filled: Filled, kind: str) -> None:
    reader, blind = without(f"{kind}:write"), without(f"{kind}:write", f"{kind}:read")
    interactions, messages, notes = await kept_of(filled, kind)
    before = await picture_of(filled.graph.database)
    commands = [
        *((name, {"id": interactions[0], **given}) for name, given in ON_INTERACTION.items()),
        *((name, {"id": messages[0], **given}) for name, given in ON_MESSAGE.items()),
        *((name, {"id": notes[0], **given}) for name, given in ON_NOTE.items()),
        *OF_KIND[kind].items(),
        *(OUTBOX.items() if kind == "conversation" else ()),
        ("receiveMessage", received(kind)),
    ]
    # What a kind does not know at all, or its state refuses, may be said before who asks is looked at.
    instead = {"NOT_SUPPORTED", "INVALID_TRANSITION", "DISABLED"}
    for name, given in commands:
        for actor, codes in ((reader, {"FORBIDDEN"}), (blind, {"FORBIDDEN", "NOT_FOUND"})):
            (error,) = (await filled.graph.attempt(name, given, actor=actor))["errors"]
            allowed = codes | instead if name not in OF_KIND[kind] and actor is reader else codes
            assert error["code"] in allowed, (name, given, error)
    await unchanged(filled.graph.database, before)


async def test_commands_without_a_kind_need_their_permissions(filled: Filled) -> None:
    before = await picture_of(filled.graph.database)
    commands = {
        **DIRECTORY,
        **{name: ("teams:manage", given) for name, given in TEAMS.items()},
        **{name: ("connections:manage", given) for name, given in CONNECTIONS.items()},
        **{name: ("destinations:manage", given) for name, given in DESTINATIONS.items()},
    }
    for name, (permission, given) in commands.items():
        (error,) = (await filled.graph.attempt(name, given, actor=without(permission)))["errors"]
        assert error["code"] == "FORBIDDEN", (name, error)
    nobody = filled.people.actors["eve"]
    (error,) = (await filled.graph.attempt("setPresence", {"present": True, "userId": "usr_2"}, actor=nobody))["errors"]
    assert error["code"] == "FORBIDDEN"
    (error,) = (await filled.graph.attempt("revokeApiKey", {"id": "key_2"}, actor=nobody))["errors"]
    assert error["code"] == "NOT_FOUND"
    await unchanged(filled.graph.database, before)


async def test_contact_data_is_for_readers_of_the_directory_alone(filled: Filled) -> None:
    query = """{ interactions(first: 100) { nodes { customer { name email phoneNumber tags card displayId
        profile { name email phoneNumber custom1 customers { totalCount } } } assignee { name email roles } } } }"""
    seen = (await filled.graph.read(query, without("directory:read")))["interactions"]["nodes"]
    customers = [each["customer"] for each in seen if each["customer"] is not None]
    assert any(customer["name"] == "Zoë Straße" for customer in customers)
    for customer in customers:
        assert [customer[name] for name in ("email", "phoneNumber", "tags", "card", "displayId")] == [None] * 5
        if customer["profile"] is not None:
            assert customer["profile"]["name"]
            contact = [customer["profile"][name] for name in ("email", "phoneNumber", "custom1", "customers")]
            assert contact == [None] * 4
    for user in (each["assignee"] for each in seen if each["assignee"] is not None):
        assert user["name"]
        assert user["email"] is user["roles"] is None
