"""What becomes of a write whose answer is a refusal, or none."""

from datetime import timedelta

import pytest

from app.connections.model.outbox import CREATING_LASTS, VALUE_LASTS
from app.connections.service import drop_entry, retry_entry
from app.connections.service.sending import MOST_TRIES, begin_entry, entry_refused
from app.core.errors import Forbidden, InvalidTransition, NotFound
from app.core.ids import GlobalId
from app.interactions.messages import MessageStatus
from app.interactions.model import State
from app.interactions.service.deliveries import set_reaction
from app.interactions.service.holding import claim
from app.interactions.service.messages import send_message
from app.interactions.service.state import clear_attention, close, reopen
from app.kinds.conversation.model.conversation import Status
from app.kinds.conversation.service import restart_conversation
from app.storage.event_log import event_log
from app.storage.leases import take_lease
from app.storage.work import Work
from tests.kinds.conftest import BO, CY, store_customer
from tests.kinds.conversation.upstream.voicebot.conftest import CNV, SETTLES, Pair

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each, pytest.mark.usefixtures("met")]


async def topics(pair: Pair) -> list[str]:
    def read(work: Work) -> list[str]:
        found = event_log.select().with_only_columns(event_log.c.topic).order_by(event_log.c.position)
        return list(work.connection.execute(found).scalars())

    return [each for each in await pair.database.command(read) if ".sync" in each]


@pytest.mark.parametrize("fault", ["before", "busy"])
async def test_message_that_was_not_sent_is_sent_later(pair: Pair, fault: str) -> None:
    pair.reach.faults = [fault]
    await pair.says("Yes?")
    await pair.work()
    assert (await pair.queue(), await pair.texts(there=True)) == ([("MESSAGE", "WAITING")], ["Hello?"])
    await pair.later(29)
    assert len(await pair.texts(there=True)) == (2 if fault == "before" else 1)
    await pair.later(1)
    assert (await pair.queue(), await pair.texts(there=True)) == ([], ["Hello?", "Yes?"])


@pytest.mark.parametrize("fault", ["lost", "after"])
async def test_message_whose_answer_was_lost_is_there_once(pair: Pair, fault: str) -> None:
    pair.reach.faults = [fault]
    number = await pair.says("Yes?")
    await pair.work()
    assert await pair.queue() == [("MESSAGE", "LOOKING")]
    await pair.sync(2)
    await pair.later(SETTLES - 1)
    assert await pair.queue() == [("MESSAGE", "LOOKING")]
    await pair.later(2)
    assert (await pair.queue(), await pair.texts(there=True)) == ([], ["Hello?", "Yes?"])
    await pair.sync(2)
    (_, own) = await pair.messages()
    assert (own.id, own.message_key, own.status) == (number, "2", MessageStatus.SENT)


async def test_message_is_not_sent_for_ever(pair: Pair) -> None:
    pair.reach.faults = ["lost"] * 10
    await pair.says("Yes?")
    for _ in range(10):
        await pair.later(SETTLES + 60)
    assert (await pair.queue(), 10 - len(pair.reach.faults)) == ([("MESSAGE", "UNCERTAIN")], MOST_TRIES)
    here = await pair.here()
    assert (here.sync_trouble, here.attention.reasons[-1], here.attention.user_id) == (
        "UNCERTAIN",
        "SYNC_UNCERTAIN",
        BO.user_id,
    )
    assert await topics(pair) == ["conversation.sync_uncertain"]


async def test_restart_is_never_repeated_by_itself(pair: Pair) -> None:
    pair.clock.advance(timedelta(hours=25).total_seconds())
    await pair.sync()
    pair.reach.faults = ["lost"]
    await pair.database.command(restart_conversation, BO, "cnv_1")
    for _ in range(3):
        await pair.later(SETTLES + 60)
    assert (await pair.queue(), pair.reach.writes) == ([("RESTART", "UNCERTAIN")], [])


