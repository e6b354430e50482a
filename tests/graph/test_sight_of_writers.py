"""Narrowed permissions to write: who sees an interaction changes it as far as the permission goes, and is told so."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from app.core.actor import Actor
from tests.graph.commands import OF_KIND, ON_INTERACTION, received
from tests.graph.exchanges import text
from tests.graph.filled import Filled, fill
from tests.graph.people import KIND_NAMES, reaches
from tests.graph.running import SCHEMA, running_graph
from tests.graph.state import picture_of, rows_of, unchanged

pytestmark = pytest.mark.anyio

WRITER = Actor(
    2,
    "Bo",
    permissions=frozenset(f"{kind}:{part}" for kind in KIND_NAMES for part in ("read:team", "write:own", "claim")),
    teams=frozenset({1}),
)
"""Sees what is of its team and of none; changes its own, and what of its team nobody has."""

SIDES: tuple[tuple[int, int | None], ...] = ((2, None), (2, 2), (0, None), (1, 1), (1, 2), (1, None))
"""Teams, 0 for none, and users to whom it is assigned."""

CAN = frozenset(SCHEMA.type_map["ViewerCan"].fields) - {"replyBlockedBy"}  # type: ignore[attr-defined]
OF_ALL: Mapping[str, str] = {
    "claim": "claimInteraction",
    "release": "releaseInteraction",
    "assign": "assignInteraction",
    "assignTeam": "assignTeam",
    "close": "closeInteraction",
    "reopen": "reopenInteraction",
    "snooze": "snoozeInteraction",
    "unsnooze": "unsnoozeInteraction",
    "label": "addLabels",
    "raiseAttention": "raiseAttention",
    "clearAttention": "clearAttention",
    "acknowledge": "acknowledgeAttention",
    "markRead": "markRead",
    "type": "sendTyping",
    "note": "addNote",
    "resumeBot": "resumeBot",
    "reply": "sendMessage",
}
"""The mutation that each field of `ViewerCan` speaks of."""

OF_ONE: Mapping[str, Mapping[str, str]] = {
    "session": {"update": "updateSession"},
    "agent_session": {"update": "updateAgentSession", "delete": "deleteAgentSession"},
    "chat_session": {
        "update": "updateChatSession",
        "delete": "deleteChatSession",
        "transfer": "transferChatSession",
        "acceptTransfer": "acceptChatTransfer",
        "rejectTransfer": "rejectChatTransfer",
        "cancelTransfer": "cancelChatTransfer",
        "reset": "resetChatSession",
        "rate": "rateChatSession",
    },
    "conversation": {"update": "updateConversation", "delete": "deleteConversation", "restart": "restartConversation"},
}
OTHERWISE = {"clearAttention": {"NOT_CLEARABLE"}, "transfer": {"CONFLICT"}}
"""What may be refused although the interaction would allow it: for what is in it, or for what was given."""


@pytest.fixture(scope="module")
async def world(changing_url: str) -> AsyncIterator[Filled]:
    async with running_graph(changing_url) as graph:
        yield await fill(graph)


def refs(world: Filled) -> Mapping[str, str]:
    """An interaction of each kind that goes on."""
    return {
        "session": world.sessions[0],
        "agent_session": world.agent_sessions[0],
        "chat_session": world.chats[0],
        "conversation": world.conversations[1],
    }


async def put(world: Filled, ref: str, side: tuple[int, int | None]) -> None:
    """Have the interaction belong to the team, and be assigned to the user."""
    team, holder = side
    await world.graph.attempt("reopenInteraction", {"id": ref})
    await world.graph.do("assignTeam", {"id": ref, "teamId": f"tea_{team}" if team else None})
    await world.graph.do("assignInteraction", {"id": ref, "userId": None if holder is None else f"usr_{holder}"})


async def commands(world: Filled, kind: str, ref: str) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """By the field of `ViewerCan` the mutation and its input."""
    rows = (await rows_of(world.graph.database))["message"]
    message = next(f"msg_{row['id']}" for row in rows if f"_{row['interaction_id']}" == ref[3:])
    return {
        **{field: (name, {**ON_INTERACTION[name], "id": ref}) for field, name in OF_ALL.items()},
        **{field: (name, {**OF_KIND[kind][name], "id": ref}) for field, name in OF_ONE[kind].items()},
        "react": ("setReaction", {"id": message, "reaction": "\U0001f600"}),
        "reportStatus": ("reportMessageStatus", {"id": message, "status": "READ"}),
        "receive": ("receiveMessage", {"target": {"interactionId": ref}, "contents": [text("x")]}),
    }


async def can(world: Filled, ref: str) -> Mapping[str, Any] | None:
    """What the writer may do with the interaction; None where it is not seen."""
    query = f"query($id: ID!) {{ interaction(id: $id) {{ viewerCan {{ replyBlockedBy {' '.join(sorted(CAN))} }} }} }}"
    found = (await world.graph.read(query, WRITER, id=ref))["interaction"]
    return None if found is None else found["viewerCan"]


def sides_of(kind: str) -> Iterator[tuple[tuple[int, int | None], bool, bool]]:
    for side in SIDES:
        seen = reaches(WRITER, "read", kind, *side)
        yield side, seen, seen and reaches(WRITER, "write", kind, *side)


def test_writers_commands_are_all_of_what_the_schema_says_may_be_done() -> None:
    own = {field for fields in OF_ONE.values() for field in fields}
    assert {*OF_ALL, *own, "react", "reportStatus", "receive"} == CAN


@pytest.mark.parametrize("kind", KIND_NAMES)
async def test_writers_can_do_what_they_are_told_they_can(world: Filled, kind: str) -> None:
    ref = refs(world)[kind]
    for side, seen, written in sides_of(kind):
        await put(world, ref, side)
        before = None if written else await picture_of(world.graph.database)
        told = await can(world, ref)
        for field, (name, given) in (await commands(world, kind, ref)).items():
            where = (side, field, told)
            assert (told is not None) == seen, where
            if written and field == "delete":
                assert told is not None
                assert told["delete"], where
                continue
            codes = {each["code"] for each in (await world.graph.attempt(name, given, actor=WRITER))["errors"]}
            if not seen:
                assert codes == {"NOT_FOUND"}, where
            elif not written:
                assert told is not None
                assert codes == {"FORBIDDEN"}, where
                assert (told[field], told["replyBlockedBy"]) == (False, "NOT_ALLOWED"), where
            else:
                assert told is not None
                # A reply that would be taken and not arrive is one that nobody is asked to write.
                if told[field] or field != "reply":
                    assert told[field] == (not codes - OTHERWISE.get(field, set())), (*where, codes)
                if not codes:
                    await put(world, ref, side)
                    told = await can(world, ref)
        if before is not None:
            await unchanged(world.graph.database, before)


async def test_writers_open_what_they_may_change_alone(world: Filled) -> None:
    do, attempt = world.graph.do, world.graph.attempt
    for name, team in (("Ours", 1), ("Theirs", 2)):
        topic = (await do("createChatTopic", {"name": name}, "chatTopic { id topicId }"))["chatTopic"]
        await do("updateTeam", {"id": f"tea_{team}", "accountIds": [topic["id"]]})
        for writer in (WRITER, replace(WRITER, permissions=WRITER.permissions | {"chat_session:write"})):
            before = await picture_of(world.graph.database)
            made = await attempt("requestChatSession", {"topicId": topic["topicId"]}, "chatSession { id }", writer)
            if team == 1:
                assert made["chatSession"]["id"].startswith("chs_")
            else:
                assert [each["code"] for each in made["errors"]] == ["FORBIDDEN"]
                await unchanged(world.graph.database, before)


async def test_writers_are_led_by_a_customer_to_what_they_see_alone(world: Filled) -> None:
    (ref,) = [each for each in world.conversations if each == await of_customer(world, "conversation")]
    for side, code in (((2, None), "NOT_FOUND"), ((1, 1), "FORBIDDEN"), ((1, 2), None)):
        await put(world, ref, side)
        found = await world.graph.attempt("receiveMessage", received("conversation"), actor=WRITER)
        assert [each["code"] for each in found["errors"]] == ([] if code is None else [code]), side


async def of_customer(world: Filled, kind: str) -> str:
    """The interaction to which a customer's message of the kind leads."""
    found = await world.graph.do("receiveMessage", received(kind), "interaction { id }")
    return str(found["interaction"]["id"])


