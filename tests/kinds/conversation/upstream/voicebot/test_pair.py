"""What happens on one side of a connection to the messaging bot, and is seen on the other."""

import pytest

from app.core.errors import NotSupported
from app.interactions.messages import MessageStatus
from app.interactions.model import State
from app.interactions.service.holding import assign, claim, release
from app.interactions.service.messages import mark_read
from app.interactions.service.state import close, reopen, snooze
from app.kinds.conversation.model.conversation import Status
from tests.kinds.conftest import BO
from tests.kinds.conversation.upstream.voicebot.conftest import CNV, Pair

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]


async def test_conversation_is_read_with_its_messages(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    here = await pair.here()
    assert (here.state, here.unread_customer_messages_count) == (State.OPEN, 1)
    assert here.attention.reasons == ("TO_DO", "CUSTOMER_WAITING")
    assert await pair.texts() == ["Hello?"]
    assert here.reply_until == (await pair.there()).reply_until


async def test_what_is_read_again_changes_nothing(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    before, reads = await pair.here(), len(pair.reach.reads)
    await pair.sync(3)
    assert (await pair.here(), await pair.texts(), len(pair.reach.reads) - reads) == (before, ["Hello?"], 3)


async def test_answer_is_sent_and_adopted(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    number = await pair.says("Yes?")
    assert await pair.queue() == [("MESSAGE", "WAITING")]
    await pair.work()
    assert await pair.texts(there=True) == ["Hello?", "Yes?"]
    (_, sent) = await pair.messages()
    assert (sent.id, sent.message_key, sent.status) == (number, "2", MessageStatus.SENT)
    await pair.sync(2)
    assert await pair.texts() == ["Hello?", "Yes?"]
    assert await pair.queue() == []


async def test_values_are_set_there(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    run = pair.database.command
    await run(claim, BO, CNV)
    await run(mark_read, BO, CNV)
    await pair.work()
    there = await pair.there()
    assert (there.assignee_id, there.status, there.unread_customer_messages_count) == (
        BO.user_id,
        Status.IN_PROGRESS,
        0,
    )
    await run(close, BO, CNV)
    await run(reopen, BO, CNV)
    await run(close, BO, CNV)
    assert await pair.queue() == [("STATUS", "WAITING")]
    await run(release, BO, CNV)
    writes = len(pair.reach.writes)
    await pair.work()
    there = await pair.there()
    assert (there.assignee_id, there.status, len(pair.reach.writes) - writes) == (None, Status.DONE, 2)
    before = await pair.here()
    await pair.sync(2)
    assert await pair.here() == before


async def test_changes_there_are_seen_here(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    run = pair.twin.database.command
    await run(assign, BO, CNV, BO.user_id)
    await pair.sync()
    assert (await pair.here()).assignee_id == BO.user_id
    await run(close, BO, CNV)
    await pair.sync()
    assert (await pair.here()).state is State.CLOSED
    await pair.hears("Still there?")
    await pair.sync()
    assert ((await pair.here()).state, await pair.texts()) == (State.OPEN, ["Hello?", "Still there?"])


async def test_question_within_the_second_of_an_answer_is_asked(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    pair.clock.advance(0.5)
    await pair.says("Yes?")
    await pair.work()
    await pair.hears("Where are you?")
    await pair.sync()
    await pair.later(1)
    here = await pair.here()
    assert (here.waiting.unanswered, here.latest_message_id) == (1, here.latest_customer_message_id)
    assert [each.text for each in sorted(await pair.messages(), key=lambda each: each.sent_at)] == [
        "Hello?",
        "Yes?",
        "Where are you?",
    ]


async def test_command_that_the_system_has_not_is_refused(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    before = await pair.here()
    with pytest.raises(NotSupported):
        await pair.database.command(snooze, BO, CNV, pair.clock.now.replace(year=2027))
    assert (await pair.here(), await pair.queue()) == (before, [])