async def test_restart_whose_answer_was_lost_is_found(pair: Pair) -> None:
    pair.clock.advance(timedelta(hours=25).total_seconds())
    await pair.sync()
    pair.reach.faults = ["after"]
    await pair.database.command(restart_conversation, BO, "cnv_1")
    await pair.work()
    await pair.later(SETTLES + 1)
    assert (await pair.queue(), len(pair.reach.writes), len(await pair.messages())) == ([], 1, 2)


async def test_refused_message_counts_as_failed(pair: Pair) -> None:
    pair.reach.faults = ["refused"]
    await pair.says("Yes?")
    await pair.work()
    (_, own), here = await pair.messages(), await pair.here()
    assert (own.status, here.waiting.needed, here.waiting.failed) == (MessageStatus.ERROR, True, True)
    assert {"DELIVERY_FAILED", "SYNC_REFUSED"} <= set(here.attention.reasons)
    (entry,) = await pair.entries()
    assert (entry.state, entry.error) == ("REFUSED", "The other system answered 422.")
    assert await topics(pair) == ["conversation.sync_refused"]


async def test_refused_value_is_set_back(pair: Pair) -> None:
    run = pair.database.command
    pair.reach.faults = ["refused", "refused", "refused"]
    await run(claim, BO, CNV)
    await run(set_reaction, BO, GlobalId("msg", 1), "\U0001f600")
    await pair.work()
    here = await pair.here()
    assert (here.status, here.assignee_id, (await pair.messages())[0].agent_reaction) == (Status.TO_DO, None, None)
    assert await pair.queue() == [("STATUS", "REFUSED"), ("ASSIGNEE", "REFUSED"), ("REACTION", "REFUSED")]
    assert "SYNC_REFUSED" in here.attention.reasons
    await run(claim, BO, CNV)
    await pair.work()
    assert await pair.queue() == [("REACTION", "REFUSED")]
    await run(clear_attention, BO, CNV)
    assert (await pair.queue(), (await pair.here()).sync_trouble) == ([], None)


async def test_refusal_of_an_older_value_leaves_the_newer_one(pair: Pair) -> None:
    run = pair.database.command
    pair.reach.faults = ["refused"]
    await run(close, BO, CNV)
    (entry,) = await pair.entries()

    await run(take_lease, pair.keeper.lease, "tests", timedelta(seconds=30))
    begun = await run(begin_entry, pair.keeper.remote, pair.keeper.lease, "tests", entry.id)
    assert begun is not None

    await run(reopen, BO, CNV)
    assert await pair.queue() == [("STATUS", "SENDING"), ("STATUS", "WAITING")]
    await run(entry_refused, entry.id, begun.entry.attempts, "No.")
    assert (await pair.here()).status is Status.IN_PROGRESS
    (_, newer) = await pair.entries()
    assert newer.confirmed == "TO_DO"


async def test_write_waits_for_a_token_that_is_taken(pair: Pair) -> None:
    pair.reach.faults = ["unauthorized"]
    await pair.says("Yes?")
    await pair.work()
    assert await pair.queue() == [("MESSAGE", "WAITING")]
    await pair.later(61)
    assert (await pair.queue(), await pair.texts(there=True)) == ([], ["Hello?", "Yes?"])


async def test_write_that_was_too_late_is_refused_or_uncertain(pair: Pair) -> None:
    pair.reach.silent = True
    await pair.says("Yes?")
    await pair.database.command(close, BO, CNV)
    await pair.work()
    await pair.later(CREATING_LASTS.total_seconds())
    await pair.work()
    assert ("MESSAGE", "REFUSED") in await pair.queue()
    await pair.later(VALUE_LASTS.total_seconds())
    await pair.work()
    assert await pair.queue() == [("MESSAGE", "REFUSED"), ("STATUS", "REFUSED")]
    assert (await pair.here()).state is State.OPEN


async def test_process_that_ended_while_it_sent_is_followed_by_a_look(pair: Pair) -> None:

    run = pair.database.command
    await pair.says("Yes?")
    (entry,) = await pair.entries()
    await run(take_lease, pair.keeper.lease, "tests", timedelta(seconds=30))
    begun = await run(begin_entry, pair.keeper.remote, pair.keeper.lease, "tests", entry.id)
    assert begun is not None
    assert await run(begin_entry, pair.keeper.remote, pair.keeper.lease, "tests", entry.id) is None
    await pair.keeper.remote.send(pair.reach, begun.task)
    await pair.later(61)
    assert (await pair.queue(), await pair.texts(there=True)) == ([], ["Hello?", "Yes?"])


