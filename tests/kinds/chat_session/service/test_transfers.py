import asyncio
from collections.abc import Callable

import pytest

from app.core.errors import Conflict, DomainError, Forbidden, InvalidInput, InvalidTransition, NotFound
from app.core.ids import GlobalId
from app.interactions.model import Level
from app.interactions.service.holding import claim, release
from app.interactions.service.state import close
from app.kinds.chat_session.model.session import ChatSession
from app.kinds.chat_session.model.session import ChatSessionStatus as S
from app.kinds.chat_session.service.transfers import (
    accept_chat_transfer,
    cancel_chat_transfer,
    reject_chat_transfer,
    transfer_chat_session,
)
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.kinds.chat_session.conftest import EVE, FAY, GUS, Desk, event_count, messages, request, stored, topics
from tests.kinds.conftest import ADA, BO, CY

pytestmark = pytest.mark.anyio


@pytest.fixture
async def chat(database: Database, desk: Desk) -> GlobalId:
    """A chat of the topic sales that BO handles."""
    ref = await request(database, desk.sales)
    await database.command(claim, BO, ref)
    return ref


async def test_a_transfer_waits_for_the_other_user(database: Database, clock: ManualClock, chat: GlobalId) -> None:
    clock.advance(60)
    session = await database.command(transfer_chat_session, BO, chat, EVE.user_id)
    assert (session.transfer_to_id, session.assignee_id, session.status) == (EVE.user_id, BO.user_id, S.USER_LAST)
    assert (session.attention.reason, session.attention.level) == ("TRANSFER", Level.HIGH)
    assert session.attention.since == clock.now
    assert (await topics(database, chat))[-2:] == ["chat_session.transferred", "attention.raised"]


async def test_accepting_takes_the_chat_over(database: Database, chat: GlobalId, desk: Desk) -> None:
    mine = await request(database, desk.open)
    await database.command(claim, EVE, mine)
    await database.command(transfer_chat_session, BO, chat, EVE.user_id)
    session = await database.command(accept_chat_transfer, EVE, chat)
    assert (session.assignee_id, session.transfer_to_id, session.rank) == (EVE.user_id, None, 2)
    assert (session.status, session.attention.level) == (S.USER_LAST, None)
    last = (await messages(database, chat))[-1]
    assert (last.message_type, last.special_type, last.author_name) == ("SPECIAL", "TRANSFERED_SESSION", "Eve")
    assert (await topics(database, chat))[-3:] == [
        "chat_session.message_sent",
        "chat_session.transfer_accepted",
        "attention.cleared",
    ]
    await refused(database, chat, Forbidden, transfer_chat_session, BO, chat, EVE.user_id)


async def test_rejecting_leaves_it_with_its_holder(database: Database, chat: GlobalId) -> None:
    await database.command(transfer_chat_session, BO, chat, EVE.user_id)
    session = await database.command(reject_chat_transfer, EVE, chat)
    assert (session.assignee_id, session.transfer_to_id, session.attention.level) == (BO.user_id, None, None)
    last = (await messages(database, chat))[-1]
    assert (last.message_type, last.special_type) == ("SPECIAL", "TRANSFER_REJECTED")


async def test_the_sender_cancels(database: Database, chat: GlobalId) -> None:
    await database.command(transfer_chat_session, BO, chat, EVE.user_id)
    await refused(database, chat, Forbidden, cancel_chat_transfer, EVE, chat)
    count = len(await messages(database, chat))
    session = await database.command(cancel_chat_transfer, BO, chat)
    assert (session.assignee_id, session.transfer_to_id, session.attention.level) == (BO.user_id, None, None)
    assert len(await messages(database, chat)) == count
    assert (await topics(database, chat))[-2:] == ["chat_session.transfer_cancelled", "attention.cleared"]
    await refused(database, chat, Conflict, cancel_chat_transfer, BO, chat)


async def test_only_whom_it_is_offered_to_answers(database: Database, chat: GlobalId) -> None:
    for command in (accept_chat_transfer, reject_chat_transfer):
        await refused(database, chat, Conflict, command, EVE, chat)
    await database.command(transfer_chat_session, BO, chat, EVE.user_id)
    for command in (accept_chat_transfer, reject_chat_transfer):
        for actor in (BO, GUS, ADA, CY):
            await refused(database, chat, Forbidden, command, actor, chat)


