import asyncio
from datetime import timedelta

import pytest

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed, DomainError, Forbidden, InvalidTransition, NotFound, VersionConflict
from app.core.ids import GlobalId
from app.directory.model import User
from app.directory.repository import UserRepository
from app.interactions.model import Level, State
from app.interactions.service.deadlines import fire_due
from app.interactions.service.holding import assign, claim, release
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.state import close, reopen
from app.kinds.chat_session.model.session import ChatSession
from app.kinds.chat_session.model.session import ChatSessionStatus as S
from app.kinds.chat_session.repository import ChatSessionRepository
from app.kinds.chat_session.service.queue import pick_up_chat_session, reset_chat_session
from app.kinds.chat_session.service.sessions import delete_chat_session, update_chat_session
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.kinds.chat_session.conftest import (
    EVE,
    FAY,
    GUS,
    Desk,
    event_count,
    messages,
    request,
    stored,
    topics,
)
from tests.kinds.conftest import ADA, BO, CY

pytestmark = pytest.mark.anyio

HELLO = [{"type": "text", "content": "Hello"}]


async def test_picking_up_assigns_starts_ranks_and_welcomes(database: Database, clock: ManualClock, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    clock.advance(60)
    session = await database.command(pick_up_chat_session, BO, ref)
    assert session is not None
    assert (session.status, session.assignee_id, session.when_started) == (S.USER_LAST, BO.user_id, clock.now)
    assert (session.rank, session.rank_user_id, session.attention.level, session.version) == (1, BO.user_id, None, 2)
    assert (session.first_message, session.last_message, session.when_idle) == (*["Welcome to sales!"] * 2, clock.now)
    assert await stored(database, ref) == session
    (welcome,) = await messages(database, ref)
    assert (welcome.text, welcome.message_type, welcome.special_type) == ("Welcome to sales!", "TO_CUSTOMER", "WELCOME")
    assert (welcome.user_id, welcome.author_name, session.latest_message_id) == (BO.user_id, "Bo", welcome.id)
    assert await topics(database, ref) == [
        "chat_session.requested",
        "attention.raised",
        "chat_session.message_sent",
        "chat_session.picked_up",
        "attention.cleared",
    ]


async def test_without_a_welcome_message_a_customer_who_wrote_goes_on_waiting(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.open)
    await database.command(receive_message, BO, {"interaction": ref}, HELLO)
    session = await database.command(pick_up_chat_session, BO, ref)
    assert session is not None
    assert (session.status, session.attention.reasons) == (S.CUSTOMER_LAST, ("CUSTOMER_WAITING",))
    assert len(await messages(database, ref)) == 1


async def test_only_a_queued_chat_is_picked_up_and_only_once(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.form)
    await refused(database, ref, InvalidTransition, pick_up_chat_session, BO, ref)
    queued = await request(database, desk.sales)
    await database.command(pick_up_chat_session, BO, queued)
    lost = await refused(database, queued, AlreadyClaimed, pick_up_chat_session, EVE, queued)
    assert isinstance(lost, AlreadyClaimed)
    assert (lost.claimed_by, lost.claimed_until) == (BO.user_id, None)
    await refused(database, queued, InvalidTransition, pick_up_chat_session, BO, queued)


async def test_only_who_may_respond_in_the_topic_picks_up(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    for actor in (GUS, CY):
        await refused(database, ref, Forbidden, pick_up_chat_session, actor, ref)
    session = await database.command(pick_up_chat_session, ADA, ref)
    assert session is not None
    assert session.assignee_id == ADA.user_id


async def test_a_pick_up_may_name_the_version_it_saw(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    with pytest.raises(VersionConflict):
        await database.command(pick_up_chat_session, BO, ref, if_version=2)
    assert await database.command(pick_up_chat_session, BO, ref, if_version=1) is not None


async def test_the_first_of_the_queue_is_the_most_urgent_then_the_longest_waiting(
    database: Database, clock: ManualClock, desk: Desk
) -> None:
    refs = []
    for topic in (desk.sales, desk.open, desk.open, desk.open):
        refs.append(await request(database, topic))
        clock.advance(1)
    await database.command(update_chat_session, BO, refs[2], {"alert_level": 3})
    taken = []
    for topic_id in (desk.open, desk.open, None, desk.open):
        session = await database.command(pick_up_chat_session, BO, topic_id=topic_id)
        taken.append(None if session is None else session.id)
    assert taken == [refs[2].number, refs[1].number, refs[0].number, refs[3].number]
    assert await database.command(pick_up_chat_session, BO) is None


async def test_who_may_not_respond_in_a_topic_is_given_none_of_its_chats(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    count = await event_count(database)
    assert await database.command(pick_up_chat_session, GUS) is None
    assert await event_count(database) == count
    session = await database.command(pick_up_chat_session, FAY)
    assert session is not None
    assert session.id == ref.number
    with pytest.raises(Forbidden):
        await database.command(pick_up_chat_session, CY)
    with pytest.raises(NotFound) as unknown:
        await database.command(pick_up_chat_session, BO, topic_id=999)
    assert unknown.value.path == ("topic_id",)


async def test_20_users_take_20_different_chats(database: Database, desk: Desk) -> None:
    users = await database.command(_hire, 20)
    refs = [await request(database, desk.open) for _ in range(20)]
    taken = await asyncio.gather(*(database.command(pick_up_chat_session, user) for user in users))
    sessions = [session for session in taken if session is not None]
    assert sorted(session.id for session in sessions) == [ref.number for ref in refs]
    assert [(session.assignee_id, session.rank) for session in sessions] == [(user.user_id, 1) for user in users]


async def test_a_user_who_takes_several_at_once_has_them_ranked_from_1(database: Database, desk: Desk) -> None:
    for _ in range(10):
        await request(database, desk.open)
    taken = await asyncio.gather(*(database.command(pick_up_chat_session, BO) for _ in range(12)))
    assert sorted(session.rank for session in taken if session is not None) == list(range(1, 11))
    assert taken.count(None) == 2


async def test_of_20_users_one_gets_the_chat(database: Database, desk: Desk) -> None:
    users = await database.command(_hire, 20)
    ref = await request(database, desk.open)

    async def take(user: Actor) -> int | None:
        try:
            session = await database.command(pick_up_chat_session, user, ref)
        except AlreadyClaimed as lost:
            return lost.claimed_by
        assert session is not None
        return session.assignee_id

    (winner,) = set(await asyncio.gather(*(take(user) for user in users)))
    assert (await stored(database, ref)).assignee_id == winner


async def test_a_rank_is_the_lowest_free_number_of_the_users_active_chats(database: Database, desk: Desk) -> None:
    refs = [await request(database, desk.open) for _ in range(5)]
    for ref in refs[:3]:
        await database.command(pick_up_chat_session, BO, ref)
    await database.command(close, BO, refs[1])
    closed = await stored(database, refs[1])
    assert (closed.rank, closed.rank_user_id) == (2, None)
    ranks = []
    for ref in refs[3:]:
        session = await database.command(pick_up_chat_session, BO, ref)
        assert session is not None
        ranks.append(session.rank)
    assert ranks == [2, 4]
    again = await database.command(reopen, BO, refs[1])
    assert (again.rank, again.rank_user_id) == (5, BO.user_id)
    assert await database.command(pick_up_chat_session, EVE, await request(database, desk.open)) is not None


async def test_a_claim_is_a_pick_up_with_a_lease_if_wanted(database: Database, clock: ManualClock, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    session = await database.command(claim, BO, ref, lease_seconds=60)
    assert (session.status, session.when_started, session.rank) == (S.USER_LAST, START, 1)
    assert session.claimed_until == START + timedelta(seconds=60)
    assert [each.special_type for each in await messages(database, ref)] == ["WELCOME"]
    await refused(database, ref, AlreadyClaimed, claim, EVE, ref)
    clock.advance(60)
    await database.command(fire_due, 10)
    lapsed = await stored(database, ref)
    assert (lapsed.status, lapsed.assignee_id, lapsed.attention.reasons) == (S.IN_QUEUE, None, ("QUEUED",))
    taken = await database.command(claim, EVE, ref)
    assert (taken.assignee_id, taken.when_started, taken.rank) == (EVE.user_id, START, 1)


async def test_a_claim_takes_a_chat_over_from_its_bot(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.bot)
    await database.command(update_chat_session, BO, ref, {"chatbot_is_active": True})
    session = await database.command(claim, BO, ref)
    assert (session.bot_active, session.assignee_id, session.status) == (False, BO.user_id, S.USER_LAST)


async def test_a_release_goes_back_to_the_queue(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    await refused(database, ref, InvalidTransition, release, BO, ref)
    await database.command(claim, BO, ref)
    await refused(database, ref, AlreadyClaimed, release, EVE, ref)
    session = await database.command(release, BO, ref)
    assert (session.status, session.assignee_id, session.rank_user_id) == (S.IN_QUEUE, None, None)
    assert session.attention.reasons == ("QUEUED",)
    assert session.initial_queue_pos == 1
    await database.command(claim, EVE, ref)
    assert (await database.command(release, ADA, ref)).assignee_id is None


async def test_an_assignment_starts_a_queued_chat_and_moves_a_going_one(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    session = await database.command(assign, ADA, ref, EVE.user_id)
    assert (session.status, session.assignee_id, session.when_started) == (S.USER_LAST, EVE.user_id, START)
    (welcome,) = await messages(database, ref)
    assert (welcome.user_id, welcome.author_name) == (EVE.user_id, None)
    await refused(database, ref, AlreadyClaimed, assign, BO, ref, BO.user_id)
    moved = await database.command(assign, EVE, ref, BO.user_id)
    assert (moved.assignee_id, moved.rank, moved.rank_user_id) == (BO.user_id, 1, BO.user_id)
    assert len(await messages(database, ref)) == 1
    back = await database.command(assign, BO, ref, None)
    assert (back.status, back.assignee_id) == (S.IN_QUEUE, None)


async def test_a_reset_queues_where_somebody_of_the_topic_is_present(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    await database.command(update_chat_session, BO, ref, {"chatbot_is_active": True})
    session = await database.command(reset_chat_session, BO, ref)
    assert (session.status, session.bot_active) == (S.IN_QUEUE, False)
    for actor in (BO, EVE):
        await database.command(_leave, actor.user_id)
    # FAY responds and is away; GUS is present and only listens.
    session = await database.command(reset_chat_session, BO, ref)
    assert (session.status, session.attention.level) == (S.OFFLINE_FORM, Level.HIGH)


async def test_a_reset_takes_a_chat_from_nobody_else(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    await database.command(claim, BO, ref)
    await refused(database, ref, AlreadyClaimed, reset_chat_session, EVE, ref)
    session = await database.command(reset_chat_session, BO, ref)
    assert (session.status, session.assignee_id, session.rank_user_id) == (S.IN_QUEUE, None, None)
    await database.command(close, BO, ref)
    await refused(database, ref, InvalidTransition, reset_chat_session, BO, ref)


@pytest.mark.parametrize(("queued", "status"), [(True, S.CLOSED_FROM_QUEUE), (False, S.CLOSED)])
async def test_closing_says_who_closed(
    database: Database, clock: ManualClock, desk: Desk, queued: bool, status: S
) -> None:
    ref = await request(database, desk.open)
    if not queued:
        await database.command(claim, BO, ref)
    clock.advance(60)
    session = await database.command(close, EVE, ref)
    assert (session.status, session.state, session.when_ended) == (status, State.CLOSED, clock.now)
    assert (session.attention.level, session.rank_user_id) == (None, None)
    (notice,) = await messages(database, ref)
    assert (notice.message_type, notice.special_type) == ("SPECIAL", "CLOSED_BY_USER")
    assert (notice.text, session.last_message) == ("Eve closed the chat.", None)
    await refused(database, ref, InvalidTransition, close, EVE, ref)
    await refused(database, ref, InvalidTransition, claim, EVE, ref)
    again = await database.command(reopen, EVE, ref)
    assert (again.status, again.state, again.when_ended) == (S.USER_LAST, State.OPEN, None)
    await refused(database, ref, InvalidTransition, reopen, EVE, ref)


async def test_an_update_to_closed_is_a_closing(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.open)
    session = await database.command(update_chat_session, BO, ref, {"status": S.CLOSED})
    assert (session.status, session.when_ended) == (S.CLOSED_FROM_QUEUE, START)
    assert [each.special_type for each in await messages(database, ref)] == ["CLOSED_BY_USER"]


async def test_a_finished_chat_is_reactivated_by_its_customer_alone(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.open)
    await database.command(claim, BO, ref)
    finished = await database.command(update_chat_session, BO, ref, {"status": S.FINISHED})
    assert (finished.state, finished.when_ended, finished.rank_user_id) == (State.CLOSED, START, None)
    assert await messages(database, ref) == []
    await refused(database, ref, InvalidTransition, send_message, BO, ref, HELLO[0])
    await database.command(receive_message, BO, {"interaction": ref}, HELLO)
    session = await stored(database, ref)
    assert (session.status, session.state, session.when_ended) == (S.CUSTOMER_LAST, State.OPEN, None)
    assert (session.assignee_id, session.rank, session.rank_user_id) == (BO.user_id, 1, BO.user_id)
    assert session.attention.reasons == ("CUSTOMER_WAITING",)
    assert [each.special_type for each in await messages(database, ref)] == ["NONE", "REOPENED_BY_CUSTOMER"]


@pytest.mark.parametrize("status", [S.CLOSED, S.REQUEST_POSTED, S.DELETED])
async def test_no_other_ended_chat_is(database: Database, desk: Desk, status: S) -> None:
    ref = await request(database, desk.open)
    await database.command(claim, BO, ref)
    await database.command(update_chat_session, BO, ref, {"status": status})
    await refused(database, ref, InvalidTransition, receive_message, BO, {"interaction": ref}, HELLO)


async def test_a_customers_message_and_a_users_answer(database: Database, clock: ManualClock, desk: Desk) -> None:
    ref = await request(database, desk.open)
    await database.command(claim, BO, ref, lease_seconds=600)
    await database.command(update_chat_session, BO, ref, {"customer_is_typing": True, "user_is_typing": True})
    clock.advance(10)
    await database.command(receive_message, BO, {"interaction": ref}, [{"type": "text", "content": "x" * 1025}])
    session = await stored(database, ref)
    assert (session.status, session.attention.level) == (S.CUSTOMER_LAST, Level.NORMAL)
    assert (session.first_message, session.last_message, session.when_idle) == ("x" * 1024, "x" * 1024, clock.now)
    assert (session.customer_is_typing, session.user_is_typing) == (False, True)
    clock.advance(10)
    await database.command(send_message, BO, ref, {"type": "text", "content": "Yes?"})
    session = await stored(database, ref)
    assert (session.status, session.attention.level, session.claimed_until) == (S.USER_LAST, None, None)
    assert (session.first_message, session.last_message, session.when_idle) == ("x" * 1024, "Yes?", clock.now)
    assert session.user_is_typing is False
    assert session.version == 3


async def test_who_answers_a_queued_chat_has_it(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.open)
    await database.command(send_message, BO, ref, HELLO[0])
    session = await stored(database, ref)
    assert (session.status, session.assignee_id, session.when_started) == (S.USER_LAST, BO.user_id, START)
    assert (session.rank, session.attention.level) == (1, None)


async def test_a_deleted_chat_is_out_of_every_queue(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.open)
    session = await database.command(delete_chat_session, BO, ref)
    assert (session.status, session.state, session.attention.level) == (S.DELETED, State.CLOSED, None)
    assert await database.command(pick_up_chat_session, BO) is None
    assert await topics(database, ref) == [
        "chat_session.requested",
        "attention.raised",
        "chat_session.deleted",
        "attention.cleared",
    ]


async def test_a_command_sees_all_of_what_the_one_before_it_changed(database: Database, desk: Desk) -> None:
    """The wait for a lock must not leave the chat's own columns as they were before it."""
    for _ in range(10):
        ref = await request(database, desk.open)
        await database.command(claim, BO, ref)
        levels = await asyncio.gather(*(database.command(_raise_alert, ref) for _ in range(8)))
        assert sorted(levels) == list(range(1, 9))


def _raise_alert(work: Work, ref: GlobalId) -> int:
    session = work.use(ChatSessionRepository).load(ref.number)
    assert session is not None
    changes = {"alert_level": session.alert_level + 1}
    return update_chat_session(work, BO, ref, changes).alert_level  # type: ignore[arg-type]


def _hire(work: Work, number: int) -> list[Actor]:
    found = []
    for place in range(number):
        user = User(
            id=0,
            name=f"U{place}",
            login=f"u{place}",
            permissions=tuple(sorted(BO.permissions)),
            created_at=START,
            updated_at=START,
        )
        stored_user = work.use(UserRepository).add(user)
        found.append(Actor(user_id=stored_user.id, name=user.name, permissions=BO.permissions))
    return found


def _leave(work: Work, user_id: int) -> None:
    user = work.use(UserRepository).get(user_id)
    assert user is not None
    work.use(UserRepository).set_presence(user, present=False, at=START)


async def refused(
    database: Database, ref: GlobalId, error: type[DomainError], command: object, *args: object
) -> DomainError:
    """The refusal of a command, which left the chat and the log as they were."""
    before: ChatSession = await stored(database, ref)
    count = await event_count(database)
    with pytest.raises(error) as found:
        await database.command(command, *args)  # type: ignore[arg-type]
    assert await stored(database, ref) == before
    assert await event_count(database) == count
    return found.value