async def test_process_without_the_lease_sends_nothing(pair: Pair) -> None:

    await pair.says("Yes?")
    (entry,) = await pair.entries()
    run = pair.database.command
    assert await run(begin_entry, pair.keeper.remote, pair.keeper.lease, "another", entry.id) is None
    assert await pair.queue() == [("MESSAGE", "WAITING")]


async def test_entry_is_tried_again_by_hand(pair: Pair) -> None:
    run = pair.database.command
    pair.reach.faults = ["refused", "refused"]
    await pair.says("Yes?")
    await run(close, BO, CNV)
    await pair.work()
    message, status = await pair.entries()
    for each in (message, status):
        await run(retry_entry, BO, f"obx_{each.id}")
    here = await pair.here()
    assert (here.status, here.sync_trouble, here.waiting.needed) == (Status.DONE, None, False)
    await pair.work()
    there = await pair.there()
    assert (there.status, await pair.texts(there=True), await pair.queue()) == (Status.DONE, ["Hello?", "Yes?"], [])
    assert (await pair.messages())[1].status is MessageStatus.SENT


async def test_entry_is_dropped_by_hand(pair: Pair) -> None:
    run = pair.database.command
    pair.reach.faults = ["refused"]
    await run(close, BO, CNV)
    await pair.work()
    (entry,) = await pair.entries()
    with pytest.raises(Forbidden):
        await run(drop_entry, CY, f"obx_{entry.id}")
    await run(drop_entry, BO, f"obx_{entry.id}")
    assert (await pair.queue(), (await pair.here()).sync_trouble) == ([], None)
    for command in (drop_entry, retry_entry):
        with pytest.raises(NotFound):
            await run(command, BO, f"obx_{entry.id}")


async def test_entry_that_is_worked_on_is_left_alone(pair: Pair) -> None:
    await pair.says("Yes?")
    (entry,) = await pair.entries()
    for command in (drop_entry, retry_entry):
        with pytest.raises(InvalidTransition):
            await pair.database.command(command, BO, f"obx_{entry.id}")
    assert await pair.queue() == [("MESSAGE", "WAITING")]


async def test_messages_of_a_conversation_keep_their_order(pair: Pair) -> None:
    pair.reach.faults = ["busy"]
    await pair.says("One")
    await pair.says("Two")
    await pair.work()
    assert await pair.texts(there=True) == ["Hello?"]
    await pair.later(30)
    assert await pair.texts(there=True) == ["Hello?", "One", "Two"]


async def test_stuck_conversation_stops_no_other(pair: Pair) -> None:
    other = await pair.twin.database.command(_another_customer)
    await pair.hears("Me too", other)
    await pair.sync()
    pair.reach.faults = ["lost"]
    await pair.says("One")
    await pair.work()
    await pair.says("Two", 2)
    await pair.work()
    assert (await pair.queue(), await pair.texts(there=True)) == ([("MESSAGE", "LOOKING")], ["Hello?", "Me too", "Two"])


def _another_customer(work: Work) -> int:
    return store_customer(work, customer_key="cleo", system="CONVERSATION", channel="WHATSAPP", display_id="491511")


async def test_message_that_is_found_later_is_the_uncertain_one(pair: Pair) -> None:
    pair.reach.faults = ["lost"] * MOST_TRIES
    number = await pair.says("Yes?")
    for _ in range(2 * MOST_TRIES):
        await pair.later(SETTLES + 60)
    assert await pair.queue() == [("MESSAGE", "UNCERTAIN")]
    content = {"type": "text", "content": "Yes?"}
    await pair.twin.database.command(send_message, BO, CNV, content)
    await pair.sync()
    assert (await pair.queue(), [each.id for each in await pair.messages()][1:]) == ([], [number])
    assert (await pair.here()).sync_trouble is None
