"""Conversations and channel agents as clients of the graph see them; first of all the contract's own example."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.interactions.service.deliveries import set_reaction
from app.interactions.service.messages import mark_read, receive_message, send_message
from app.interactions.service.notes import add_note
from app.kinds.conversation.service import open_for
from app.settings import Settings
from tests.conftest import ManualClock
from tests.graph.running import Graph, open_graph
from tests.kinds.conftest import ADA, BO, CY, DEE
from tests.kinds.conversation.conftest import Desk, furnish, ref

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


@pytest.fixture
async def graph(database_url: str, clock: ManualClock, settings: Settings) -> AsyncIterator[Graph]:
    opened = await open_graph(database_url, clock, settings)
    yield opened
    await opened.database.close()


@pytest.fixture
async def desk(graph: Graph) -> Desk:
    return await graph.database.command(furnish)


async def receive(graph: Graph, customer: int, agent: int, *contents: dict[str, Any]) -> tuple[int, int]:
    target = {"kind": "conversation", "customer_id": customer, "channel_agent_id": agent}
    given = contents or ({"type": "text", "content": "Where is my parcel?"},)
    posted = await graph.database.command(receive_message, BO, target, given)
    return posted.interaction, posted.message


async def test_the_example_of_the_page(graph: Graph, clock: ManualClock, desk: Desk) -> None:
    """PATCH of `status` and `user_id`, read back with every field of the contract's Conversation."""
    number, first = await receive(graph, desk.ana, desk.whatsapp)
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
            "unreadConversationsCount": 1,
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
            "status": "DELIVERED",
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
        "unreadCustomerMessagesCount": 1,
        "replyUntil": DAY_LATER,
        "replyPossible": True,
        "customerInteractionRequired": False,
        "attention": {
            "needed": True,
            "reason": "UNREAD",
            "reasons": ["UNREAD"],
            "level": "NORMAL",
            "since": START,
            "deadline": None,
        },
    }
    assert changed["conversation"] == expected
    read = f"query {{ conversation(conversationId: 1) {{ {EVERYTHING} }} }} {MESSAGE}"
    assert (await graph.read(read, BO))["conversation"] == expected


async def test_an_absent_field_stays_and_null_unassigns(graph: Graph, desk: Desk) -> None:
    number, _ = await receive(graph, desk.ana, desk.whatsapp)
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
    number, _ = await receive(graph, desk.ana, desk.whatsapp)
    refused = await graph.attempt("updateConversation", {"id": f"cnv_{number}", **given}, "conversation { id }", BO)
    assert refused["conversation"] is None
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [(code, path)]
    found = await graph.read("{ conversation(conversationId: 1) { status version } }", BO)
    assert found["conversation"] == {"status": "TO_DO", "version": 1}


async def test_a_reply_is_possible_as_time_goes_by(graph: Graph, clock: ManualClock, desk: Desk) -> None:
    number, _ = await receive(graph, desk.ana, desk.whatsapp)
    await receive(graph, desk.wim, desk.widget)
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
    assert found["whatsapp"]["viewerCan"] == {"restart": True, "reply": True}
    gives = "conversation { replyPossible replyUntil customerInteractionRequired } message { status text }"
    restarted = await graph.do("restartConversation", {"id": f"cnv_{number}", "text": "Shall we go on?"}, gives, BO)
    assert restarted["conversation"] == {
        "replyPossible": False,
        "replyUntil": "2026-01-07T09:00:00.000000Z",
        "customerInteractionRequired": True,
    }
    assert restarted["message"] == {"status": "CREATED", "text": "Shall we go on?"}


async def test_what_the_caller_may_do(graph: Graph, desk: Desk) -> None:
    await receive(graph, desk.ana, desk.whatsapp)
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
    await receive(graph, desk.blocked, desk.whatsapp)
    document = "{ conversation(conversationId: 1) { replyPossible viewerCan { reply receive } } }"
    free = {"replyPossible": True, "viewerCan": {"reply": True, "receive": True}}
    assert (await graph.read(document, BO))["conversation"] == free
    await graph.do("blockProfile", {"id": f"prf_{desk.blocked_profile}"}, "profile { id }", ADA)
    blocked = {"replyPossible": False, "viewerCan": {"reply": False, "receive": False}}
    assert (await graph.read(document, BO))["conversation"] == blocked


async def test_the_unread_conversations_of_a_channel_agent(graph: Graph, desk: Desk) -> None:
    number, _ = await receive(graph, desk.ana, desk.whatsapp)
    await receive(graph, desk.ana, desk.whatsapp)
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
    number, _ = await receive(graph, desk.ana, desk.whatsapp)
    gone = await graph.do("deleteConversation", {"id": f"cnv_{number}"}, "deletedId", BO)
    assert gone["deletedId"] == f"cnv_{number}"
    assert (await graph.read("{ conversation(conversationId: 1) { id } }", BO))["conversation"] is None


async def test_permissions(graph: Graph, desk: Desk) -> None:
    number, _ = await receive(graph, desk.ana, desk.whatsapp)
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


