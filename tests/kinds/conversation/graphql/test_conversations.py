"""Conversations and channel agents as clients of the graph see them; first of all the contract's own example."""

from typing import Any

import pytest

from app.core.ids import GlobalId
from app.interactions.service.deliveries import set_reaction
from app.interactions.service.messages import mark_read, send_message
from app.interactions.service.notes import add_note
from app.kinds.conversation.service import open_for
from tests.conftest import ManualClock
from tests.graph.running import Graph
from tests.kinds.conftest import ADA, BO, CY, DEE
from tests.kinds.conversation.conftest import Desk, receive, ref

pytestmark = pytest.mark.anyio

START = "2026-01-05T09:00:00.000000Z"
DAY_LATER = "2026-01-06T09:00:00.000000Z"
DAY = 86_400

EVERYTHING = """
  id kind state version conversationId createdAt updatedAt channel status snoozeUntil
  channelAgent { id channel displayId name inSync unreadConversationsCount version createdAt updatedAt }
  customer { id channel displayId name profile { id name } }
  user { id name } assignee { id }
  latestMessage { ...message } latestCustomerMessage { ...message } latestNote { id text createdAt updatedAt }
  lastCustomerReplyFrom unreadCustomerMessagesCount replyUntil replyPossible customerInteractionRequired
  attention { needed reason reasons level since deadline }
"""
MESSAGE = """
fragment message on Message {
  id messageId author source user { id } status text agentReaction customerReaction sentAt
  contents { __typename ... on TextMessageContent { content } }
  reference { id } latestError { type originalMessage createdAt } campaign { campaignId name }
}
"""


async def test_the_example_of_the_page(graph: Graph, clock: ManualClock, desk: Desk) -> None:
    """PATCH of `status` and `user_id`, read back with every field of the contract's Conversation."""
    number, first = await receive(graph.database, desk.ana, desk.whatsapp)
    clock.advance(60)
    await graph.database.command(set_reaction, BO, GlobalId("msg", first), "👍")
    noted = await graph.database.command(add_note, BO, ref(number), "Call back")
    reply = {"type": "text", "content": "On its way."}
    sent = await graph.database.command(send_message, BO, ref(number), reply, reference=GlobalId("msg", first))
    given = {"id": f"cnv_{number}", "status": "IN_PROGRESS", "userId": "usr_3", "ifVersion": 1}
    given |= {"clientMutationId": "mine"}
    document = f"""mutation($input: UpdateConversationInput!) {{
      updateConversation(input: $input) {{
        conversation {{ {EVERYTHING} }} errors {{ code message path }} clientMutationId
      }}
    }} {MESSAGE}"""
    changed = (await graph.read(document, BO, input=given))["updateConversation"]
    assert changed["errors"] == []
    assert changed["clientMutationId"] == "mine"
    a_minute_later = "2026-01-05T09:01:00.000000Z"
    expected = {
        "id": f"cnv_{number}",
        "kind": "CONVERSATION",
        "state": "OPEN",
        "version": 2,
        "conversationId": 1,
        "createdAt": START,
        "updatedAt": a_minute_later,
        "channel": "WHATSAPP",
        "status": "IN_PROGRESS",
        "snoozeUntil": None,
        "channelAgent": {
            "id": f"cha_{desk.whatsapp}",
            "channel": "WHATSAPP",
            "displayId": "4915223567929",
            "name": "WHATSAPP account",
            "inSync": True,
            "unreadConversationsCount": 0,
            "version": 1,
            "createdAt": START,
            "updatedAt": START,
        },
        "customer": {
            "id": f"cus_{desk.ana}",
            "channel": "WHATSAPP",
            "displayId": None,
            "name": "Ana",
            "profile": None,
        },
        "user": {"id": "usr_3", "name": "Cy"},
        "assignee": {"id": "usr_3"},
        "latestMessage": {
            "id": f"msg_{sent.message}",
            "messageId": sent.message,
            "author": "USER",
            "source": "USER",
            "user": {"id": "usr_2"},
            "status": "CREATED",
            "text": "On its way.",
            "agentReaction": None,
            "customerReaction": None,
            "sentAt": a_minute_later,
            "contents": [{"__typename": "TextMessageContent", "content": "On its way."}],
            "reference": {"id": f"msg_{first}"},
            "latestError": None,
            "campaign": None,
        },
        "latestCustomerMessage": {
            "id": f"msg_{first}",
            "messageId": first,
            "author": "CUSTOMER",
            "source": "USER",
            "user": None,
            "status": "READ",
            "text": "Where is my parcel?",
            "agentReaction": "👍",
            "customerReaction": None,
            "sentAt": START,
            "contents": [{"__typename": "TextMessageContent", "content": "Where is my parcel?"}],
            "reference": None,
            "latestError": None,
            "campaign": None,
        },
        "latestNote": {
            "id": f"not_{noted.note}",
            "text": "Call back",
            "createdAt": a_minute_later,
            "updatedAt": a_minute_later,
        },
        "lastCustomerReplyFrom": START,
        "unreadCustomerMessagesCount": 0,
        "replyUntil": DAY_LATER,
        "replyPossible": True,
        "customerInteractionRequired": False,
        "attention": {
            "needed": False,
            "reason": None,
            "reasons": [],
            "level": None,
            "since": None,
            "deadline": None,
        },
    }
    assert changed["conversation"] == expected
    read = f"query {{ conversation(conversationId: 1) {{ {EVERYTHING} }} }} {MESSAGE}"
    assert (await graph.read(read, BO))["conversation"] == expected


