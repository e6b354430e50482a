"""Nobody's interaction is nobody's: users who leave, come, and are offered chats."""

from datetime import timedelta

import pytest

from app.core.actor import Actor
from app.core.errors import Conflict, Forbidden, InvalidInput
from app.core.ids import GlobalId
from app.directory.repository import UserRepository
from app.directory.service import deactivate_user, set_presence, update_user
from app.interactions.model import State
from app.interactions.service.holding import assign, claim, release
from app.interactions.service.messages import mark_read
from app.interactions.service.state import close, reopen, snooze
from app.kinds.agent_session.service import update as update_agent_session
from app.kinds.chat_session.model.session import ChatSessionStatus
from app.kinds.chat_session.model.topic import MemberRights
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.chat_session.service.queue import reset_chat_session
from app.kinds.chat_session.service.sessions import update_chat_session
from app.kinds.chat_session.service.topics import (
    add_chat_topic_member,
    create_chat_topic,
    remove_chat_topic_member,
    update_chat_topic_member,
)
from app.kinds.chat_session.service.transfers import cancel_chat_transfer, transfer_chat_session
from app.kinds.conversation.model.conversation import Status
from app.kinds.conversation.service import update_conversation
from app.kinds.session.service import update as update_session
from app.storage.work import Work
from tests.conftest import START
from tests.graph.listening import ears
from tests.kinds.conftest import ADA, BO, CY, DEE
from tests.waiting.floor import EVE, Floor
from tests.waiting.test_waiting import CLOSING

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


