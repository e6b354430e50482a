"""How what the messaging bot has comes in: history, faults, erasure, settings."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.connections.model import NewConnection
from app.connections.service import (
    create_connection,
    pause_connection,
    reachable,
    standings,
    try_connection,
    update_connection,
)
from app.connections.service.history import history
from app.connections.service.reading import next_page, note_walked
from app.core.errors import DomainError, NotSupported
from app.core.ids import GlobalId
from app.directory.model import Channel
from app.interactions.connector import Unmappable
from app.interactions.model import State
from app.interactions.remote import Listed, ListPage
from app.interactions.service.erasing import erase_customer
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.state import close, reopen
from app.kinds.conversation.model.conversation import Status
from app.kinds.conversation.repository import ConversationRepository
from app.kinds.conversation.upstream.voicebot.shapes import read_conversation
from app.registry import CONNECTORS
from app.settings import Settings
from app.storage.database import Database, Work
from app.storage.event_log import event_log
from tests.conftest import ManualClock
from tests.connections.conftest import ADA, KEYS
from tests.kinds.conftest import BO
from tests.kinds.conversation.upstream.voicebot.conftest import CNV, Pair

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

GOOD = {"system": "VOICEBOT", "name": "Bot", "address": "https://bot.example.com/v1", "credential": "token"}


async def state(pair: Pair) -> tuple[str, str | None]:
    (found,) = await pair.database.command(standings)
    error = found.standing.error(pair.clock.now)
    return found.standing.state(pair.clock.now).value, None if error is None else error.value


async def answered_yesterday(pair: Pair) -> None:
    """An exchange at the twin from before the connection, which is closed there."""
    run = pair.twin.database.command
    yesterday = pair.clock.now - timedelta(days=1)
    target = {"kind": "conversation", "customer_id": pair.desk.ana, "channel_agent_id": pair.desk.bridge}
    target["channel_agent_id"] = pair.desk.whatsapp
    content = {"type": "text", "content": "Hello?"}
    await run(receive_message, BO, target, [content], sent_at=yesterday)
    answer = {"type": "text", "content": "Yes."}
    await run(send_message, BO, CNV, answer, fields={"sent_at": yesterday + timedelta(minutes=1)})


async def test_history_enters_quietly(pair: Pair) -> None:
    await answered_yesterday(pair)
    await pair.twin.database.command(close, BO, CNV)
    await pair.sync()
    here = await pair.here()
    assert (here.state, here.attention.level, here.unread_customer_messages_count) == (State.CLOSED, None, 0)
    assert await pair.texts() == ["Hello?", "Yes."]
    assert here.last_message_at == pair.clock.now - timedelta(days=1) + timedelta(minutes=1)


async def test_question_from_before_that_is_still_open_asks_for_a_human(pair: Pair) -> None:
    await answered_yesterday(pair)
    run = pair.twin.database.command
    early = pair.clock.now - timedelta(hours=1)
    target = {"kind": "conversation", "customer_id": pair.desk.ana, "channel_agent_id": pair.desk.whatsapp}
    await run(receive_message, BO, target, [{"type": "text", "content": "And now?"}], sent_at=early)
    await pair.sync()
    here = await pair.here()
    assert (here.waiting.unanswered, here.attention.reasons) == (1, ("TO_DO", "CUSTOMER_WAITING"))


async def test_list_is_read_whole_once_and_then_hourly(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    assert await state(pair) == ("CONNECTED", None)
    assert (await pair.database.command(next_page, pair.connection, timedelta(hours=1))).page is None
    pair.clock.advance(3_600)
    assert (await pair.database.command(next_page, pair.connection, timedelta(hours=1))).page == 1


async def test_system_that_cannot_be_reached_is_said_and_passes(pair: Pair) -> None:
    assert await state(pair) == ("CONNECTING", None)
    pair.reach.silent = True
    await pair.sync()
    assert await state(pair) == ("DEGRADED", "SYSTEM_SILENT")
    pair.reach.silent = False
    await pair.hears("Hello?")
    await pair.sync()
    assert (await state(pair), await pair.texts()) == (("BACKFILLING", None), ["Hello?"])


async def test_pending_value_wins_until_it_is_confirmed(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    await pair.database.command(close, BO, CNV)
    pair.reach.faults = ["busy"]
    await pair.work()
    await pair.twin.database.command(send_message, BO, CNV, {"type": "text", "content": "From there"})
    await pair.sync()
    assert ((await pair.here()).state, len(await pair.texts())) == (State.CLOSED, 2)
    await pair.later(30)
    assert (await pair.there()).state is State.CLOSED
    await pair.twin.database.command(reopen, BO, CNV)
    await pair.sync()
    # A read of the very moment of the latest write says nothing.
    assert (await pair.here()).state is State.CLOSED
    await pair.later(1)
    assert (await pair.here()).state is State.OPEN


async def test_customer_who_writes_overtakes_a_status_that_waits(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    await pair.database.command(close, BO, CNV)
    pair.reach.faults = ["busy"]
    await pair.work()
    await pair.hears("One more thing")
    await pair.sync()
    await pair.later(60)
    assert (await pair.queue(), (await pair.there()).state) == ([], State.OPEN)
    here = await pair.here()
    assert (here.state, here.waiting.needed) == (State.OPEN, True)


async def test_erased_customer_does_not_come_back(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    await pair.database.command(erase_customer, ADA, "cus_1")
    pair.clock.advance(60)
    await pair.twin.database.command(
        send_message,
        BO,
        CNV,
        {"type": "text", "content": "Late"},
        fields={"sent_at": pair.clock.now - timedelta(seconds=61)},
    )
    await pair.sync(2)
    reads = len(pair.reach.reads)
    await pair.sync()
    assert (await pair.texts(), len(pair.reach.reads) - reads) == (["Hello?"], 1)  # out of sight, until it is erased
    await pair.hears("I am back")
    await pair.sync()
    assert (await pair.here(2)).unread_customer_messages_count == 1
    assert (await pair.texts())[1:] == ["I am back"]


async def test_conversation_that_is_gone_there_stays(pair: Pair) -> None:
    await answered_yesterday(pair)
    await pair.twin.database.command(close, BO, CNV)
    await pair.sync(2)
    assert await state(pair) == ("CONNECTED", None)
    # Retention there deletes whole conversations and says nothing.
    await pair.twin.database.command(erase_customer, ADA, str(GlobalId("cus", pair.desk.ana)))
    assert await pair.twin.database.command(lambda work: work.use(ConversationRepository).load(1)) is None
    await pair.walk()
    await pair.walk()
    assert (await pair.here()).state is State.CLOSED
    assert (await pair.texts(), await state(pair)) == (["Hello?", "Yes."], ("CONNECTED", None))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("status", "frozen", "The status frozen is not known here."),
        ("channel", "pigeon", "The channel pigeon is not known here."),
    ],
)
def test_conversation_of_a_kind_that_is_not_known_cannot_be_mapped(field: str, value: str, reason: str) -> None:
    agent = {"id": 1, "channel": "whatsapp", "display_id": "1", "name": "Shop"}
    there = read_conversation({"id": 1, "status": "to_do", "agent": agent})
    assert (there.stored_status, there.stored_channel) == (Status.TO_DO, Channel.WHATSAPP)
    given = {"id": 1, "status": "to_do", "agent": agent} | (
        {field: value} if field == "status" else {"agent": {**agent, field: value}}
    )
    strange = read_conversation(given)
    with pytest.raises(Unmappable, match=reason):
        _ = (strange.stored_status, strange.stored_channel)


async def test_paused_connection_writes_nothing(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    await pair.says("Yes?")
    await pair.database.command(pause_connection, ADA, f"con_{pair.connection}")
    await pair.work()
    assert (await pair.queue(), await pair.texts(there=True)) == ([("MESSAGE", "WAITING")], ["Hello?"])


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"address": "bot.example.com"}, ("address",)),
        ({"address": "https://bot.example.com?x=1"}, ("address",)),
        ({"address": None}, ("address",)),
        ({"credential": None}, ("credential",)),
        ({"credential": "ünï"}, ("credential",)),
        ({"system": "HTTP"}, ("address",)),
        ({"settings": {"pollSeconds": 0.1}}, ("settings", "pollSeconds")),
        ({"settings": {"requestsPerSecond": 0}}, ("settings", "requestsPerSecond")),
        ({"settings": {"page": "https://example.com"}}, ("settings", "page")),
        ({"settings": {"users": {"bo": "7"}}}, ("settings", "users", "bo")),
        ({"settings": {"capabilities": {"FLY": True}}}, ("settings", "capabilities", "FLY")),
        ({"settings": {"colour": 1}}, ("settings", "colour")),
    ],
)
async def test_connection_that_cannot_work_is_refused(
    database: Database, clock: ManualClock, wrong: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(DomainError) as refused:
        await database.command(create_connection, ADA, CONNECTORS, NewConnection(**{**GOOD, **wrong}))  # type: ignore[typeddict-item]
    assert tuple(refused.value.path) == path
    assert await database.command(standings) == []


async def test_capabilities_are_corrected_by_the_settings(database: Database) -> None:
    settings = {"capabilities": {"SNOOZE": True, "REPLY": False}}
    new = NewConnection(**{**GOOD, "settings": settings})  # type: ignore[typeddict-item]
    made = await database.command(create_connection, ADA, CONNECTORS, new)
    assert made.system.cannot == "DELETE RECEIVE REPLY UNSNOOZE"


async def test_capabilities_are_corrected_later(database: Database, pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    ref, run = f"con_{pair.connection}", database.command
    given = {"capabilities": {"REPLY": False}, "users": {"bo": BO.user_id}}
    changed = await run(update_connection, ADA, CONNECTORS, ref, settings=given)
    assert (changed.settings, changed.version) == (given, 2)
    (found,) = await run(reachable, CONNECTORS)
    assert found.system.settings == given
    with pytest.raises(NotSupported):
        await pair.says("Yes?")
    with pytest.raises(DomainError) as refused:
        await run(update_connection, ADA, CONNECTORS, ref, settings={"capabilities": {"FLY": True}})
    assert refused.value.path == ("settings", "capabilities", "FLY")
    await run(update_connection, ADA, CONNECTORS, ref, settings={})
    await run(reachable, CONNECTORS)
    await pair.says("Yes?")


async def test_connection_is_at_fault_while_its_token_cannot_be_read(database: Database, pair: Pair) -> None:
    await pair.sync()
    run = database.command

    def without_the_key(work: Work) -> int:
        work.settings = Settings.model_validate({"secrets_key": KEYS[1]})
        return len(reachable(work, CONNECTORS))

    assert await run(without_the_key) == 0
    assert (await pair.stands())[1] == "SECRET_UNREADABLE"
    assert len(await run(reachable, CONNECTORS)) == 1
    assert await pair.stands() == ("CONNECTED", None)


async def test_fault_that_lasts_is_told_once(database: Database, pair: Pair) -> None:
    await pair.sync()

    def told(work: Work) -> int:
        found = sa.select(sa.func.count()).select_from(event_log).where(event_log.c.topic == "connection.updated")
        return int(work.connection.execute(found).scalar_one())

    before = await database.command(told)
    pair.reach.silent = True
    await pair.sync(4)
    assert (await pair.stands())[1] == "SYSTEM_SILENT"
    tried = await database.command(try_connection, ADA, CONNECTORS, f"con_{pair.connection}")
    assert len(tried.problems) == 1
    assert await database.command(told) == before + 1


async def test_history_is_known_to_be_here_once_all_of_it_is_read(pair: Pair) -> None:
    run, ref = pair.database.command, f"con_{pair.connection}"
    await pair.hears("Hello?")
    before = await run(history, ADA, ref)
    await run(note_walked, pair.keeper.remote, pair.connection, _page("1", after="2"), 1, pair.clock.now, None)
    begun = await run(history, ADA, ref)
    await run(note_walked, pair.keeper.remote, pair.connection, _page("2"), 2, pair.clock.now, None)
    listed = await run(history, ADA, ref)
    await pair.work()
    read = await run(history, ADA, ref)
    await run(pause_connection, ADA, ref)
    found = [each[1:] for each in (before, begun, listed, read, await run(history, ADA, ref))]
    # What is listed there and is not to be read any more counts no more.
    assert found == [
        (0, 0, False, None),
        (0, 2, False, None),
        (0, 2, False, None),
        (1, 1, True, None),
        (1, 1, True, "It is paused."),
    ]


def _page(key: str, after: str | None = None) -> ListPage:
    return ListPage([Listed(key, "digest")], after, pages=2)
