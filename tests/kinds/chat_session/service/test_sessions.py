from datetime import timedelta

import pytest

from app.core.errors import (
    AlreadyClaimed,
    Conflict,
    DomainError,
    Forbidden,
    InvalidInput,
    InvalidTransition,
    NotClearable,
    NotFound,
    NotSupported,
    TooLong,
    VersionConflict,
)
from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor
from app.interactions.model import Level
from app.interactions.service.deadlines import fire_due
from app.interactions.service.holding import claim
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.state import clear_attention, close, raise_attention, snooze
from app.kinds.chat_session.model.session import ChatSessionChanges
from app.kinds.chat_session.model.session import ChatSessionStatus as S
from app.kinds.chat_session.model.transitions import CLEAN_UP_AFTER
from app.kinds.chat_session.repository import ChatSessionRepository
from app.kinds.chat_session.service.sessions import (
    delete_chat_session,
    rate_chat_session,
    update_chat_session,
)
from app.storage.database import Database
from tests.conftest import START, ManualClock
from tests.kinds.chat_session.conftest import EVE, Desk, event_count, messages, request, stored, topics
from tests.kinds.conftest import ADA, BO, CY, DEE

pytestmark = pytest.mark.anyio


@pytest.fixture
async def chat(database: Database, desk: Desk) -> GlobalId:
    """A chat of the open topic that BO handles; its status is UserLast."""
    ref = await request(database, desk.open, customer_name="Ola")
    await database.command(claim, BO, ref)
    return ref


async def test_an_update_changes_what_it_names_alone(database: Database, clock: ManualClock, chat: GlobalId) -> None:
    before = await stored(database, chat)
    clock.advance(60)
    after = await database.command(update_chat_session, BO, chat, {"customer_alias": "nordmann"})
    assert (after.customer_alias, after.customer_name, after.version) == ("nordmann", "Ola", before.version + 1)
    assert after.updated_at == clock.now
    cleared = await database.command(update_chat_session, BO, chat, {"customer_name": None})
    assert (cleared.customer_alias, cleared.customer_name) == ("nordmann", None)


async def test_an_update_that_changes_nothing_is_none(database: Database, chat: GlobalId) -> None:
    before = await stored(database, chat)
    count = await event_count(database)
    assert await database.command(update_chat_session, BO, chat, {}) == before
    assert await database.command(update_chat_session, BO, chat, {"customer_name": "Ola"}) == before
    assert await event_count(database) == count


async def test_a_chat_moves_to_another_topic(database: Database, desk: Desk, chat: GlobalId) -> None:
    after = await database.command(update_chat_session, BO, chat, {"topic_id": desk.sales})
    assert after.responders == (2, 5, 6)
    assert await stored(database, chat) == after
    found = await refused(database, chat, NotFound, update_chat_session, BO, chat, {"topic_id": 999})
    assert found.path == ("topic_id",)


async def test_a_status_moves_along_the_state_machine(database: Database, chat: GlobalId) -> None:
    found = await refused(database, chat, InvalidTransition, update_chat_session, BO, chat, {"status": S.FAQ})
    assert found.path == ("status",)
    after = await database.command(update_chat_session, BO, chat, {"status": S.CUSTOMER_LAST})
    assert after.attention.reasons == ()
    after = await database.command(update_chat_session, BO, chat, {"status": S.IN_QUEUE})
    assert (after.assignee_id, after.rank_user_id, after.attention.reasons) == (None, None, ("QUEUED",))


async def test_a_status_takes_a_chat_from_nobody_else(database: Database, chat: GlobalId) -> None:
    for status in (S.IN_QUEUE, S.OFFLINE_FORM):
        await refused(database, chat, AlreadyClaimed, update_chat_session, EVE, chat, {"status": status})
    after = await database.command(update_chat_session, ADA, chat, {"status": S.OFFLINE_FORM})
    assert (after.status, after.assignee_id) == (S.OFFLINE_FORM, None)


@pytest.mark.parametrize(
    ("changes", "error", "path"),
    [
        ({"customer_alias": "a" * 65}, TooLong, ("customer_alias",)),
        ({"customer_email": "a\ud800"}, InvalidInput, ("customer_email",)),
        ({"alert_level": -1}, InvalidInput, ("alert_level",)),
        ({"status": None}, InvalidInput, ("status",)),
        ({"sale": {"sale_id": 1, "title": "a" * 256}}, TooLong, ("sale", "title")),
    ],
)
async def test_an_update_that_cannot_be_kept_changes_nothing(
    database: Database, chat: GlobalId, changes: ChatSessionChanges, error: type[DomainError], path: tuple[str, ...]
) -> None:
    found = await refused(database, chat, error, update_chat_session, BO, chat, changes | {"customer_host": "h"})
    assert found.path == path


async def test_an_update_needs_the_permission_and_the_version(database: Database, chat: GlobalId) -> None:
    await refused(database, chat, Forbidden, update_chat_session, CY, chat, {"customer_host": "h"})
    await refused(database, chat, NotFound, update_chat_session, DEE, chat, {"customer_host": "h"})
    await refused(database, GlobalId("chs", 999), NotFound, update_chat_session, BO, GlobalId("chs", 999), {})
    with pytest.raises(VersionConflict) as conflict:
        await database.command(update_chat_session, BO, chat, {"customer_host": "h"}, if_version=1)
    assert conflict.value.current_version == 2


async def test_references_are_replaced_whole(database: Database, chat: GlobalId) -> None:
    await database.command(
        update_chat_session, BO, chat, {"person": {"person_id": 7, "email": "a@b.c"}, "project": {"project_id": 3}}
    )
    after = await database.command(update_chat_session, BO, chat, {"person": {"person_id": 8}, "project": None})
    assert (after.person, after.project) == ({"person_id": 8}, None)
    assert await stored(database, chat) == after


