"""What becomes of a write to SuperOffice whose answer is a refusal, or none."""

import pytest

from app.connections.service import retry_entry
from app.core.ids import GlobalId
from app.interactions.messages import MessageStatus
from app.interactions.model import State
from app.interactions.service.holding import claim
from app.interactions.service.messages import send_message
from app.interactions.service.state import close, reopen
from app.kinds.chat_session.model.session import ChatSessionChanges
from app.kinds.chat_session.model.session import ChatSessionStatus as S
from app.kinds.chat_session.service.queue import pick_up_chat_session
from app.kinds.chat_session.service.sessions import update_chat_session
from tests.connections.conftest import ADA
from tests.kinds.chat_session.upstream.superoffice.conftest import Pair
from tests.kinds.conftest import BO

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

CHAT = GlobalId("chs", 1)
SETTLES = 16.0


@pytest.fixture
async def pair(pair: Pair) -> Pair:
    ref = await pair.requested()
    await pair.hears(ref, "Hello?")
    await pair.sync()
    return pair


async def test_message_that_was_not_sent_is_sent_later(pair: Pair) -> None:
    pair.reach.faults = ["busy"]
    await pair.says("Yes?")
    await pair.work()
    assert (await pair.queue(), await pair.texts(there=True)) == ([("MESSAGE", "WAITING")], ["Hello?"])
    await pair.later(30)
    assert (await pair.queue(), await pair.texts(there=True)) == ([], ["Hello?", "Yes?"])


@pytest.mark.parametrize("fault", ["lost", "after"])
async def test_message_whose_answer_was_lost_is_there_once(pair: Pair, fault: str) -> None:
    pair.reach.faults = [fault]
    number = await pair.says("Yes?")
    await pair.work()
    assert await pair.queue() == [("MESSAGE", "LOOKING")]
    await pair.later(SETTLES)
    assert (await pair.queue(), await pair.texts(there=True)) == ([], ["Hello?", "Yes?"])
    await pair.later(61)
    (_, own) = await pair.messages()
    assert (own.id, own.message_key, own.status) == (number, "2", MessageStatus.SENT)


async def test_status_whose_answer_was_lost_is_done_by_then(pair: Pair) -> None:
    pair.reach.faults = ["after"]
    await pair.database.command(close, BO, CHAT)
    await pair.work()
    assert ((await pair.there()).status, await pair.queue()) == (S.CLOSED_FROM_QUEUE, [("STATUS", "WAITING")])
    await pair.later(5)
    # The condition is not met any more, and what is there is what was wanted.
    assert (await pair.queue(), (await pair.here()).status) == ([], S.CLOSED_FROM_QUEUE)


async def test_status_is_refused_where_the_customer_has_written_since(pair: Pair) -> None:
    await pair.says("Yes?")
    await pair.work()
    await pair.hears(GlobalId("chs", 1), "One more thing")
    await pair.database.command(close, BO, CHAT)
    await pair.work()
    here = await pair.here()
    assert (await pair.queue(), here.state) == ([("STATUS", "REFUSED")], State.OPEN)
    assert "SYNC_REFUSED" in here.attention.reasons
    assert (await pair.entries())[0].error == "In the other system, the chat is CustomerLast now."
    await pair.later(61)
    assert ((await pair.here()).status, await pair.texts()) == (S.CUSTOMER_LAST, ["Hello?", "Yes?", "One more thing"])


async def test_customer_who_writes_overtakes_a_status_that_waits(pair: Pair) -> None:
    await pair.says("Yes?")
    await pair.work()
    pair.clock.advance(1)
    pair.reach.faults = ["busy"]
    await pair.database.command(close, BO, CHAT)
    await pair.work()
    await pair.hears(GlobalId("chs", 1), "One more thing")
    await pair.sync()
    here = await pair.here()
    assert (await pair.queue(), here.status, here.waiting.needed) == ([], S.CUSTOMER_LAST, True)


async def test_answer_of_somebody_else_is_no_conflict(pair: Pair) -> None:
    await pair.database.command(pick_up_chat_session, BO, CHAT)
    await pair.work()
    assert (await pair.here()).status is S.CUSTOMER_LAST
    await pair.twin.database.command(send_message, BO, CHAT, {"type": "text", "content": "From there"})
    await pair.database.command(close, BO, CHAT)
    await pair.work()
    assert ((await pair.there()).status, await pair.queue()) == (S.CLOSED, [])


