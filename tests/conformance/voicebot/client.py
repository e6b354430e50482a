"""What a client has to be able to do that was generated from the conversation page's own OpenAPI document."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.conformance.checks import Checks

SERVER = os.environ["SERVER"]
ADMIN_KEY = os.environ["ADMIN_KEY"]
BASE = f"{SERVER}/third-party/v1"
HERE = Path(__file__).parent
HOME = Path(sys.prefix)
PAGE = HERE.parents[1] / "kinds" / "conversation" / "rest" / "page.json"
FILE = {"url": "https://files.example.com/1", "mime_type": "image/png", "size": 10}
HTTP = httpx.Client(headers={"authorization": f"Bearer {ADMIN_KEY}"})

SENT: dict[str, dict[str, Any]] = {
    "text": {"text": {"content": "Hello"}},
    "image": {"image": {"caption": "A"}, "file": FILE},
    "video": {"video": {"caption": "B"}, "file": FILE | {"mime_type": "video/mp4"}},
    "audio": {"audio": {"voice": True}, "file": FILE | {"mime_type": "audio/ogg"}},
    "document": {"document": {"filename": "a.pdf"}, "file": FILE | {"mime_type": "application/pdf"}},
    "location": {"location": {"latitude": "59.91", "longitude": "10.75", "name": "Oslo"}},
    "contact": {"contact": {"name": {"formatted_name": "Ana A", "first_name": "Ana"}, "birthday": "1970-01-01"}},
}


def program(name: str, *words: str) -> None:
    """Run a program of this environment; it must succeed."""
    subprocess.run([HOME / "bin" / name, *words], check=True, cwd=HOME, stdout=sys.stderr)


def graph(name: str, kind: str, given: dict[str, Any], selection: str) -> dict[str, Any]:
    """What a mutation gives."""
    query = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {selection} errors {{ message }} }} }}"
    answer = HTTP.post(f"{SERVER}/graphql", json={"query": query, "variables": {"input": given}}).json()
    found: dict[str, Any] = answer["data"][name]
    assert found["errors"] == [], found
    return found


def open_conversation() -> tuple[int, int]:
    """A conversation on WhatsApp in which the customer has just written, and a user with an address."""
    described = {"name": "John Doe", "login": "vb", "email": "john@example.com", "roles": ["support"]}
    # Only who may see a conversation can be given it.
    allowed = {"permissions": ["CONVERSATION_READ"]}
    user = graph("createUser", "CreateUserInput", described | allowed, "user { id }")["user"]["id"]
    profile = graph("createProfile", "CreateProfileInput", {"name": "Ana", "gender": "FEMALE"}, "profile { id }")
    customer = graph(
        "createCustomer",
        "CreateCustomerInput",
        {
            "system": "CONVERSATION",
            "channel": "WHATSAPP",
            "displayId": "4915100000001",
            "name": "Ana",
            "profileId": profile["profile"]["id"],
        },
        "customer { id }",
    )["customer"]["id"]
    agent = graph(
        "createChannelAgent",
        "CreateChannelAgentInput",
        {"channel": "WHATSAPP", "displayId": "4915223567929", "name": "Shop"},
        "channelAgent { id }",
    )["channelAgent"]["id"]
    target = {"customer": {"kind": "CONVERSATION", "customerId": customer, "channelAgentId": agent}}
    received = graph(
        "receiveMessage",
        "ReceiveMessageInput",
        {"target": target, "contents": [{"text": {"content": "Where is my parcel?"}}]},
        "interaction { ... on Conversation { conversationId } }",
    )
    return received["interaction"]["conversationId"], int(user.removeprefix("usr_"))


def generate() -> None:
    settings = HOME / "generating.json"
    settings.write_text(json.dumps({"post_hooks": []}))
    output = str(HOME / "client")
    words = ("--path", str(PAGE), "--output-path", output, "--overwrite", "--config", str(settings))
    program("openapi-python-client", "generate", *words)
    sys.path.insert(0, output)


def walk(checks: Checks, number: int, user_id: int) -> None:
    """Every update that the client can send, and what it makes of the answers."""
    from client_api_client import AuthenticatedClient  # type: ignore[import-not-found]
    from client_api_client.api.conversations import (  # type: ignore[import-not-found]
        patch_conversations_id as operation,
    )
    from client_api_client.models import ConversationStatus  # type: ignore[import-not-found]
    from client_api_client.models import PatchConversationsIdBody as Body
    from client_api_client.types import UNSET  # type: ignore[import-not-found]

    client = AuthenticatedClient(base_url=BASE, token=ADMIN_KEY)

    with checks.check("an update is answered with a conversation that the client reads whole"):
        response = operation.sync_detailed(
            number, client=client, body=Body(status=ConversationStatus.IN_PROGRESS, user_id=user_id)
        )
        found = response.parsed
        assert response.status_code == 200
        assert (found.id, found.status, found.user.id) == (number, ConversationStatus.IN_PROGRESS, user_id)
        assert (found.user.name, found.user.email, found.user.roles) == ("John Doe", "john@example.com", ["support"])
        assert (found.channel, found.agent.name, found.customer.profile.name) == ("whatsapp", "Shop", "Ana")
        assert (found.reply_possible, found.unread_customer_messages_count) == (True, 1)
        assert found.latest_message.contents[0].content == "Where is my parcel?"
        assert found.latest_message == found.latest_customer_message
        assert found.reply_until > found.last_customer_reply_from
        assert found.additional_properties == {}
        read = HTTP.get(f"{BASE}/conversations/{number}").json()["data"]
        assert response.parsed.to_dict() == type(found).from_dict(read).to_dict()
    with checks.check("null unassigns, and nobody is left out of the answer"):
        found = operation.sync(number, client=client, body=Body(user_id=None))
        assert (found.user, found.status) == (UNSET, ConversationStatus.IN_PROGRESS)
    with checks.check("an empty update changes nothing"):
        assert operation.sync(number, client=client, body=Body()) == found
    for status in ConversationStatus:
        with checks.check(f"the status {status} is written and read"):
            assert operation.sync(number, client=client, body=Body(status=status)).status is status
    operation.sync(number, client=client, body=Body(status=ConversationStatus.TO_DO))
    for kind, body in SENT.items():
        with checks.check(f"a latest message with a content of the type {kind} is read as one"):
            sent = HTTP.post(f"{BASE}/conversations/{number}/messages", json={"type": kind, **body})
            sent.raise_for_status()
            (content,) = operation.sync(number, client=client, body=Body()).latest_message.contents
            assert type(content).__name__ == f"{kind.capitalize()}MessageContent"
            assert content.to_dict() == sent.json()["data"]["contents"][0]
    with checks.check("a note is read with its conversation"):
        HTTP.post(f"{BASE}/conversation/{number}/notes", json={"text": "Angry"}).raise_for_status()
        assert operation.sync(number, client=client, body=Body()).latest_note.text == "Angry"
    with checks.check("refusals are no conversations"):
        for status_code, asked, body, key in (
            (404, number + 1000, Body(), ADMIN_KEY),
            (422, number, Body(user_id=2**31 - 1), ADMIN_KEY),
            (401, number, Body(), "nobody"),
        ):
            refused = operation.sync_detailed(asked, client=AuthenticatedClient(base_url=BASE, token=key), body=body)
            assert (refused.status_code, refused.parsed) == (status_code, None)
            assert json.loads(refused.content)["message"]


def oracle(number: int, user_id: int) -> None:
    """Hold answers to generated requests against the page, but for its one slip: an address is text.

    It is told who is there, and that other pages have other methods of this path."""
    page = json.loads(PAGE.read_bytes())
    page["components"]["schemas"]["User"]["properties"]["email"]["type"] = "string"
    path = page["paths"]["/conversations/{id}"]
    for parameter in path["patch"]["parameters"]:
        parameter["schema"]["enum"] = [number]
    body = path["patch"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["user_id"]["enum"] = [user_id, None]
    elsewhere = {"parameters": path["patch"]["parameters"], "responses": {"default": {"description": "Another page."}}}
    path |= {"get": elsewhere, "delete": elsewhere}
    asked = HOME / "page.json"
    asked.write_text(json.dumps(page))
    header = f"Authorization: Bearer {ADMIN_KEY}"
    words = ("--url", BASE, "-H", header, "--include-method", "PATCH", "--no-color", "--max-examples", "200")
    program("schemathesis", "--config-file", str(HERE / "schemathesis.toml"), "run", str(asked), *words)


def main() -> int:
    checks = Checks("openapi-python-client")
    number, user_id = open_conversation()
    with checks.check("a client is generated"):
        generate()
    walk(checks, number, user_id)
    with checks.check("generated requests are answered as the page says"):
        oracle(number, user_id)
    return checks.finish()


if __name__ == "__main__":
    raise SystemExit(main())
