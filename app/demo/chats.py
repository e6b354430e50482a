"""Stories of chats and topics, with the examples of the contract's page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.core.ids import GlobalId
from app.demo.cast import ROOT, Cast, person_name
from app.demo.stage import Stage, Story
from app.demo.talking import answering, hearing, said, talk
from app.demo.texts import ENGLISH, OTHERS, Line
from app.interactions.model import Command
from app.interactions.service.change import begin, open_interaction, write
from app.interactions.service.messages import mark_read, receive_message, send_message
from app.interactions.service.state import close, set_labels
from app.kinds.chat_session.events import Requested
from app.kinds.chat_session.model.session import PREFIX, ChatSession, ChatSessionStatus
from app.kinds.chat_session.model.topic import ChatInitialStatus, ChatTopicChanges
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.kinds.chat_session.service.queue import pick_up_chat_session
from app.kinds.chat_session.service.requests import digest, request_chat_session
from app.kinds.chat_session.service.sessions import rate_chat_session, update_chat_session
from app.kinds.chat_session.service.topics import add_chat_topic_member, create_chat_topic
from app.kinds.chat_session.service.transfers import transfer_chat_session
from app.storage.work import Work

_TOPICS: tuple[ChatTopicChanges, ...] = (
    {"name": "Support", "welcome_message": "Welcome! What can we do for you?", "language": "en"},
    {"name": "Sales", "bot_enabled": True, "language": "en"},
    {"topic_id": 918, "name": "Orders", "welcome_message": "Hello, you are talking to the team of orders."},
    {"topic_id": 978, "name": "Billing", "initial_status": ChatInitialStatus.PRE_CHAT_FORM},
)

_SAMPLES: Mapping[int, tuple[int, str, str, str, Mapping[str, Any]]] = {
    446: (
        918,
        "consectetur",
        "vero",
        "aliquam",
        {
            "customer_alias": "accusamus",
            "customer_host": "voluptates",
            "customer_name": "Nolan-Lubowitz",
            "customer_email": "sophie@williamsonglover.uk",
            "customer_phone": "1-233-953-9004",
            "customer_company_name": "Bruen, Torp and Kautzer",
            "when_requested": datetime.fromisoformat("2018-11-21T16:32:47.149278+01:00"),
            "when_started": datetime.fromisoformat("2002-01-24T16:32:47.149278+01:00"),
            "when_ended": datetime.fromisoformat("2016-05-08T16:32:47.149278+02:00"),
            "when_idle": datetime.fromisoformat("2024-03-22T16:32:47.149278+01:00"),
            "when_fetched": datetime.fromisoformat("2009-08-21T16:32:47.149278+02:00"),
            "initial_queue_pos": 161,
            "alert_level": 504,
            "rank": 992,
            "rating": 751,
        },
    ),
    807: (
        978,
        "id",
        "corrupti",
        "aut",
        {
            "customer_alias": "tenetur",
            "customer_host": "qui",
            "customer_name": "Streich, Renner and Moore",
            "customer_email": "araceli@deckow.biz",
            "customer_phone": "435.238.3167 x18203",
            "customer_company_name": "Hamill-Veum",
            "when_requested": datetime.fromisoformat("2019-05-24T16:32:47.149278+02:00"),
            "when_started": datetime.fromisoformat("2020-05-19T16:32:47.149278+02:00"),
            "when_ended": datetime.fromisoformat("2018-12-28T16:32:47.149278+01:00"),
            "when_idle": datetime.fromisoformat("2008-01-28T16:32:47.149278+01:00"),
            "when_fetched": datetime.fromisoformat("2016-07-05T16:32:47.149278+02:00"),
            "initial_queue_pos": 156,
            "alert_level": 478,
            "rank": 772,
            "rating": 96,
        },
    ),
}
"""The page's samples by ChatSessionId: topic, first and last message, session key, and the fields that are values."""

# Person, minutes ago, topic, lines, what happens then.
_SCENES: tuple[tuple[int, float, str, Sequence[Line], str], ...] = (
    (0, 5_400, "Support", ENGLISH[3][:1], "solve"),
    (1, 3_300, "Sales", ENGLISH[4], "solve"),
    (2, 2_200, "Orders", OTHERS[0][:3], "solve"),
    (3, 1_100, "Support", OTHERS[2][:1], "close from queue"),
    (4, 400, "Support", ENGLISH[5][:1], "solve"),
    (5, 120, "Support", ENGLISH[2][:1], "talk"),
    (6, 70, "Orders", OTHERS[5][:1], "talk"),
    (7, 48, "Support", ENGLISH[1][:1], "transfer"),
    (8, 35, "Orders", ENGLISH[0][:1], "alert"),
    (9, 19, "Support", OTHERS[3][:1], "queue"),
    (10, 11, "Orders", ENGLISH[4][:1], "queue"),
    (11, 4, "Support", OTHERS[6][:1], "queue"),
)