async def test_an_absent_field_stays_and_null_unassigns(graph: Graph, desk: Desk) -> None:
    number, _ = await receive(graph.database, desk.ana, desk.whatsapp)
    gives = "conversation { status user { id } }"
    first = await graph.do("updateConversation", {"id": f"cnv_{number}", "userId": "usr_2"}, gives, BO)
    assert first["conversation"] == {"status": "TO_DO", "user": {"id": "usr_2"}}
    second = await graph.do("updateConversation", {"id": f"cnv_{number}", "status": "DONE"}, gives, BO)
    assert second["conversation"] == {"status": "DONE", "user": {"id": "usr_2"}}
    third = await graph.do("updateConversation", {"id": f"cnv_{number}", "userId": None}, gives, BO)
    assert third["conversation"] == {"status": "DONE", "user": None}


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"id": "cnv_999", "status": "DONE"}, "NOT_FOUND", ["input", "id"]),
        ({"id": "ses_1", "status": "DONE"}, "INVALID_INPUT", ["input", "id"]),
        ({"id": "nonsense", "status": "DONE"}, "NOT_FOUND", ["input", "id"]),
        ({"status": "DONE", "userId": "usr_999"}, "INVALID_INPUT", ["input", "userId"]),
        ({"status": "DONE", "userId": "cus_1"}, "INVALID_INPUT", ["input", "userId"]),
        ({"status": "DONE", "ifVersion": 7}, "VERSION_CONFLICT", ["input", "ifVersion"]),
    ],
)
async def test_refused_updates(graph: Graph, desk: Desk, given: dict[str, Any], code: str, path: list[str]) -> None:
    number, _ = await receive(graph.database, desk.ana, desk.whatsapp)
    refused = await graph.attempt("updateConversation", {"id": f"cnv_{number}", **given}, "conversation { id }", BO)
    assert refused["conversation"] is None
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [(code, path)]
    found = await graph.read("{ conversation(conversationId: 1) { status version } }", BO)
    assert found["conversation"] == {"status": "TO_DO", "version": 1}


async def test_a_reply_is_possible_as_time_goes_by(graph: Graph, clock: ManualClock, desk: Desk) -> None:
    number, _ = await receive(graph.database, desk.ana, desk.whatsapp)
    await receive(graph.database, desk.wim, desk.widget)
    apart = await graph.database.command(open_for, BO, desk.ana, desk.apart)
    document = """{
      whatsapp: conversation(conversationId: 1) { replyPossible replyUntil viewerCan { restart reply } }
      widget: conversation(conversationId: 2) { replyPossible replyUntil viewerCan { restart reply } }
      apart: conversation(conversationId: 3) { replyPossible }
    }"""
    assert apart.conversation_id == 3
    clock.advance(DAY - 1)
    assert await graph.read(document, BO) == {
        "whatsapp": {
            "replyPossible": True,
            "replyUntil": DAY_LATER,
            "viewerCan": {"restart": False, "reply": True},
        },
        "widget": {"replyPossible": True, "replyUntil": None, "viewerCan": {"restart": False, "reply": True}},
        "apart": {"replyPossible": False},
    }
    clock.advance(1)
    found = await graph.read(document, BO)
    assert found["whatsapp"]["replyPossible"] is False
    assert found["whatsapp"]["viewerCan"] == {"restart": True, "reply": False}
    gives = "conversation { replyPossible replyUntil customerInteractionRequired } message { status text }"
    restarted = await graph.do("restartConversation", {"id": f"cnv_{number}", "text": "Shall we go on?"}, gives, BO)
    assert restarted["conversation"] == {
        "replyPossible": False,
        "replyUntil": "2026-01-07T09:00:00.000000Z",
        "customerInteractionRequired": True,
    }
    assert restarted["message"] == {"status": "CREATED", "text": "Shall we go on?"}


async def test_what_the_caller_may_do(graph: Graph, desk: Desk) -> None:
    await receive(graph.database, desk.ana, desk.whatsapp)
    document = """{ conversation(conversationId: 1) { viewerCan {
      claim release assign close reopen snooze unsnooze reply receive markRead note react reportStatus update transfer
      reset rate restart delete
    } } }"""
    may = (await graph.read(document, BO))["conversation"]["viewerCan"]
    refused = {"release", "reopen", "unsnooze", "transfer", "reset", "rate", "restart"}
    assert {name for name, allowed in may.items() if not allowed} == refused
    may = (await graph.read(document, CY))["conversation"]["viewerCan"]
    assert not any(may.values())