async def test_only_a_chat_that_started_is_rated(database: Database, desk: Desk, chat: GlobalId) -> None:
    queued = await request(database, desk.open)
    await refused(database, queued, InvalidTransition, rate_chat_session, BO, queued, 5)
    await refused(database, queued, InvalidTransition, update_chat_session, BO, queued, {"rating": 5})
    assert (await database.command(rate_chat_session, BO, chat, 751)).rating == 751
    await database.command(close, BO, chat)
    assert (await database.command(rate_chat_session, BO, chat, 96)).rating == 96
    assert (await topics(database, chat))[-1] == "chat_session.rated"
    await refused(database, chat, InvalidInput, rate_chat_session, BO, chat, 2**31)
    await refused(database, chat, Forbidden, rate_chat_session, CY, chat, 1)


async def test_a_chat_is_never_snoozed(database: Database, chat: GlobalId) -> None:
    await refused(database, chat, NotSupported, snooze, BO, chat, START + timedelta(days=1))


async def test_a_deleted_chat_takes_no_command_and_is_erased_a_day_later(
    database: Database, clock: ManualClock, chat: GlobalId
) -> None:
    deleted = await database.command(delete_chat_session, BO, chat)
    assert (deleted.status, deleted.when_ended) == (S.DELETED, START)
    for command in (delete_chat_session, close, claim):
        await refused(database, chat, InvalidTransition, command, BO, chat)
    clock.advance(CLEAN_UP_AFTER.total_seconds() - 1)
    assert (await database.command(fire_due, 10)).found == 0
    clock.advance(1)
    assert (await database.command(fire_due, 10)).changed == 1
    assert await database.command(lambda work: work.use(ChatSessionRepository).load(chat.number)) is None
    assert await messages(database, chat) == []
    assert (await topics(database, chat))[-1] == "chat_session.erased"


# Attention: each reason raises, and clears.


@pytest.mark.parametrize(("alert_level", "level"), [(1, Level.HIGH), (2, Level.HIGH), (3, Level.URGENT)])
async def test_an_alert_raises_and_is_cleared(
    database: Database, chat: GlobalId, alert_level: int, level: Level
) -> None:
    session = await database.command(update_chat_session, BO, chat, {"alert_level": alert_level})
    assert (session.attention.reason, session.attention.level, session.attention.since) == ("ALERT", level, START)
    session = await database.command(clear_attention, BO, chat)
    assert (session.alert_level, session.attention.level) == (0, None)
    assert (await topics(database, chat))[-4:] == [
        "chat_session.updated",
        "attention.raised",
        "chat_session.attention_cleared",
        "attention.cleared",
    ]


async def test_a_queued_chat_needs_a_human_until_it_is_picked_up_or_closed(database: Database, desk: Desk) -> None:
    for command, reasons in ((claim, ()), (close, ())):
        ref = await request(database, desk.open)
        session = await stored(database, ref)
        assert (session.attention.reason, session.attention.level) == ("QUEUED", Level.HIGH)
        found = await refused(database, ref, NotClearable, clear_attention, BO, ref)
        assert isinstance(found, NotClearable)
        assert found.reasons == ("QUEUED",)
        assert (await database.command(command, BO, ref)).attention.reasons == reasons


async def test_a_waiting_customer_needs_a_human_until_it_is_answered(database: Database, chat: GlobalId) -> None:
    await database.command(receive_message, BO, {"interaction": chat}, [{"type": "text", "content": "?"}])
    session = await stored(database, chat)
    assert (session.attention.reason, session.attention.level) == ("CUSTOMER_WAITING", Level.NORMAL)
    await database.command(send_message, BO, chat, {"type": "text", "content": "!"})
    assert (await stored(database, chat)).attention.level is None


async def test_a_bot_that_leaves_a_waiting_customer_raises(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.bot)
    await database.command(send_message, BO, ref, {"type": "text", "content": "Hi"}, author=MessageAuthor.BOT)
    await database.command(receive_message, BO, {"interaction": ref}, [{"type": "text", "content": "?"}])
    assert (await stored(database, ref)).attention.level is None
    session = await database.command(update_chat_session, BO, ref, {"chatbot_is_active": False})
    assert session.attention.reasons == ("CUSTOMER_WAITING",)


async def test_reasons_are_kept_all_and_the_first_of_the_highest_level_leads(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.open)
    session = await database.command(update_chat_session, BO, ref, {"alert_level": 1})
    assert (session.attention.reason, session.attention.reasons) == ("ALERT", ("ALERT", "QUEUED"))
    session = await database.command(raise_attention, BO, ref, Level.URGENT)
    assert (session.attention.reason, session.attention.reasons) == ("RAISED", ("ALERT", "QUEUED", "RAISED"))
    session = await database.command(clear_attention, BO, ref)
    assert (session.attention.reasons, session.alert_level, session.raised_level) == (("QUEUED",), 0, None)


async def test_a_chat_that_needs_nobody_has_nothing_to_clear(database: Database, chat: GlobalId) -> None:
    await refused(database, chat, Conflict, clear_attention, BO, chat)


async def refused(
    database: Database, ref: GlobalId, error: type[DomainError], command: object, *args: object
) -> DomainError:
    """The refusal of a command, which left the chat and the log as they were."""
    before = await database.command(lambda work: work.use(ChatSessionRepository).load(ref.number))
    count = await event_count(database)
    with pytest.raises(error) as found:
        await database.command(command, *args)  # type: ignore[arg-type]
    assert await database.command(lambda work: work.use(ChatSessionRepository).load(ref.number)) == before
    assert await event_count(database) == count
    return found.value