def stories(stage: Stage, cast: Cast) -> Iterator[Story]:
    """Four topics with fourteen chats."""
    numbers = {}
    for given in _TOPICS:
        topic = stage.do(create_chat_topic, ROOT, given)
        numbers[topic.name] = topic.topic_id
        for login in ("ingrid", "tony", "femi", "rosa"):
            rights = {"can_respond": True, "can_listen": True, "can_manage": login == "ingrid", "can_notify": True}
            stage.do(add_chat_topic_member, ROOT, GlobalId("top", topic.id), cast[login].user_id, rights)  # type: ignore[arg-type]
    for number in _SAMPLES:
        yield _sample(stage, cast, number)
    for person, minutes, name, lines, ending in _SCENES:
        yield _scene(stage, cast, person, stage.ago(minutes=minutes), numbers[name], lines, ending)


def _sample(stage: Stage, cast: Cast, number: int) -> Story:
    topic_id, first, last, session_key, values = _SAMPLES[number]
    yield stage.ago(days=1, minutes=number)

    def take_over(work: Work) -> ChatSession:
        topic = work.use(ChatTopicRepository).get_by_key(topic_id)
        assert topic is not None
        new = ChatSession(
            id=0,
            customer_id=None,
            chat_session_id=number,
            topic_id=topic.id,
            status=ChatSessionStatus.USER_LAST,
            session_key_digest=digest(session_key),
            created_at=work.now,
            updated_at=work.now,
        )
        return open_interaction(work, cast["gateway"], new, work.use(ChatSessionRepository).add, Requested())

    ref = GlobalId(PREFIX, stage.do(take_over).id)
    yield stage.now + timedelta(minutes=1)
    stage.do(receive_message, cast["gateway"], {"interaction": ref}, [said(first)])
    stage.do(mark_read, cast["gateway"], ref)
    yield stage.now + timedelta(minutes=1)
    stage.do(send_message, cast["gateway"], ref, said(last), fields={"message_type": "TO_CUSTOMER", "user_id": None})
    yield stage.now + timedelta(minutes=1)
    closed = {"status": ChatSessionStatus.CLOSED, "assignee_id": None, "rank_user_id": None, **values}

    def end(work: Work) -> None:
        before: ChatSession = begin(work, cast["gateway"], ref, Command.UPDATE)
        write(work, cast["gateway"], before, replace(before, **closed), Command.UPDATE)

    stage.do(end)


def _scene(
    stage: Stage, cast: Cast, person: int, at: datetime, topic_id: int, lines: Sequence[Line], ending: str
) -> Story:
    gateway, rosa = cast["gateway"], cast["rosa"]
    yield at
    first_name, last_name = person_name(person)
    given = {
        "customer_alias": first_name.lower(),
        "customer_name": f"{first_name} {last_name}",
        "customer_email": f"person{person}@example.org",
        "customer_host": f"192.0.2.{person + 1}",
        "customer_company_name": "Hamill-Veum",
        "customer_consented": True,
    }
    customer = cast.customer("CHAT_SESSION", person)
    asked = stage.do(request_chat_session, gateway, topic_id, given, customer_id=customer)
    ref = GlobalId(PREFIX, asked.id)
    hear, answer = hearing(stage, gateway, ref), answering(stage, rosa, ref)
    yield from talk(at + timedelta(seconds=20), timedelta(seconds=50), lines, hear, answer)
    if ending == "queue":
        return
    yield stage.now + timedelta(minutes=1)
    if ending == "close from queue":
        stage.do(close, rosa, ref)
        return
    if not any(not line.of_customer for line in lines):
        stage.do(pick_up_chat_session, rosa, ref)
    yield stage.now + timedelta(minutes=1)
    stage.do(send_message, rosa, ref, said("I am looking into it, one moment please."))
    stage.do(mark_read, rosa, ref)
    yield stage.now + timedelta(minutes=2)
    if ending == "solve":
        stage.do(send_message, rosa, ref, said("Done! Is there anything else?"))
        yield stage.now + timedelta(minutes=2)
        stage.do(close, rosa, ref)
        stage.do(rate_chat_session, gateway, ref, 5 - person % 2)
        stage.do(set_labels, rosa, ref, ["orders"])
    elif ending == "transfer":
        stage.do(transfer_chat_session, rosa, ref, cast["tony"].user_id)
    elif ending == "alert":
        stage.do(receive_message, gateway, {"interaction": ref}, [said("this is taking far too long!!! \U0001f621")])
        stage.do(update_chat_session, gateway, ref, {"alert_level": 3})
