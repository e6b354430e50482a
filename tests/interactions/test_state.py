from datetime import timedelta

import pytest

from app.core.errors import Conflict, InvalidInput, InvalidTransition, NotClearable, NotSupported, TooLong
from app.interactions.model import Attention, Level, State
from app.interactions.service.deadlines import fire_due
from app.interactions.service.messages import mark_read
from app.interactions.service.state import (
    acknowledge,
    clear_attention,
    close,
    raise_attention,
    reopen,
    set_labels,
    snooze,
    unsnooze,
)
from tests.conftest import START
from tests.interactions.conftest import House, cnv, ses
from tests.kinds.conftest import BO

pytestmark = pytest.mark.anyio


async def test_closing_ends_attention_and_reopening_brings_it_back(house: House) -> None:
    await house.hear()
    closed = await house.database.command(close, BO, cnv(1))
    assert (closed.state, closed.attention, closed.version) == (State.CLOSED, Attention(), 2)
    with pytest.raises(InvalidTransition):
        await house.database.command(close, BO, cnv(1))
    house.clock.advance(10)
    opened = await house.database.command(reopen, BO, cnv(1))
    assert opened.state is State.OPEN
    assert (opened.attention.reason, opened.attention.since) == ("CUSTOMER_WAITING", START + timedelta(seconds=10))
    assert (await house.topics())[-4:] == [
        "conversation.closed",
        "attention.cleared",
        "conversation.reopened",
        "attention.raised",
    ]


async def test_a_snooze_ends_with_time_and_by_hand(house: House) -> None:
    await house.hear()
    until = START + timedelta(hours=1)
    asleep = await house.database.command(snooze, BO, cnv(1), until)
    assert (asleep.state, asleep.attention.needed) == (State.SNOOZED, False)
    told = await house.topics()
    await house.database.command(fire_due, 10)
    assert await house.topics() == told
    house.clock.advance(3600)
    assert (await house.database.command(fire_due, 10)).changed == 1
    assert (await house.topics())[len(told) :] == ["conversation.snooze_ended", "attention.raised"]
    await house.database.command(snooze, BO, cnv(1), until + timedelta(hours=1))
    assert (await house.database.command(unsnooze, BO, cnv(1))).state is State.OPEN
    with pytest.raises(InvalidTransition):
        await house.database.command(unsnooze, BO, cnv(1))


async def test_a_snooze_ends_in_the_future(house: House) -> None:
    await house.hear()
    with pytest.raises(InvalidInput) as refused:
        await house.database.command(snooze, BO, cnv(1), START)
    assert refused.value.path == ("until",)


async def test_what_a_session_has_no_command_for(house: House) -> None:
    await house.hear_sam()
    told = await house.topics()
    for command in (close, reopen, unsnooze):
        with pytest.raises(NotSupported):
            await house.database.command(command, BO, ses(1))
    with pytest.raises(NotSupported):
        await house.database.command(snooze, BO, ses(1), START + timedelta(hours=1))
    assert await house.topics() == told


async def test_attention_is_raised_and_cleared_by_hand(house: House) -> None:
    await house.hear_sam()
    raised = await house.database.command(raise_attention, BO, ses(1), Level.URGENT)
    assert raised.attention == Attention(level=Level.URGENT, reason="RAISED", reasons=("RAISED",), since=START)
    assert (await house.topics())[-2:] == ["session.attention_raised", "attention.raised"]
    cleared = await house.database.command(clear_attention, BO, ses(1))
    assert (cleared.attention, cleared.raised_level) == (Attention(), None)
    with pytest.raises(Conflict):
        await house.database.command(clear_attention, BO, ses(1))


async def test_the_highest_reason_leads_and_all_are_kept(house: House) -> None:
    await house.hear()
    raised = await house.database.command(raise_attention, BO, cnv(1))
    assert (raised.attention.reason, raised.attention.level) == ("RAISED", Level.HIGH)
    assert raised.attention.reasons == ("TO_DO", "CUSTOMER_WAITING", "RAISED")
    cleared = await house.database.command(clear_attention, BO, cnv(1))
    assert cleared.attention.reasons == ("TO_DO", "CUSTOMER_WAITING")
    assert [(event.topic, event.level_before, event.level_after) for event in (await house.told())[-2:]] == [
        ("conversation.attention_cleared", 2, 3),
        ("attention.changed", 2, 3),
    ]


async def test_what_does_not_end_by_hand_says_what_ends_it(house: House) -> None:
    await house.hear()
    told = await house.topics()
    with pytest.raises(NotClearable) as refused:
        await house.database.command(clear_attention, BO, cnv(1))
    assert refused.value.reasons == ("TO_DO", "CUSTOMER_WAITING")
    assert refused.value.message == (
        "Clearing does not end this attention: TO_DO ends with beginning to work on it, or closing it; "
        "CUSTOMER_WAITING ends with answering the customer, or closing it."
    )
    assert await house.topics() == told


async def test_an_acknowledgement_ends_when_the_level_rises(house: House) -> None:
    await house.hear()
    known = await house.database.command(acknowledge, BO, cnv(1))
    assert (known.attention.acknowledged_by, known.attention.acknowledged_at, known.version) == (2, START, 1)
    told = await house.topics()
    assert await house.database.command(acknowledge, BO, cnv(1)) == known
    assert await house.topics() == told
    house.clock.advance(5)
    still = await house.database.command(raise_attention, BO, cnv(1), Level.LOW)
    assert (still.attention.acknowledged_by, still.attention.since) == (2, START)
    raised = await house.database.command(raise_attention, BO, cnv(1))
    assert (raised.attention.acknowledged_by, raised.attention.since) == (None, START)


async def test_reading_ends_unread(house: House) -> None:
    await house.hear()
    await house.hear()
    read = await house.database.command(mark_read, BO, cnv(1))
    assert (read.unread_customer_messages_count, read.version) == (0, 1)
    told = await house.topics()
    assert told[-1] == "conversation.read"
    await house.database.command(mark_read, BO, cnv(1))
    assert await house.topics() == told


async def test_labels_have_limits(house: House) -> None:
    await house.hear()
    with pytest.raises(TooLong) as many:
        await house.database.command(set_labels, BO, cnv(1), [f"l{number}" for number in range(65)])
    assert many.value.path == ("labels",)
    with pytest.raises(TooLong) as long:
        await house.database.command(set_labels, BO, cnv(1), ["a", "b" * 65])
    assert long.value.path == ("labels", 1)
    with pytest.raises(InvalidInput):
        await house.database.command(set_labels, BO, cnv(1), [" "])
