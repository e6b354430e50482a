"""Messages of conversations as clients of the graph write and read them."""

from typing import Any

import pytest

from app.kinds.conversation.service import open_for
from tests.graph.running import Graph
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import Desk, receive

pytestmark = pytest.mark.anyio

START = "2026-01-05T09:00:00.000000Z"

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
    number, _ = await receive(graph.database, desk.ana, desk.whatsapp)
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
