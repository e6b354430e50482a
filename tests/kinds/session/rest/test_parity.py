"""Sessions: the same command and the same violation over both transports."""

import pytest

from app.kinds.session.rest import CONTRACT
from tests.kinds.parity import Case, compare
from tests.kinds.rest import House
from tests.turns import turns_of

pytestmark = pytest.mark.anyio

CURRENT = "/v1/customers/{twin}/sessions/current"
FIELDS = """... on Session {
  needAttention tags topics suggestedMessages { nodes { remoteId content contentType selectedCount } }
}"""


def update(name: str, body: object, given: dict[str, object], code: str | None = None, **more: object) -> Case:
    return Case(
        name=name,
        method="PATCH",
        path=CURRENT,
        body=body,
        mutation="updateSession",
        input={"customerKey": "{twin}", **given},
        code=code,
        **more,  # type: ignore[arg-type]
    )


def message(name: str, body: object, content: object, code: str | None = None, **more: object) -> Case:
    return Case(
        name=name,
        method="POST",
        path=f"{CURRENT}/messages",
        body=body,
        mutation="sendMessage",
        input={"id": "{id}", "content": {"text": {"content": content}}},
        code=code,
        **more,  # type: ignore[arg-type]
    )


FLAGGED = ("PATCH", CURRENT, {"need_attention": True, "tags": ["a"], "suggested_messages": [{"content": "A"}]})
CASES = [
    update("flag", {"need_attention": True}, {"needAttention": True}),
    update("unflag", {"need_attention": False}, {"needAttention": False}, before=(FLAGGED,)),
    update("tags", {"tags": ["x", "y"], "topics": ["z"]}, {"tags": ["x", "y"], "topics": ["z"]}),
    update(
        "clear", {"tags": None, "suggested_messages": []}, {"tags": None, "suggestedMessages": []}, before=(FLAGGED,)
    ),
    update(
        "suggest",
        {"suggested_messages": [{"id": "r", "content": "A", "content_type": "text"}]},
        {"suggestedMessages": [{"remoteId": "r", "content": "A", "contentType": "TEXT"}]},
    ),
    update("a tag too long", {"tags": ["x" * 256]}, {"tags": ["x" * 256]}, "TOO_LONG"),
    update("an empty topic", {"topics": [" "]}, {"topics": [" "]}, "INVALID_INPUT"),
    update(
        "the same suggestion twice",
        {"suggested_messages": [{"id": "r", "content": "A"}] * 2},
        {"suggestedMessages": [{"remoteId": "r", "content": "A"}] * 2},
        "INVALID_INPUT",
    ),
    update("nothing current", {"need_attention": True}, {"needAttention": True}, "NOT_FOUND", later=7200),
    update("who may not write", {"tags": []}, {"tags": []}, "FORBIDDEN", actor="cy"),
    Case(
        name="a customer's message",
        method="POST",
        path=f"{CURRENT}/messages",
        body={"content": "Hi", "sender_role": "end-user"},
        mutation="receiveMessage",
        input={"target": {"interactionId": "{id}"}, "contents": [{"text": {"content": "Hi"}}]},
    ),
    message("a message", {"content": "Hi"}, "Hi"),
    message("an empty message", {"content": ""}, "", "INVALID_INPUT"),
    message("a message too long", {"content": "x" * 65_537}, "x" * 65_537, "TOO_LONG"),
    message("a message of who may not write", {"content": "Hi"}, "Hi", "FORBIDDEN", actor="cy"),
    message(
        "a message to who has unsubscribed",
        {"content": "Hi"},
        "Hi",
        "UNREACHABLE",
        before=(("POST", "/v1/customers/{twin}/unsubscribe", None),),
    ),
]


NEW = """mutation($key: String!, $number: String!) {
  createCustomer(input: {system: SESSION, customerKey: $key, phoneNumber: $number}) { errors { message } }
}"""


async def opened(house: House, key: str, number: str) -> dict[str, str]:
    """A session of a new customer with this key, who has just written."""
    async with house.client(authorization="Bearer ada") as client:
        variables = {"key": key, "number": number}
        made = await client.post("/graphql", json={"query": NEW, "variables": variables})
        assert made.json()["data"]["createCustomer"]["errors"] == []
        path = f"/v1/customers/{key}/sessions/current/messages"
        assert (await client.post(path, json={"content": "Hello", "sender_role": "end-user"})).status_code == 201
        query = {"query": f'{{ currentSession(customerKey: "{key}") {{ id }} }}'}
        found: str = (await client.post("/graphql", json=query)).json()["data"]["currentSession"]["id"]
    return {"twin": key, "id": found}


async def test_both_transports_do_the_same(house: House, database_url: str, subtests: pytest.Subtests) -> None:
    for place, case in enumerate(turns_of(database_url, CASES)):
        with subtests.test(case.name):
            one = await opened(house, f"one-{place}", f"+4790000{place:03}")
            two = await opened(house, f"two-{place}", f"+4791000{place:03}")
            await compare(house, CONTRACT, case, (one, two), FIELDS)