async def test_a_blocked_profile_cannot_be_written_to(graph: Graph, desk: Desk) -> None:
    await graph.do("unblockProfile", {"id": f"prf_{desk.blocked_profile}"}, "profile { id }", ADA)
    await receive(graph.database, desk.blocked, desk.whatsapp)
    document = "{ conversation(conversationId: 1) { replyPossible viewerCan { reply receive } } }"
    free = {"replyPossible": True, "viewerCan": {"reply": True, "receive": True}}
    assert (await graph.read(document, BO))["conversation"] == free
    await graph.do("blockProfile", {"id": f"prf_{desk.blocked_profile}"}, "profile { id }", ADA)
    blocked = {"replyPossible": False, "viewerCan": {"reply": False, "receive": False}}
    assert (await graph.read(document, BO))["conversation"] == blocked


async def test_the_unread_conversations_of_a_channel_agent(graph: Graph, desk: Desk) -> None:
    number, _ = await receive(graph.database, desk.ana, desk.whatsapp)
    await receive(graph.database, desk.ana, desk.whatsapp)
    document = f'{{ channelAgent(id: "cha_{desk.whatsapp}") {{ unreadConversationsCount }} }}'
    assert (await graph.read(document, BO))["channelAgent"] == {"unreadConversationsCount": 1}
    await graph.database.command(mark_read, BO, ref(number))
    assert (await graph.read(document, BO))["channelAgent"] == {"unreadConversationsCount": 0}


async def test_channel_agents(graph: Graph, desk: Desk) -> None:
    gives = "channelAgent { id channel displayId name inSync version unreadConversationsCount }"
    given = {"channel": "WIDGET", "displayId": "help", "name": "Help desk", "idempotencyKey": "once"}
    made = await graph.do("createChannelAgent", given, gives, BO)
    key = f"cha_{desk.apart + 1}"
    assert made["channelAgent"] == {
        "id": key,
        "channel": "WIDGET",
        "displayId": "help",
        "name": "Help desk",
        "inSync": True,
        "version": 1,
        "unreadConversationsCount": 0,
    }
    assert await graph.do("createChannelAgent", given, gives, BO) == made
    refused = await graph.attempt("createChannelAgent", {**given, "idempotencyKey": None}, gives, BO)
    assert refused["channelAgent"] is None
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [("ALREADY_EXISTS", ["input", "displayId"])]
    changed = await graph.do("updateChannelAgent", {"id": key, "inSync": False, "ifVersion": 1}, gives, BO)
    assert changed["channelAgent"] == {**made["channelAgent"], "inSync": False, "version": 2}
    document = "{ channelAgents(channel: WIDGET) { totalCount edges { node { id inSync } } } }"
    assert (await graph.read(document, CY))["channelAgents"] == {
        "totalCount": 2,
        "edges": [
            {"node": {"id": f"cha_{desk.widget}", "inSync": True}},
            {"node": {"id": key, "inSync": False}},
        ],
    }


async def test_deleting(graph: Graph, desk: Desk) -> None:
    number, _ = await receive(graph.database, desk.ana, desk.whatsapp)
    gone = await graph.do("deleteConversation", {"id": f"cnv_{number}"}, "deletedId", BO)
    assert gone["deletedId"] == f"cnv_{number}"
    assert (await graph.read("{ conversation(conversationId: 1) { id } }", BO))["conversation"] is None


async def test_permissions(graph: Graph, desk: Desk) -> None:
    number, _ = await receive(graph.database, desk.ana, desk.whatsapp)
    for document, name in (
        ("{ conversation(conversationId: 1) { id } }", "conversation"),
        (f'{{ channelAgent(id: "cha_{desk.widget}") {{ id }} }}', "channelAgent"),
    ):
        found = await graph.answer(document, DEE)
        assert found["data"] == {name: None}
        assert [error["extensions"]["code"] for error in found["errors"]] == ["FORBIDDEN"]
    for key in (f"cnv_{number}", f"cha_{desk.widget}"):
        assert (await graph.read(f'{{ node(id: "{key}") {{ id }} }}', DEE))["node"] is None
        assert (await graph.read(f'{{ node(id: "{key}") {{ id }} }}', CY))["node"] == {"id": key}
    for name, given, code in (
        ("updateConversation", {"id": f"cnv_{number}", "status": "DONE"}, "NOT_FOUND"),
        ("restartConversation", {"id": f"cnv_{number}"}, "NOT_FOUND"),
        ("deleteConversation", {"id": f"cnv_{number}"}, "NOT_FOUND"),
        ("createChannelAgent", {"channel": "WIDGET", "displayId": "x", "name": "X"}, "FORBIDDEN"),
        ("updateChannelAgent", {"id": f"cha_{desk.widget}", "name": "X"}, "FORBIDDEN"),
    ):
        refused = await graph.attempt(name, given, actor=DEE)
        assert [error["code"] for error in refused["errors"]] == [code]