async def test_it_goes_to_nobody_but_a_present_user_who_may_respond(database: Database, chat: GlobalId) -> None:
    refusals = [
        (BO.user_id, InvalidInput, "A chat can only be transferred to a user other than you and its assignee."),
        (999, NotFound, "There is no such user."),
        (FAY.user_id, Conflict, "The user is not present."),
        (GUS.user_id, Conflict, "The user may not respond in the chat's topic."),
    ]
    for user_id, error, message in refusals:
        found = await refused(database, chat, error, transfer_chat_session, BO, chat, user_id)
        assert (found.message, found.path) == (message, ("user_id",))


async def test_it_goes_from_nobody_but_the_holder_or_an_admin(database: Database, desk: Desk, chat: GlobalId) -> None:
    await refused(database, chat, Forbidden, transfer_chat_session, GUS, chat, EVE.user_id)
    queued = await request(database, desk.sales)
    await refused(database, queued, InvalidTransition, transfer_chat_session, BO, queued, EVE.user_id)
    session = await database.command(transfer_chat_session, ADA, chat, EVE.user_id)
    assert session.transfer_to_id == EVE.user_id
    await refused(database, chat, InvalidTransition, transfer_chat_session, BO, chat, EVE.user_id)


@pytest.mark.parametrize("command", [release, close])
async def test_a_transfer_ends_with_the_chat_that_is_released_or_closed(
    database: Database, chat: GlobalId, command: Callable[..., ChatSession]
) -> None:
    await database.command(transfer_chat_session, BO, chat, EVE.user_id)
    session = await database.command(command, BO, chat)
    assert session.transfer_to_id is None
    assert "TRANSFER" not in session.attention.reasons


async def test_of_an_acceptance_and_a_cancellation_at_once_one_wins(database: Database, desk: Desk) -> None:
    for _ in range(5):
        ref = await request(database, desk.sales)
        await database.command(claim, BO, ref)
        await database.command(transfer_chat_session, BO, ref, EVE.user_id)
        answers = await asyncio.gather(
            database.command(accept_chat_transfer, EVE, ref),
            database.command(cancel_chat_transfer, BO, ref),
            return_exceptions=True,
        )
        assert len([answer for answer in answers if isinstance(answer, DomainError)]) == 1
        session = await stored(database, ref)
        assert session.transfer_to_id is None
        assert session.assignee_id == (BO.user_id if isinstance(answers[0], DomainError) else EVE.user_id)
        await database.command(close, ADA, ref)


async def test_chats_that_cross_never_wait_for_each_other_in_a_circle(database: Database, desk: Desk) -> None:
    refs = [await request(database, desk.sales) for _ in range(8)]
    for place, ref in enumerate(refs):
        sender, receiver = (BO, EVE) if place % 2 else (EVE, BO)
        await database.command(claim, sender, ref)
        await database.command(transfer_chat_session, sender, ref, receiver.user_id)
    taking = [
        asyncio.ensure_future(database.command(accept_chat_transfer, EVE if place % 2 else BO, ref))
        for place, ref in enumerate(refs)
    ]
    await asyncio.gather(*taking, *(request(database, desk.sales) for _ in range(4)))
    ranks: dict[int | None, list[int]] = {}
    for session in (each.result() for each in taking):
        ranks.setdefault(session.assignee_id, []).append(session.rank)
    assert {user: len(set(found)) for user, found in ranks.items()} == {BO.user_id: 4, EVE.user_id: 4}


async def refused(
    database: Database, ref: GlobalId, error: type[DomainError], command: object, *args: object
) -> DomainError:
    """The refusal of a command, which left the chat and the log as they were."""
    before = await stored(database, ref)
    count = await event_count(database)
    with pytest.raises(error) as found:
        await database.command(command, *args)  # type: ignore[arg-type]
    assert await stored(database, ref) == before
    assert await event_count(database) == count
    return found.value
