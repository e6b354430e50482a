"""Conversations: the same command and the same violation over both transports."""

from typing import Any

import pytest

from app.directory.model import Channel
from app.kinds.conversation.rest import CONTRACT
from app.storage.work import Work
from tests.kinds.conftest import store_customer
from tests.kinds.conversation.conftest import Desk
from tests.kinds.conversation.rest.conftest import BASE, hear
from tests.kinds.parity import Case, Step, compare
from tests.kinds.rest import House
from tests.turns import turns_of

pytestmark = pytest.mark.anyio

ONE = f"{BASE}/conversations/{{twin}}"
NOTES = f"{BASE}/conversation/{{twin}}/notes"
FIELDS = """... on Conversation {
  status channel user { name } snoozeUntil replyUntil replyPossible customerInteractionRequired lastCustomerReplyFrom
  latestNote { text } notes { nodes { text createdAt updatedAt } }
  messages { nodes { agentReaction customerReaction reference { text } contents {
    ... on ImageMessageContent { caption mimeType size publicDownloadUrl }
    ... on LocationMessageContent { latitude longitude place: name }
    ... on ContactMessageContent { name { formattedName } birthday }
  } } }
}"""
DAY = 86_400


def update(name: str, body: object, given: dict[str, object], code: str | None = None, **more: Any) -> Case:
    return Case(
        name=name,
        method="PATCH",
        path=ONE,
        body=body,
        mutation="updateConversation",
        input={"id": "{id}", **given},
        code=code,
        **more,
    )


def asked(name: str, path: str, mutation: str, code: str | None = None, **more: Any) -> Case:
    """A case of a command that says nothing more."""
    return Case(
        name=name, method="POST", path=f"{ONE}/{path}", mutation=mutation, input={"id": "{id}"}, code=code, **more
    )


def said(name: str, body: object, content: object, code: str | None = None, **more: Any) -> Case:
    given = {"id": "{id}", "content": content, **more.pop("given", {})}
    return Case(
        name=name,
        method="POST",
        path=f"{ONE}/messages",
        body=body,
        mutation="sendMessage",
        input=given,
        code=code,
        **more,
    )


def reacted(name: str, reaction: str | None, code: str | None = None, **more: Any) -> Case:
    return Case(
        name=name,
        method="POST",
        path=f"{ONE}/messages/{{message}}/set-reaction",
        body={"reaction": reaction},
        mutation="setReaction",
        input={"id": "msg_{message}", "reaction": reaction},
        code=code,
        **more,
    )


def noted(name: str, method: str, mutation: str, text: str | None, code: str | None = None, **more: Any) -> Case:
    new = method == "POST"
    return Case(
        name=name,
        method=method,
        path=NOTES if new else f"{NOTES}/{{made}}",
        body=None if text is None else {"text": text},
        mutation=mutation,
        input={"id": "{id}" if new else "not_{made}", **({} if text is None else {"text": text})},
        code=code,
        before=() if new else (WITH_NOTE,),
        **more,
    )