FILE = {
    "uuid": "0b2f7d6e-1f0e-4c7c-9a53-0a5b2d9e2f11",
    "name": "file",
    "mimeType": "application/octet-stream",
    "size": 1024,
    "downloadUrl": "https://files.example/file",
    "publicDownloadUrl": "https://public.example/file",
}
CONTACT = {
    "name": {
        "formattedName": "Dr. Ana Maria Lund jr.",
        "firstName": "Ana",
        "middleName": "Maria",
        "lastName": "Lund",
        "prefix": "Dr.",
        "suffix": "jr.",
    },
    "birthday": "1970-01-01",
    "phones": [{"phone": "+4915223567929", "type": "WORK"}],
    "emails": [{"email": "ana@example.com", "type": "HOME"}],
    "addresses": [
        {
            "street": "Way 1",
            "city": "Oslo",
            "state": "Oslo",
            "zip": "0150",
            "country": "Norway",
            "countryCode": "no",
            "type": "HOME",
        }
    ],
    "org": {"company": "Lund AS", "department": "Sales", "title": "Head"},
}
CONTENTS: list[tuple[str, dict[str, Any]]] = [
    ("text", {"content": "Hello 👋\nthere"}),
    ("image", {**FILE, "caption": "A picture"}),
    ("video", {**FILE, "caption": "A film"}),
    ("audio", {**FILE, "voice": True}),
    ("document", {**FILE, "filename": "invoice.pdf", "caption": "An invoice"}),
    (
        "location",
        {
            "latitude": "59.9139",
            "longitude": "10.7522",
            "address": "Way 1",
            "name": "Office",
            "url": "https://maps.example",
        },
    ),
    ("contact", CONTACT),
]
OF_FILE = "hasFile uuid name mimeType size downloadUrl publicDownloadUrl"
OF_CONTENT = f"""
  __typename
  ... on TextMessageContent {{ content }}
  ... on ImageMessageContent {{ {OF_FILE} caption }}
  ... on VideoMessageContent {{ {OF_FILE} caption }}
  ... on AudioMessageContent {{ {OF_FILE} voice }}
  ... on DocumentMessageContent {{ {OF_FILE} filename caption }}
  ... on LocationMessageContent {{ latitude longitude address name url }}
  ... on ContactMessageContent {{
    contactName: name {{ formattedName firstName middleName lastName prefix suffix }} birthday
    phones {{ phone type }} emails {{ email type }}
    addresses {{ street city state zip country countryCode type }}
    org {{ company department title }}
  }}
"""


def as_read(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """A contact's name is an object, everything else's a text, so that GraphQL wants another key for it."""
    file = {"hasFile": True} if "mimeType" in given else {}
    keyed = {"contactName" if (name, key) == ("contact", "name") else key: value for key, value in given.items()}
    return {"__typename": f"{name.capitalize()}MessageContent", **file, **keyed}


async def test_a_customer_sends_every_content_at_once(graph: Graph, desk: Desk) -> None:
    target = {
        "customer": {
            "kind": "CONVERSATION",
            "customerId": f"cus_{desk.ana}",
            "channelAgentId": f"cha_{desk.whatsapp}",
        }
    }
    given = {"target": target, "contents": [{name: content} for name, content in CONTENTS]}
    gives = f"interaction {{ ... on Conversation {{ conversationId }} }} message {{ contents {{ {OF_CONTENT} }} text }}"
    received = await graph.do("receiveMessage", given, gives, BO)
    assert received["interaction"] == {"conversationId": 1}
    assert received["message"] == {
        "contents": [as_read(name, content) for name, content in CONTENTS],
        "text": "Hello 👋\nthere\nA picture\nA film\nAn invoice",
    }


@pytest.mark.parametrize(("name", "content"), CONTENTS)
async def test_each_content_is_sent(graph: Graph, desk: Desk, name: str, content: dict[str, Any]) -> None:
    number, _ = await receive(graph, desk.ana, desk.whatsapp)
    given = {"id": f"cnv_{number}", "content": {name: content}}
    sent = await graph.do("sendMessage", given, f"message {{ status contents {{ {OF_CONTENT} }} }}", BO)
    assert sent["message"] == {"status": "CREATED", "contents": [as_read(name, content)]}


async def test_an_undelivered_message_says_why(graph: Graph, desk: Desk) -> None:
    opened = await graph.database.command(open_for, BO, desk.ana, desk.whatsapp)
    given = {"id": f"cnv_{opened.id}", "content": {"text": {"content": "Hello"}}}
    gives = """message {
      status latestError { errorId type originalMessage createdAt } errors { totalCount edges { node { errorId } } }
    }"""
    sent = await graph.do("sendMessage", given, gives, BO)
    assert sent["message"] == {
        "status": "ERROR",
        "latestError": {
            "errorId": 1,
            "type": "OTHER",
            "originalMessage": "The reply window is closed.",
            "createdAt": START,
        },
        "errors": {"totalCount": 1, "edges": [{"node": {"errorId": 1}}]},
    }