# ---- users who leave ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["deactivated", "write taken", "everything taken"])
async def test_user_who_leaves_holds_nothing_any_more(floor: Floor, kind: str, how: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    if how == "deactivated":
        await floor.do(deactivate_user, ADA, "usr_2")
    else:
        left = [] if how == "everything taken" else sorted(CY.permissions)
        await floor.do(update_user, ADA, "usr_2", {"permissions": left})
    after = await floor.stored(ref)
    assert (after.assignee_id, after.waiting.since) == (None, START)
    assert f"{kind}.released" in await floor.topics(ref)
    if kind == "chat_session":
        assert (after.status, after.attention.reason) == (ChatSessionStatus.IN_QUEUE, "QUEUED")
    await floor.do(claim, EVE, ref)


@pytest.mark.parametrize("how", ["deactivated", "read taken"])
async def test_user_who_may_only_read_holds_nothing_any_more_once_they_leave(floor: Floor, kind: str, how: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(assign, BO, ref, CY.user_id)
    if how == "deactivated":
        await floor.do(deactivate_user, ADA, "usr_3")
    else:
        await floor.do(update_user, ADA, "usr_3", {"permissions": []})
    after = await floor.stored(ref)
    assert (after.assignee_id, after.waiting.since) == (None, START)
    assert "ORPHANED" not in after.attention.reasons
    assert f"{kind}.released" in await floor.topics(ref)


async def test_user_who_is_no_admin_any_more_holds_only_what_others_could(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(update_user, ADA, "usr_3", {"roles": ["admin"], "permissions": sorted(BO.permissions)})
    await floor.do(assign, ADA, ref, CY.user_id)
    await floor.do(update_user, ADA, "usr_3", {"roles": []})
    after = await floor.stored(ref)
    if kind == "chat_session":
        assert (after.assignee_id, after.status) == (None, ChatSessionStatus.IN_QUEUE)
    else:
        assert after.assignee_id == CY.user_id


async def test_user_who_is_no_admin_any_more_keeps_the_chats_of_their_topics(floor: Floor) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(update_user, ADA, "usr_2", {"roles": ["admin"]})
    await floor.do(claim, BO, ref)
    await floor.do(update_user, ADA, "usr_2", {"roles": []})
    assert (await floor.stored(ref)).assignee_id == BO.user_id


async def test_user_who_loses_another_permission_keeps_what_they_hold(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    left = [permission for permission in sorted(BO.permissions) if permission.startswith(f"{kind}:")]
    await floor.do(update_user, ADA, "usr_2", {"permissions": left})
    assert (await floor.stored(ref)).assignee_id == BO.user_id


@pytest.mark.parametrize("kind", CLOSING, indirect=True)
@pytest.mark.parametrize("returns", ["customer", "user"])
async def test_closed_interaction_of_a_user_who_left_is_nobodys_when_it_returns(
    floor: Floor, kind: str, returns: str
) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    await floor.do(close, BO, ref)
    if kind == "chat_session" and returns == "customer":
        await floor.do(reopen, BO, ref)
        await floor.do(update_chat_session, BO, ref, {"status": ChatSessionStatus.FINISHED})
    await floor.do(deactivate_user, ADA, "usr_2")
    assert (await floor.stored(ref)).state is State.CLOSED
    if returns == "user":
        await floor.do(reopen, EVE, ref)
    elif kind != "agent_session":
        await floor.hear_in(ref)
    else:
        return  # a disabled AgentSession takes no message
    after = await floor.stored(ref)
    assert (after.state, after.assignee_id) == (State.OPEN, None)
    assert "ORPHANED" not in after.attention.reasons


@pytest.mark.parametrize("kind", ["conversation", "chat_session"], indirect=True)
async def test_closed_interaction_of_a_user_who_may_only_read_is_nobodys_when_its_customer_returns(
    floor: Floor, kind: str
) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    await finish(floor, ref)
    await floor.do(update_user, ADA, "usr_2", {"permissions": sorted(CY.permissions)})
    await floor.hear_in(ref)
    after = await floor.stored(ref)
    assert (after.state, after.assignee_id, after.waiting.unanswered) == (State.OPEN, None, 1)


async def test_closed_interaction_of_a_user_who_left_is_nobodys_whatever_opens_it(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    if kind == "session":
        await floor.pass_until(START + 3 * HOUR)
    else:
        await floor.do(close, BO, ref)
    await floor.do(deactivate_user, ADA, "usr_2")
    assert (await floor.stored(ref)).assignee_id == BO.user_id
    match kind:
        case "session":
            await floor.do(update_session, EVE, {"need_attention": True}, ref=str(ref))
        case "agent_session":
            await floor.do(update_agent_session, EVE, str(ref), {"enabled": True})
        case "chat_session":
            await floor.do(update_chat_session, EVE, ref, {"status": ChatSessionStatus.USER_LAST})
        case _:
            await floor.do(update_conversation, EVE, str(ref), {"status": Status.IN_PROGRESS})
    after = await floor.stored(ref)
    assert (after.state, after.assignee_id) == (State.OPEN, None)
    assert "ORPHANED" not in after.attention.reasons


async def finish(floor: Floor, ref: GlobalId) -> None:
    """End it in the way after which its customer can return."""
    if ref.prefix == "chs":
        await floor.do(update_chat_session, BO, ref, {"status": ChatSessionStatus.FINISHED})
    else:
        await floor.do(close, BO, ref)


@pytest.mark.parametrize("how", ["released", "lease over", "deactivated"])
async def test_session_that_only_its_holder_kept_open_asks_for_another_human(floor: Floor, how: str) -> None:
    ref = await floor.opened("session")
    await floor.do(claim, BO, ref, **({"lease_seconds": 3 * 3600} if how == "lease over" else {}))
    await floor.do(mark_read, BO, ref)
    await floor.pass_until(START + 3 * HOUR - timedelta(seconds=1))
    assert await floor.reasons(ref) == {"CUSTOMER_WAITING"}
    match how:
        case "released":
            await floor.do(release, BO, ref)
        case "deactivated":
            await floor.do(deactivate_user, ADA, "usr_2")
        case _:
            await floor.pass_until(START + 3 * HOUR)
    after = await floor.stored(ref)
    assert (after.state, after.assignee_id, after.bot_active) == (State.OPEN, None, False)
    assert (after.waiting.since, set(after.attention.reasons)) == (START, {"FLAGGED", "CUSTOMER_WAITING"})
    await floor.do(claim, EVE, ref)


async def test_orphan_is_told_as_urgently_as_what_it_needs_and_can_be_claimed(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)

    def leave_behind_our_back(work: Work) -> None:
        user = work.use(UserRepository).get(BO.user_id)
        assert user is not None
        work.connection.exec_driver_sql("UPDATE app_user SET active = false WHERE id = 2")

    await floor.do(leave_behind_our_back)
    await floor.do(mark_read, EVE, ref)
    after = await floor.stored(ref)
    assert {"ORPHANED", "CUSTOMER_WAITING"} <= set(after.attention.reasons)
    assert after.attention.reason == "CUSTOMER_WAITING"
    assert await floor.answer(ref, EVE) > 0
    await floor.do(claim, EVE, ref)
    assert "ORPHANED" not in await floor.reasons(ref)


async def test_user_who_was_deactivated_meanwhile_claims_nothing(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(deactivate_user, ADA, "usr_2")
    with pytest.raises(Forbidden):
        await floor.do(claim, BO, ref)


async def test_user_who_may_not_see_it_is_assigned_nothing(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    with pytest.raises(InvalidInput) as refused:
        await floor.do(assign, BO, ref, DEE.user_id)
    assert refused.value.path == ("user_id",)


async def test_holders_snooze_is_told_while_they_are_away(floor: Floor, database_url: str) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    await floor.do(snooze, BO, ref, START + HOUR)
    async with ears(floor.graph, database_url) as heard:
        listener = await heard.listen("subscription { attentionChanged { topic interactionId } }", EVE)
        await floor.pass_until(START + HOUR)
        assert await listener.next() == {"topic": "ATTENTION_RAISED", "interactionId": str(ref)}


# ---- presence -----------------------------------------------------------------------------------------------------


async def test_presence_ends_with_deactivation(floor: Floor) -> None:
    await floor.do(set_presence, BO, True)
    after = await floor.do(deactivate_user, ADA, "usr_2")
    assert (after.active, after.present) == (False, False)


async def test_missed_chat_is_queued_when_a_member_comes(floor: Floor) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(reset_chat_session, BO, ref)
    await floor.do(set_presence, CY, True)
    assert (await floor.stored(ref)).status is ChatSessionStatus.OFFLINE_FORM
    await floor.do(set_presence, BO, True)
    after = await floor.stored(ref)
    assert (after.status, after.attention.reason) == (ChatSessionStatus.IN_QUEUE, "QUEUED")
    assert (await floor.topics(ref))[-2:] == ["chat_session.queued", "attention.changed"]


async def test_missed_chat_of_everybodys_topic_is_queued_when_anybody_comes(floor: Floor) -> None:
    await respond(floor)
    ref = await floor.opened("chat_session")
    await floor.do(reset_chat_session, BO, ref)
    assert (await floor.stored(ref)).status is ChatSessionStatus.OFFLINE_FORM
    await floor.do(set_presence, DEE, True)
    assert (await floor.stored(ref)).status is ChatSessionStatus.OFFLINE_FORM
    await floor.do(set_presence, BO, True)
    assert (await floor.stored(ref)).attention.reason == "QUEUED"
    other = await floor.opened("chat_session")
    await floor.do(reset_chat_session, BO, other)
    assert (await floor.stored(other)).status is ChatSessionStatus.IN_QUEUE


async def test_missed_chat_is_queued_when_its_topic_becomes_everybodys(floor: Floor) -> None:
    await respond(floor, EVE)
    await floor.do(set_presence, BO, True)
    ref = await floor.opened("chat_session")
    await floor.do(reset_chat_session, ADA, ref)
    assert (await floor.stored(ref)).status is ChatSessionStatus.OFFLINE_FORM
    await respond(floor)
    assert (await floor.stored(ref)).status is ChatSessionStatus.IN_QUEUE


async def test_posted_request_is_told_again_when_a_member_comes(floor: Floor) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(reset_chat_session, BO, ref)
    await floor.do(update_chat_session, BO, ref, {"status": ChatSessionStatus.REQUEST_POSTED})
    await floor.do(set_presence, BO, True)
    assert (await floor.stored(ref)).attention.reason == "MISSED"
    assert (await floor.topics(ref))[-1] == "attention.renewed"


# ---- offers -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def offered(floor: Floor) -> GlobalId:
    """A chat of Bo's that is offered to Eve."""
    for user in (BO, EVE):
        await floor.do(set_presence, user, True)
    ref = await floor.opened("chat_session")
    await floor.do(claim, BO, ref)
    await floor.do(transfer_chat_session, BO, ref, EVE.user_id)
    return ref


async def test_offer_is_found_by_the_user_it_is_made_to(floor: Floor, offered: GlobalId) -> None:
    assert await floor.queue(EVE, assignee={"userId": "usr_5"}) == [str(offered)]
    assert await floor.queue(EVE, assignee={"userIdOrNobody": "usr_5"}) == [str(offered)]
    assert await floor.queue(BO, assignee={"userId": "usr_2"}) == []
    summary = "{ attentionSummary(groupBy: ASSIGNEE) { groups { assignee { id } count } } }"
    found = await floor.graph.read(summary, EVE)
    assert found["attentionSummary"]["groups"] == [{"assignee": {"id": "usr_5"}, "count": 1}]
    lists = "query($filter: InteractionFilter) { interactions(filter: $filter) { totalCount } }"
    found = await floor.graph.read(lists, BO, filter={"assignee": {"userId": "usr_2"}})
    assert found["interactions"]["totalCount"] == 1


async def test_offer_is_told_to_the_user_it_is_made_to_and_taken_from_the_other(
    floor: Floor, offered: GlobalId, database_url: str
) -> None:
    await floor.do(cancel_chat_transfer, BO, offered)
    document = "subscription($filter: InteractionEventFilter) { attentionChanged(filter: $filter) { change } }"
    async with ears(floor.graph, database_url) as heard:
        eve = await heard.listen(document, EVE, filter={"assignee": {"userId": "usr_5"}})
        bo = await heard.listen(document, BO, filter={"assignee": {"userId": "usr_2"}})
        await floor.do(transfer_chat_session, BO, offered, EVE.user_id)
        assert (await eve.next(), await bo.next()) == ({"change": "ENTERED"}, {"change": "LEFT"})
        await floor.do(cancel_chat_transfer, BO, offered)
        assert (await eve.next(), await bo.next()) == ({"change": "LEFT"}, {"change": "ENTERED"})


@pytest.mark.parametrize("how", ["absent", "deactivated", "write taken", "right taken", "member removed"])
async def test_offer_ends_when_its_user_cannot_take_it(floor: Floor, offered: GlobalId, how: str) -> None:
    def member(work: Work) -> GlobalId:
        topic = floor.targets["chat_session"]["chat_topic_id"]
        found = work.use(ChatTopicRepository).members(topic)
        return GlobalId("tpm", next(each.id for each in found if each.user_id == EVE.user_id))

    ref = await floor.do(member)
    match how:
        case "absent":
            await floor.do(set_presence, EVE, False)
        case "deactivated":
            await floor.do(deactivate_user, ADA, "usr_5")
        case "write taken":
            await floor.do(update_user, ADA, "usr_5", {"permissions": ["chat_session:read"]})
        case "right taken":
            await floor.do(update_chat_topic_member, ADA, ref, {"can_respond": False})
        case _:
            await floor.do(remove_chat_topic_member, ADA, ref)
    after = await floor.stored(offered)
    assert (after.transfer_to_id, after.assignee_id) == (None, BO.user_id)
    assert "TRANSFER" not in after.attention.reasons
    assert "chat_session.transfer_cancelled" in await floor.topics(offered)


@pytest.mark.parametrize("responds", [False, True])
async def test_offer_ends_when_the_chat_moves_to_where_its_user_may_not_respond(
    floor: Floor, offered: GlobalId, responds: bool
) -> None:
    other = await floor.do(create_chat_topic, ADA, {"name": "Sales"})
    responder = EVE if responds else BO
    await floor.do(add_chat_topic_member, ADA, GlobalId("top", other.id), responder.user_id, {"can_respond": True})
    await floor.do(update_chat_session, BO, offered, {"topic_id": other.topic_id})
    after = await floor.stored(offered)
    assert after.assignee_id == BO.user_id
    assert after.transfer_to_id == (EVE.user_id if responds else None)
    assert ("TRANSFER" in after.attention.reasons) is responds


async def test_offer_to_a_user_who_may_not_see_it_is_refused(floor: Floor) -> None:
    await floor.do(set_presence, BO, True)
    await floor.do(set_presence, DEE, True)
    ref = await floor.opened("chat_session")
    await floor.do(claim, BO, ref)
    with pytest.raises((InvalidInput, Conflict)):
        await floor.do(transfer_chat_session, BO, ref, DEE.user_id)


async def lose_topic(floor: Floor, how: str) -> None:
    """Take the right to respond in the topic from Bo."""

    def member(work: Work) -> GlobalId:
        found = work.use(ChatTopicRepository).members(floor.targets["chat_session"]["chat_topic_id"])
        return GlobalId("tpm", next(each.id for each in found if each.user_id == BO.user_id))

    of_bo = await floor.do(member)
    if how == "right taken":
        await floor.do(update_chat_topic_member, ADA, of_bo, {"can_respond": False})
    else:
        await floor.do(remove_chat_topic_member, ADA, of_bo)


LOSING = pytest.mark.parametrize("how", ["right taken", "member removed"])


@LOSING
@pytest.mark.parametrize("posted", [False, True])
async def test_lost_topic_releases_its_chats(floor: Floor, how: str, posted: bool) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(claim, BO, ref)
    if posted:
        await floor.do(update_chat_session, BO, ref, {"status": ChatSessionStatus.REQUEST_POSTED})
    await lose_topic(floor, how)
    after = await floor.stored(ref)
    assert (after.assignee_id, after.status) == (None, ChatSessionStatus.IN_QUEUE)


async def respond(floor: Floor, *users: Actor) -> None:
    """Let these members of the topic respond in it, and no others."""

    def change(work: Work) -> None:
        for each in work.use(ChatTopicRepository).members(floor.targets["chat_session"]["chat_topic_id"]):
            rights: MemberRights = {"can_respond": each.user_id in [user.user_id for user in users]}
            update_chat_topic_member(work, ADA, GlobalId("tpm", each.id), rights)

    await floor.do(change)


async def test_first_who_may_respond_takes_a_topic_from_everybody(floor: Floor) -> None:
    await respond(floor)
    for user in (ADA, BO):
        await floor.do(set_presence, user, True)
    of_bo = await floor.opened("chat_session")
    await floor.do(claim, BO, of_bo)
    await respond(floor, EVE)
    after = await floor.stored(of_bo)
    assert (after.assignee_id, after.status) == (None, ChatSessionStatus.IN_QUEUE)
    await floor.do(claim, EVE, of_bo)
    await respond(floor, BO, EVE)
    assert (await floor.stored(of_bo)).assignee_id == EVE.user_id


async def test_first_who_may_respond_ends_offers_to_others_but_not_what_admins_hold(floor: Floor) -> None:
    await respond(floor)
    await floor.do(set_presence, BO, True)
    ref = await floor.opened("chat_session")
    await floor.do(claim, ADA, ref)
    await floor.do(transfer_chat_session, ADA, ref, BO.user_id)
    await respond(floor, EVE)
    after = await floor.stored(ref)
    assert (after.assignee_id, after.transfer_to_id) == (ADA.user_id, None)
    assert "chat_session.transfer_cancelled" in await floor.topics(ref)


@LOSING
async def test_lost_topic_releases_a_finished_chat_when_its_customer_returns(floor: Floor, how: str) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    await finish(floor, ref)
    await lose_topic(floor, how)
    assert (await floor.stored(ref)).assignee_id == BO.user_id
    await floor.hear_in(ref)
    after = await floor.stored(ref)
    assert (after.assignee_id, after.status) == (None, ChatSessionStatus.IN_QUEUE)


# ---- who is there -------------------------------------------------------------------------------------------------


async def test_user_who_may_only_read_is_nobody_to_wait_for(floor: Floor) -> None:
    for user in (BO, EVE):
        await floor.do(set_presence, user, True)
    ref = await floor.opened("chat_session")
    await floor.do(claim, BO, ref)
    await floor.do(update_user, ADA, "usr_5", {"permissions": sorted(CY.permissions)})
    with pytest.raises(Conflict):
        await floor.do(transfer_chat_session, BO, ref, EVE.user_id)
    await floor.do(set_presence, BO, False)
    await floor.do(reset_chat_session, BO, ref)
    assert (await floor.stored(ref)).status is ChatSessionStatus.OFFLINE_FORM
    document = "{ chatTopics { edges { node { members { edges { node { present } } } } } } }"
    (topic,) = (await floor.graph.read(document, ADA))["chatTopics"]["edges"]
    assert [each["node"]["present"] for each in topic["node"]["members"]["edges"]] == [False, False]


@pytest.mark.parametrize("how", ["right given", "member added"])
async def test_missed_chat_is_queued_when_somebody_who_is_there_joins_its_topic(floor: Floor, how: str) -> None:
    await lose_topic(floor, "right taken" if how == "right given" else "member removed")
    await floor.do(set_presence, BO, True)
    ref = await floor.opened("chat_session")
    await floor.do(reset_chat_session, ADA, ref)
    assert (await floor.stored(ref)).status is ChatSessionStatus.OFFLINE_FORM
    topic = floor.targets["chat_session"]["chat_topic_id"]
    if how == "member added":
        await floor.do(add_chat_topic_member, ADA, GlobalId("top", topic), BO.user_id, {"can_respond": True})
    else:

        def member(work: Work) -> GlobalId:
            found = work.use(ChatTopicRepository).members(topic)
            return GlobalId("tpm", next(each.id for each in found if each.user_id == BO.user_id))

        await floor.do(update_chat_topic_member, ADA, await floor.do(member), {"can_respond": True})
    assert (await floor.stored(ref)).attention.reason == "QUEUED"