async def test_pick_up_that_came_too_late_is_set_back(pair: Pair) -> None:
    await pair.twin.database.command(pick_up_chat_session, ADA, CHAT)
    await pair.database.command(claim, BO, CHAT)
    await pair.work()
    here = await pair.here()
    assert (await pair.queue(), here.assignee_id, here.status) == ([("PICK_UP", "REFUSED")], None, S.IN_QUEUE)
    await pair.later(61)
    here = await pair.here()
    assert (here.assignee_id, here.status) == (ADA.user_id, S.CUSTOMER_LAST)


async def test_pick_up_whose_answer_was_lost_is_found_done(pair: Pair) -> None:
    pair.reach.faults = ["after"]
    await pair.database.command(claim, BO, CHAT)
    await pair.work()
    await pair.later(5)
    assert (await pair.queue(), (await pair.there()).assignee_id) == ([], BO.user_id)


async def test_user_without_a_credential_writes_by_the_connections_and_takes_nothing(pair: Pair) -> None:
    pair.reach.own = frozenset({"ada"})
    await pair.database.command(claim, BO, CHAT)
    await pair.work()
    (entry,) = await pair.entries()
    assert (entry.state, entry.error) == ("REFUSED", "Bo has no credential of their own for the other system.")
    assert ((await pair.here()).assignee_id, pair.reach.writes) == (None, [])
    await pair.says("Yes?")
    await pair.work()
    assert (pair.reach.writes, await pair.texts(there=True)) == (
        ["ada POST /v1/ChatSession/1/Messages"],
        ["Hello?", "Yes?"],
    )


async def test_field_that_was_refused_is_set_back_and_tried_again_by_hand(pair: Pair) -> None:
    pair.reach.faults = ["refused"]
    await pair.database.command(update_chat_session, BO, CHAT, ChatSessionChanges(customer_alias="A."))
    await pair.work()
    assert ((await pair.here()).customer_alias, await pair.queue()) == (None, [("FIELD", "REFUSED")])
    (entry,) = await pair.entries()
    await pair.database.command(retry_entry, BO, f"obx_{entry.id}")
    assert (await pair.here()).customer_alias == "A."
    await pair.work()
    assert ((await pair.there()).customer_alias, await pair.queue()) == ("A.", [])


async def test_pending_field_wins_until_it_is_confirmed(pair: Pair) -> None:
    pair.reach.faults = ["busy"]
    await pair.database.command(update_chat_session, BO, CHAT, ChatSessionChanges(alert_level=2))
    await pair.work()
    await pair.hears(GlobalId("chs", 1), "Anybody?")
    await pair.sync()
    assert ((await pair.here()).alert_level, (await pair.there()).alert_level) == (2, 0)
    await pair.later(30)
    assert ((await pair.there()).alert_level, await pair.queue()) == (2, [])


async def test_outage_ends_in_what_both_sides_have(pair: Pair) -> None:
    pair.reach.silent = True
    await pair.says("Yes?")
    await pair.work()
    await pair.hears(GlobalId("chs", 1), "Anybody?")
    pair.reach.silent = False
    await pair.later(61)
    await pair.later(61)
    assert sorted(map(str, await pair.texts(there=True))) == ["Anybody?", "Hello?", "Yes?"]
    assert (sorted(map(str, await pair.texts())), await pair.queue()) == (["Anybody?", "Hello?", "Yes?"], [])


async def test_message_before_many_answers_is_taken_in(pair: Pair) -> None:
    pair.clock.advance(1)
    await pair.hears(CHAT, "Are you there?")
    for number in range(8):
        await pair.says(f"Answer {number}")
    await pair.work()
    await pair.sync()
    await pair.later(1)
    assert sorted(await pair.texts(), key=str) == sorted(await pair.texts(there=True), key=str)


async def test_status_after_one_whose_answer_was_lost_is_set(pair: Pair) -> None:
    pair.reach.faults = ["after"]
    await pair.database.command(close, BO, CHAT)
    await pair.work()
    await pair.database.command(reopen, BO, CHAT)
    await pair.later(2)
    await pair.later(1)
    there, here = await pair.there(), await pair.here()
    assert (here.state, here.status, await pair.queue()) == (State.OPEN, there.status, [])
