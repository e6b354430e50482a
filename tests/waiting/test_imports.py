"""Old mail: what was said before enters history quietly."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor
from app.interactions.model import State
from app.interactions.service.holding import claim
from app.interactions.service.state import close, snooze
from app.interactions.waiting import NOT_WAITING
from tests.conftest import START
from tests.graph.listening import ears
from tests.graph.running import RULES
from tests.kinds.conftest import BO
from tests.waiting.floor import Floor
from tests.waiting.test_waiting import CLOSING

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
OLD: list[dict[str, Any]] = [{"imported": True}, {"sent_at": START - 3 * HOUR}]
"""A message that says that it is imported, and one that is long past."""


@pytest.mark.parametrize("old", OLD, ids=["imported", "long past"])
async def test_old_message_asks_nothing(floor: Floor, kind: str, old: dict[str, Any]) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    before = await floor.stored(ref)
    await floor.hear_in(ref, **old)
    after = await floor.stored(ref)
    assert (after.waiting, after.attention, after.unread_customer_messages_count) == (NOT_WAITING, before.attention, 0)
    assert (after.state, after.version) == (before.state, before.version)
    assert (await floor.topics(ref))[-1] == f"{kind}.message_imported"


@pytest.mark.parametrize("kind", CLOSING, indirect=True)
@pytest.mark.parametrize("old", OLD, ids=["imported", "long past"])
async def test_old_message_opens_nothing(floor: Floor, kind: str, old: dict[str, Any]) -> None:
    ref = await floor.opened(kind)
    await floor.do(close, BO, ref)
    await floor.hear_in(ref, **old)
    assert (await floor.stored(ref)).state is State.CLOSED


@pytest.mark.parametrize("sent_at", [None, START + 2 * HOUR - SECOND])
async def test_imported_message_brings_no_session_back_that_is_over(floor: Floor, sent_at: datetime | None) -> None:
    ref = await floor.opened("session")
    await floor.pass_until(START + 2 * HOUR)
    before = await floor.stored(ref)
    assert before.state is State.CLOSED
    posted = await floor.hear_in(ref, imported=True, sent_at=sent_at)
    after = await floor.stored(ref)
    assert (after.state, after.latest_customer_message_id) == (State.CLOSED, posted)
    assert (await floor.hear("session")).interaction != ref.number


async def test_old_message_ends_no_snooze_and_opens_no_reply_window(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.answer(ref)
    asleep = await floor.do(snooze, BO, ref, START + HOUR)
    floor.clock.advance(60)
    await floor.hear_in(ref, imported=True)
    after = await floor.stored(ref)
    assert (after.state, after.reply_until) == (State.SNOOZED, asleep.reply_until)


async def test_old_message_that_is_the_first_asks_as_any_other(floor: Floor, kind: str) -> None:
    posted = await floor.hear(kind, sent_at=START - 3 * HOUR)
    ref = GlobalId(RULES[kind].prefix, posted.interaction)
    after = await floor.stored(ref)
    assert (after.waiting.since, after.state) == (START, State.OPEN)
    floor.clock.advance(60)
    assert await floor.hear(kind) == (ref.number, posted.message + 1)
    await floor.answer(ref, author=MessageAuthor.BOT)


async def test_session_of_a_late_message_is_current_since_its_arrival(floor: Floor) -> None:
    posted = await floor.hear("session", sent_at=START - 3 * HOUR)
    key = "session-1"
    current = "query($key: String!) { currentSession(customerKey: $key) { id } }"
    found = await floor.graph.read(current, BO, key=key)
    assert found["currentSession"] == {"id": f"ses_{posted.interaction}"}
    await floor.pass_until(START + 2 * HOUR)
    assert (await floor.graph.read(current, BO, key=key))["currentSession"] is None
    assert (await floor.topics(GlobalId("ses", posted.interaction)))[-1] == "session.ended"


async def test_imported_message_alerts_nobody_with_the_interaction_that_it_opens(floor: Floor, kind: str) -> None:
    posted = await floor.hear(kind, imported=True, sent_at=START - HOUR)
    after = await floor.stored(GlobalId(RULES[kind].prefix, posted.interaction))
    assert (after.attention.needed, after.unread_customer_messages_count) == (False, 0)
    assert after.latest_customer_message_id == posted.message


async def test_imported_message_is_added_to_lists_of_messages(floor: Floor, kind: str, database_url: str) -> None:
    ref = await floor.opened(kind)
    async with ears(floor.graph, database_url) as heard:
        listener = await heard.listen("subscription { messageAdded { message { status } } }", BO)
        text = {"text": {"content": "Long ago"}}
        given = {"target": {"interactionId": str(ref)}, "contents": [text], "imported": True}
        await floor.graph.do("receiveMessage", given, "", BO)
        assert await listener.next() == {"message": {"status": "READ"}}