async def test_writers_take_the_first_chat_that_they_may_change(world: Filled) -> None:
    query = """{ chatQueue { nodes { id team { id } } } }"""
    waiting = (await world.graph.read(query))["chatQueue"]["nodes"]
    assert {each["team"] and each["team"]["id"] for each in waiting} >= {None, "tea_1"}
    taken = []
    while True:
        found = await world.graph.do("pickUpChatSession", {}, "chatSession { id team { id } }", WRITER)
        if found["chatSession"] is None:
            break
        taken.append(found["chatSession"])
    assert taken
    assert {each["team"]["id"] for each in taken} == {"tea_1"}
    assert None in [each["team"] for each in (await world.graph.read(query))["chatQueue"]["nodes"]]


async def test_writers_give_away_what_they_do_not_see_afterwards(world: Filled) -> None:
    ref = world.conversations[1]
    await put(world, ref, (1, 2))
    gives = "interaction { id }"
    given = {"id": ref, "teamId": "tea_2"}
    assert (await world.graph.do("assignTeam", given, gives, WRITER))["interaction"] is None
    (error,) = (await world.graph.attempt("assignTeam", given, gives, WRITER))["errors"]
    assert error["code"] == "NOT_FOUND"


async def test_writers_of_a_part_change_no_accounts(world: Filled) -> None:
    before = await picture_of(world.graph.database)
    of_accounts = {
        **{name: OF_KIND["agent_session"][name] for name in ("createAiAgent", "updateAiAgent", "deleteAiAgent")},
        **{name: given for name, given in OF_KIND["chat_session"].items() if "Topic" in name},
        **{name: given for name, given in OF_KIND["conversation"].items() if "Agent" in name},
    }
    for name, given in of_accounts.items():
        (error,) = (await world.graph.attempt(name, given, actor=WRITER))["errors"]
        assert error["code"] == "FORBIDDEN", name
    await unchanged(world.graph.database, before)


