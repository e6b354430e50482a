"""The example of the contract's page, sent to a real server."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from app.core.ids import GlobalId
from app.kinds.chat_session.model.session import PREFIX, ChatSession, ChatSessionStatus
from app.kinds.chat_session.model.topic import ChatTopic
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.kinds.chat_session.service.queue import pick_up_chat_session
from app.kinds.chat_session.service.requests import digest
from app.storage.work import Work
from tests.conftest import START, ManualClock
from tests.kinds.conftest import BO, store_users
from tests.kinds.golden import golden, ordered, send
from tests.kinds.rest import housed, serving

pytestmark = pytest.mark.anyio

GET, PUT = golden(Path(__file__).with_name("golden"))


@pytest.fixture(autouse=True)
def the_printed_password_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.kinds.rest.ACTORS", {"Tje0": BO})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def store(work: Work, topic_id: int, **given: Any) -> int:
    """A chat with the number and topic that a page shows."""
    new = ChatTopic(id=0, topic_id=topic_id, name="Topic", created_at=START, updated_at=START)
    topic = work.use(ChatTopicRepository).add(new)
    fields = {"customer_id": None, "session_key_digest": "", "created_at": START, "updated_at": START} | given
    return work.use(ChatSessionRepository).add(ChatSession(id=0, topic_id=topic.id, **fields)).id


async def test_the_chat_of_the_response(database_url: str, clock: ManualClock) -> None:
    page = GET.response["body"]

    def fill(work: Work) -> None:
        store_users(work)
        times = {name: at(page[wire]) for name, wire in TIMES.items()}
        texts = {name: page[wire] for name, wire in TEXTS.items()}
        store(
            work,
            page["TopicId"],
            chat_session_id=page["ChatSessionId"],
            status=ChatSessionStatus.CLOSED,
            **times,
            **texts,
        )

    async with housed(database_url, clock) as house, serving(house) as url:
        await house.database.command(fill)
        answer = await send(GET, url)
        expected = {**page, "_Links": {name: link.replace("<URL>", url) for name, link in page["_Links"].items()}}
        assert (answer.status, ordered(answer.json())) == (200, ordered(expected))
        assert answer.headers["content-type"] == GET.response["headers"]["Content-Type"]


async def test_the_request(database_url: str, clock: ManualClock) -> None:
    (body,) = [orjson.loads(word) for word in PUT.arguments("", {}) if word.startswith("{")]

    def fill(work: Work) -> None:
        store_users(work)
        number = store(
            work,
            body["TopicId"],
            chat_session_id=body["ChatSessionId"],
            status=ChatSessionStatus.IN_QUEUE,
            session_key_digest=digest(body["SessionKey"]),
            when_requested=START,
        )
        pick_up_chat_session(work, BO, GlobalId(PREFIX, number))

    async with housed(database_url, clock) as house, serving(house) as url:
        await house.database.command(fill)
        clock.advance(60)
        answer = await send(PUT, url)
        async with httpx2.AsyncClient(base_url=url, headers={"Authorization": "SOTicket Tje0"}) as client:
            read = await client.get(f"/api/v1/ChatSession/{body['ChatSessionId']}")
    found = answer.json()
    assert answer.status == PUT.response["status"]
    assert answer.headers["content-type"] == PUT.response["headers"]["Content-Type"]
    assert read.content == answer.content
    assert list(found) == list(GET.response["body"])
    assert {name: found[name] for name in PUT.echoed} == {name: body[name] for name in PUT.echoed}
    derived = {name: found[name] for name in ("FirstMessage", "LastMessage", *TIMES.values(), "Rank", "SessionKey")}
    assert derived == {
        "FirstMessage": None,
        "LastMessage": None,
        "WhenRequested": "2026-01-05T09:00:00.0000000+00:00",
        "WhenStarted": "2026-01-05T09:00:00.0000000+00:00",
        "WhenEnded": "2026-01-05T09:01:00.0000000+00:00",
        "WhenIdle": "0001-01-01T00:00:00",
        "WhenFetched": "0001-01-01T00:00:00",
        "Rank": 1,
        "SessionKey": "********",
    }
    assert found["User"]["Name"] == "bo"


TIMES = {
    "when_requested": "WhenRequested",
    "when_started": "WhenStarted",
    "when_ended": "WhenEnded",
    "when_idle": "WhenIdle",
    "when_fetched": "WhenFetched",
}
TEXTS = {
    "customer_alias": "CustomerAlias",
    "customer_host": "CustomerHost",
    "customer_name": "CustomerName",
    "customer_email": "CustomerEmail",
    "customer_phone": "CustomerPhone",
    "customer_company_name": "CustomerCompanyName",
    "first_message": "FirstMessage",
    "last_message": "LastMessage",
    "initial_queue_pos": "InitialQueuePos",
    "alert_level": "AlertLevel",
    "rank": "Rank",
    "rating": "Rating",
}