WITH_NOTE = Step("POST", NOTES, {"text": "First"})
TAKEN = Step("PATCH", ONE, {"user_id": 3})
DONE = Step("PATCH", ONE, {"status": "done"})
LIKED = Step("POST", f"{ONE}/messages/{{message}}/set-reaction", {"reaction": "👍"})
FILE = {"url": "https://files.example.com/1", "mime_type": "image/png", "size": 10}
OF_FILE = {"publicDownloadUrl": "https://files.example.com/1", "mimeType": "image/png", "size": 10}
HI = ({"type": "text", "text": {"content": "Hi"}}, {"text": {"content": "Hi"}})
CASES = [
    update("progress", {"status": "in-progress"}, {"status": "IN_PROGRESS"}),
    update("done", {"status": "done"}, {"status": "DONE"}),
    update("to do again", {"status": "to-do"}, {"status": "TO_DO"}, before=(DONE,)),
    update("assign", {"user_id": 3}, {"userId": "usr_3"}),
    update("take", {"status": "in-progress", "user_id": 2}, {"status": "IN_PROGRESS", "userId": "usr_2"}),
    update("unassign", {"user_id": None}, {"userId": None}, before=(TAKEN,), actor="ada"),
    update("assign to nobody there is", {"user_id": 99}, {"userId": "usr_99"}, "INVALID_INPUT"),
    update("assign to who has left", {"user_id": 5}, {"userId": "usr_5"}, "INVALID_INPUT"),
    update("take another's", {"user_id": 2}, {"userId": "usr_2"}, "ALREADY_CLAIMED", before=(TAKEN,)),
    update("update as a reader", {"status": "done"}, {"status": "DONE"}, "FORBIDDEN", actor="cy"),
    asked("read", "mark-read", "markRead"),
    asked("read as a reader", "mark-read", "markRead", "FORBIDDEN", actor="cy"),
    asked("restart", "restart", "restartConversation", later=DAY),
    asked("restart too early", "restart", "restartConversation", "INVALID_TRANSITION"),
    asked("restart as a reader", "restart", "restartConversation", "FORBIDDEN", actor="cy", later=DAY),
    said("say", *HI),
    said(
        "say with a picture",
        {"type": "image", "image": {"caption": "A"}, "file": FILE},
        {"image": {"caption": "A", **OF_FILE}},
    ),
    said(
        "say where",
        {"type": "location", "location": {"latitude": "59.9", "longitude": "10.7", "name": "Oslo"}},
        {"location": {"latitude": "59.9", "longitude": "10.7", "name": "Oslo"}},
    ),
    said(
        "say who",
        {"type": "contact", "contact": {"name": {"formatted_name": "A"}, "birthday": "1970-01-01"}},
        {"contact": {"name": {"formattedName": "A"}, "birthday": "1970-01-01"}},
    ),
    said("say after the reply window", *HI, later=DAY),
    said("say nothing", {"type": "text", "text": {"content": ""}}, {"text": {"content": ""}}, "INVALID_INPUT"),
    said(
        "say too much",
        {"type": "text", "text": {"content": "x" * 65_537}},
        {"text": {"content": "x" * 65_537}},
        "TOO_LONG",
    ),
    said(
        "say nowhere",
        {"type": "location", "location": {"latitude": "91", "longitude": "0"}},
        {"location": {"latitude": "91", "longitude": "0"}},
        "INVALID_INPUT",
    ),
    said(
        "say in reply to nothing",
        {**HI[0], "reference_id": 99},
        HI[1],
        "INVALID_INPUT",
        given={"referenceId": "msg_99"},
    ),
    said("say as a reader", *HI, "FORBIDDEN", actor="cy"),
    reacted("like", "👍"),
    reacted("like no more", None, before=(LIKED,)),
    reacted("like much", "👍👍", "INVALID_INPUT"),
    reacted("like as a reader", "👍", "FORBIDDEN", actor="cy"),
    noted("note", "POST", "addNote", "Angry"),
    noted("note nothing", "POST", "addNote", " ", "INVALID_INPUT"),
    noted("note too much", "POST", "addNote", "x" * 65_537, "TOO_LONG"),
    noted("note as a reader", "POST", "addNote", "Angry", "FORBIDDEN", actor="cy"),
    noted("edit a note", "PATCH", "editNote", "Calm"),
    noted("edit a note to nothing", "PATCH", "editNote", "", "INVALID_INPUT"),
    noted("edit a note as a reader", "PATCH", "editNote", "Calm", "FORBIDDEN", actor="cy"),
    noted("delete a note", "DELETE", "deleteNote", None),
    noted("delete a note as a reader", "DELETE", "deleteNote", None, "FORBIDDEN", actor="cy"),
    Case(name="delete", method="DELETE", path=ONE, mutation="deleteConversation", input={"id": "{id}"}),
    Case(
        name="delete as a reader",
        method="DELETE",
        path=ONE,
        mutation="deleteConversation",
        input={"id": "{id}"},
        code="FORBIDDEN",
        actor="cy",
    ),
]


def customer(work: Work, key: str) -> int:
    return store_customer(
        work,
        customer_key=key,
        system="CONVERSATION",
        channel=Channel.WHATSAPP,
        display_id=key,
        name="Ana",
    )


async def test_both_transports_do_the_same(
    house: House, database_url: str, desk: Desk, subtests: pytest.Subtests
) -> None:
    for place, case in enumerate(turns_of(database_url, CASES)):
        with subtests.test(case.name):
            twins = []
            for twin in ("one", "two"):
                number = await house.database.command(customer, f"{twin}-{place}")
                said = await house.database.command(hear, number, desk.whatsapp, "Where is my parcel?")
                key = str(said.interaction)
                twins.append({"twin": key, "id": f"cnv_{key}", "message": str(said.message)})
            await compare(house, CONTRACT, case, (twins[0], twins[1]), FIELDS)
