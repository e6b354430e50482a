"""ChatSessions: the same command and the same violation over both transports."""

import pytest

from app.kinds.chat_session.rest import CONTRACT
from tests.kinds.chat_session.conftest import Desk
from tests.kinds.chat_session.rest.test_sessions import BASE
from tests.kinds.parity import Case, compare
from tests.kinds.rest import House

pytestmark = pytest.mark.anyio

CHAT = f"{BASE}/{{twin}}"
FIELDS = """... on ChatSession {
  topicId status customerName customerAlias alertLevel userIsTyping chatbotIsActive rating firstMessage lastMessage
  whenRequested whenStarted whenEnded whenIdle user { name } transferTo { name } person { personId email }
}"""


def update(name: str, body: object, given: dict[str, object], code: str | None = None, **more: object) -> Case:
    return Case(
        name=name,
        method="PATCH",
        path=CHAT,
        body=body,
        mutation="updateChatSession",
        input={"id": "{id}", **given},
        code=code,
        **more,  # type: ignore[arg-type]
    )


DELETED = ("DELETE", CHAT, None)
CASES = [
    update("alert", {"AlertLevel": 3}, {"alertLevel": 3}),
    update("calm down", {"AlertLevel": 0}, {"alertLevel": 0}, before=(("PATCH", CHAT, {"AlertLevel": 3}),)),
    update("close", {"Status": "Closed"}, {"status": "CLOSED"}),
    update("reopen", {"Status": "UserLast"}, {"status": "USER_LAST"}, before=(("PATCH", CHAT, {"Status": "Closed"}),)),
    update(
        "who it is",
        {"Person": {"PersonId": 5, "Email": "a@b.no"}, "CustomerName": "A", "Flags": "UserIsTyping"},
        {"person": {"personId": 5, "email": "a@b.no"}, "customerName": "A", "userIsTyping": True},
    ),
    update("no move", {"Status": "UserLast"}, {"status": "USER_LAST"}, "INVALID_TRANSITION"),
    update("too long", {"CustomerAlias": "x" * 65}, {"customerAlias": "x" * 65}, "TOO_LONG"),
    update("no level", {"AlertLevel": -1}, {"alertLevel": -1}, "INVALID_INPUT"),
    update("no topic", {"TopicId": 99}, {"topicId": 99}, "NOT_FOUND"),
    update("not started", {"Rating": 4}, {"rating": 4}, "INVALID_TRANSITION"),
    update("another's key", {"SessionKey": "x"}, {"sessionKey": "x"}, "INVALID_INPUT"),
    update("only a reader", {"AlertLevel": 3}, {"alertLevel": 3}, "FORBIDDEN", actor="cy"),
    update("deleted", {"AlertLevel": 3}, {"alertLevel": 3}, "INVALID_TRANSITION", before=(DELETED,)),
    Case(name="delete", method="DELETE", path=CHAT, mutation="deleteChatSession", input={"id": "{id}"}),
    Case(
        name="delete again",
        method="DELETE",
        path=CHAT,
        mutation="deleteChatSession",
        input={"id": "{id}"},
        code="INVALID_TRANSITION",
        before=(DELETED,),
    ),
    Case(
        name="reset",
        method="POST",
        path=f"{CHAT}/Reset",
        mutation="resetChatSession",
        input={"id": "{id}"},
        before=(("POST", f"{CHAT}/Messages", {"Message": "x", "SpecialType": "BotMessage"}),),
    ),
    Case(
        name="a message of the customer",
        method="POST",
        path=f"{CHAT}/Messages",
        body={"Type": "ToUser", "Message": "Hi"},
        mutation="receiveMessage",
        input={"target": {"interaction": "{id}"}, "contents": [{"text": {"content": "Hi"}}]},
    ),
    Case(
        name="an empty message",
        method="POST",
        path=f"{CHAT}/Messages",
        body={"Message": ""},
        mutation="sendMessage",
        input={"id": "{id}", "content": {"text": {"content": ""}}},
        code="INVALID_INPUT",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
async def test_both_transports_do_the_same(house: House, desk: Desk, case: Case) -> None:
    async with house.client() as client:
        for topic in (desk.open, desk.open):
            assert (await client.post(BASE, json={"TopicId": topic})).status_code == 200
    await compare(house, CONTRACT, case, {"1": "chs_1", "2": "chs_2"}, FIELDS)
