"""ChatSessions: the same command and the same violation over both transports."""

import pytest

from app.kinds.chat_session.rest import CONTRACT
from tests.kinds.chat_session.conftest import Desk
from tests.kinds.chat_session.rest.test_sessions import BASE
from tests.kinds.parity import Case, Step, compare, seen_of
from tests.kinds.rest import House
from tests.turns import turns_of

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


def handed(name: str, path: str, mutation: str, code: str | None = None, /, **more: object) -> Case:
    """A case of who has a chat; the mutation takes its id, and what else `given` says."""
    given = {"id": "{id}", **more.pop("given", {})}  # type: ignore[dict-item]
    return Case(name=name, method="POST", path=f"{CHAT}/{path}", mutation=mutation, input=given, code=code, **more)  # type: ignore[arg-type]


def said(name: str, body: dict[str, object], content: object, code: str | None = None, **more: object) -> Case:
    return Case(
        name=name,
        method="POST",
        path=f"{CHAT}/Messages",
        body=body,
        mutation="sendMessage",
        input={"id": "{id}", "content": {"text": {"content": content}}},
        code=code,
        **more,  # type: ignore[arg-type]
    )


TAKEN = Step("POST", f"{CHAT}/Pickup", actor="bo")
OFFERED = (TAKEN, Step("POST", f"{CHAT}/TransferTo/eve", actor="bo"))
EVE = {"userId": "usr_5"}
DELETED = ("DELETE", CHAT, None)
CLOSED = ("PATCH", CHAT, {"Status": "Closed"})
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
    handed("pick up", "Pickup", "pickUpChatSession"),
    handed(
        "pick up what is taken",
        "Pickup",
        "pickUpChatSession",
        "ALREADY_CLAIMED",
        before=(TAKEN,),
        silent=True,
        actor="eve",
    ),
    handed("pick up again", "Pickup", "pickUpChatSession", "INVALID_TRANSITION", before=(TAKEN,), silent=True),
    handed("pick up what ended", "Pickup", "pickUpChatSession", "INVALID_TRANSITION", before=(CLOSED,), silent=True),
    handed("pick up as a listener", "Pickup", "pickUpChatSession", "FORBIDDEN", actor="gus"),
    handed("pick up as a reader", "Pickup", "pickUpChatSession", "FORBIDDEN", actor="cy"),
    handed("offer", "TransferTo/eve", "transferChatSession", before=(TAKEN,), given=EVE),
    handed(
        "offer to who is absent",
        "TransferTo/fay",
        "transferChatSession",
        "CONFLICT",
        before=(TAKEN,),
        given={"userId": "usr_6"},
    ),
    handed(
        "offer to a listener",
        "TransferTo/gus",
        "transferChatSession",
        "CONFLICT",
        before=(TAKEN,),
        given={"userId": "usr_7"},
    ),
    handed(
        "offer to nobody",
        "TransferTo/zoe",
        "transferChatSession",
        "NOT_FOUND",
        before=(TAKEN,),
        given={"userId": "usr_99"},
    ),
    handed(
        "offer another's",
        "TransferTo/eve",
        "transferChatSession",
        "FORBIDDEN",
        before=(TAKEN,),
        given=EVE,
        actor="fay",
        silent=True,
    ),
    handed(
        "offer what nobody has", "TransferTo/eve", "transferChatSession", "INVALID_TRANSITION", given=EVE, silent=True
    ),
    handed(
        "offer twice",
        "TransferTo/eve",
        "transferChatSession",
        "INVALID_TRANSITION",
        before=OFFERED,
        given=EVE,
        silent=True,
    ),
    handed("accept", "AcceptTransfer", "acceptChatTransfer", before=OFFERED, actor="eve"),
    handed(
        "accept another's",
        "AcceptTransfer",
        "acceptChatTransfer",
        "FORBIDDEN",
        before=OFFERED,
        actor="fay",
        silent=True,
    ),
    handed(
        "accept nothing",
        "AcceptTransfer",
        "acceptChatTransfer",
        "CONFLICT",
        before=(TAKEN,),
        actor="eve",
        silent=True,
    ),
    handed("accept as a reader", "AcceptTransfer", "acceptChatTransfer", "FORBIDDEN", before=OFFERED, actor="cy"),
    handed("reject", "RejectTransfer", "rejectChatTransfer", before=OFFERED, actor="eve"),
    handed(
        "reject another's",
        "RejectTransfer",
        "rejectChatTransfer",
        "FORBIDDEN",
        before=OFFERED,
        actor="fay",
        silent=True,
    ),
    handed(
        "reject nothing",
        "RejectTransfer",
        "rejectChatTransfer",
        "CONFLICT",
        before=(TAKEN,),
        actor="eve",
        silent=True,
    ),
    handed("reset what is taken", "Reset", "resetChatSession", before=(TAKEN,)),
    handed("reset another's", "Reset", "resetChatSession", "ALREADY_CLAIMED", before=(TAKEN,), actor="eve"),
    handed("reset what ended", "Reset", "resetChatSession", "INVALID_TRANSITION", before=(CLOSED,)),
    handed("reset as a reader", "Reset", "resetChatSession", "FORBIDDEN", actor="cy"),
    update("rate", {"Rating": 4}, {"rating": 4}, before=(TAKEN,)),
    update(
        "close for another",
        {"Status": "InQueue"},
        {"status": "IN_QUEUE"},
        "ALREADY_CLAIMED",
        before=(TAKEN,),
        actor="eve",
    ),
    said("say", {"Message": "Hi"}, "Hi", before=(TAKEN,)),
    said("say and take", {"Type": "ToCustomer", "Message": "Hi"}, "Hi"),
    said("say too much", {"Message": "x" * 65_537}, "x" * 65_537, "TOO_LONG"),
    said("say as a reader", {"Message": "Hi"}, "Hi", "FORBIDDEN", actor="cy"),
    said("say to who is gone", {"Message": "Hi"}, "Hi", "INVALID_TRANSITION", before=(DELETED,)),
    Case(
        name="reset",
        method="POST",
        path=f"{CHAT}/Reset",
        mutation="resetChatSession",
        input={"id": "{id}"},
        before=(("PATCH", CHAT, {"ChatbotIsActive": True}),),
    ),
    Case(
        name="a message of the customer",
        method="POST",
        path=f"{CHAT}/Messages",
        body={"Type": "ToUser", "Message": "Hi"},
        mutation="receiveMessage",
        input={"target": {"interactionId": "{id}"}, "contents": [{"text": {"content": "Hi"}}]},
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


async def test_both_transports_do_the_same(
    house: House, database_url: str, desk: Desk, subtests: pytest.Subtests
) -> None:
    for case in turns_of(database_url, CASES):
        with subtests.test(case.name):
            async with house.client() as client:
                made = [(await client.post(BASE, json={"TopicId": desk.sales})).json() for _ in range(2)]
            one, two = [str(each["ChatSessionId"]) for each in made]
            twins = {"twin": one, "id": f"chs_{one}"}, {"twin": two, "id": f"chs_{two}"}
            await compare(house, CONTRACT, case, twins, FIELDS)


NEW = [
    (
        {"CustomerAlias": "A", "Contact": {"ContactId": 3, "Name": "C"}},
        {"customerAlias": "A", "contact": {"contactId": 3, "name": "C"}},
        None,
    ),
    ({"CustomerAlias": "x" * 65}, {"customerAlias": "x" * 65}, "TOO_LONG"),
    ({"TopicId": 99}, {"topicId": 99}, "NOT_FOUND"),
]


@pytest.mark.parametrize(("entity", "given", "code"), NEW)
async def test_new_chats_are_the_same(
    house: House, desk: Desk, entity: dict[str, object], given: dict[str, object], code: str | None
) -> None:
    async with house.client() as client:
        made = await client.post(BASE, json={"TopicId": desk.sales, **entity})
        query = "mutation($input: RequestChatSessionInput!) { requestChatSession(input: $input) { errors { code } } }"
        variables = {"input": {"topicId": desk.sales, **given}}
        answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    errors = [error["code"] for error in answer["data"]["requestChatSession"]["errors"]]
    if code is None:
        assert (made.status_code, errors) == (200, [])
        assert await seen_of(house, "chs_1", FIELDS) == await seen_of(house, "chs_2", FIELDS)
    else:
        assert ([refusal.code for refusal in house.refusals], errors) == ([code], [code])
        assert await house.told() == []