async def test_holder_who_may_not_change_what_went_to_another_team_lets_go(world: Filled) -> None:
    ref, do = world.conversations[1], world.graph.do
    narrow = ["CONVERSATION_READ", "CONVERSATION_WRITE_TEAM"]
    await do("updateUser", {"id": "usr_4", "permissions": narrow})
    await do("updateTeam", {"id": "tea_1", "memberIds": ["usr_4"]})
    await put(world, ref, (1, 4))
    gives = "interaction { assignee { id } assignableUsers { nodes { id } } }"
    kept = (await do("addLabels", {"id": ref, "labels": ["z"]}, gives))["interaction"]
    assert kept["assignee"] == {"id": "usr_4"}
    assert {"id": "usr_4"} in kept["assignableUsers"]["nodes"]
    moved = (await do("assignTeam", {"id": ref, "teamId": "tea_2"}, gives))["interaction"]
    assert moved["assignee"] is None
    assert {"id": "usr_4"} not in moved["assignableUsers"]["nodes"]
    # Who loses the permission to write what it holds lets go of it in the same moment.
    await put(world, ref, (1, 4))
    await do("updateTeam", {"id": "tea_1", "memberIds": []})
    found = await world.graph.read("query($id: ID!) { interaction(id: $id) { assignee { id } } }", id=ref)
    assert found["interaction"]["assignee"] is None


async def test_chat_is_offered_to_who_sees_it_before_it_is_theirs(world: Filled) -> None:
    do, ref = world.graph.do, world.chats[1]
    await do("updateUser", {"id": "usr_4", "permissions": ["CHAT_SESSION_READ_OWN", "CHAT_SESSION_WRITE"]})
    await do("setPresence", {"present": True, "userId": "usr_4"})
    await put(world, ref, (1, 1))
    (error,) = (await world.graph.attempt("transferChatSession", {"id": ref, "userId": "usr_4"}))["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "userId"])
    await do("updateUser", {"id": "usr_4", "permissions": ["CHAT_SESSION_READ", "CHAT_SESSION_WRITE"]})
    await do("transferChatSession", {"id": ref, "userId": "usr_4"})
