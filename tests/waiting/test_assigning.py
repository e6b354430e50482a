"""Interactions are not assigned to users who were deactivated, lost a permission or left a team meanwhile."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.util import await_only

from app.core.actor import Actor
from app.core.errors import Conflict, Forbidden, InvalidInput
from app.core.ids import GlobalId
from app.directory.service import create_team, create_user, deactivate_user, set_presence, update_team, update_user
from app.interactions.model import State
from app.interactions.service.change import load
from app.interactions.service.holding import assign, claim
from app.interactions.service.messages import send_message
from app.interactions.service.state import close, reopen
from app.interactions.service.teams import assign_team
from app.kinds.chat_session.model.session import ChatSessionStatus
from app.kinds.chat_session.model.topic import ChatTopicMember
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.chat_session.service.queue import pick_up_chat_session
from app.kinds.chat_session.service.transfers import accept_chat_transfer, transfer_chat_session
from app.storage.database import Work
from tests.kinds.conftest import ADA, BO, CY
from tests.serving import PATIENCE
from tests.waiting.floor import EVE, HELLO, Floor

pytestmark = pytest.mark.anyio

Unit = Callable[[Work], Any]

TAKING: Mapping[str, tuple[str, Callable[[Work, Actor, GlobalId], object]]] = {
    "claim of a Session": ("session", claim),
    "claim of a chat": ("chat_session", claim),
    "claim of a conversation": ("conversation", claim),
    "reply to a queued chat": ("chat_session", lambda work, actor, ref: send_message(work, actor, ref, HELLO)),
    "reply in an AgentSession": ("agent_session", lambda work, actor, ref: send_message(work, actor, ref, HELLO)),
    "chat that is picked up": ("chat_session", pick_up_chat_session),
    "chat that is first in the queue": ("chat_session", lambda work, actor, _: pick_up_chat_session(work, actor)),
}
"""Commands that assign the interaction of a kind to their actor."""

LEAVING: Mapping[str, Unit] = {
    "deactivated": lambda work: deactivate_user(work, ADA, "usr_2"),
    "write taken": lambda work: update_user(work, ADA, "usr_2", {"permissions": sorted(CY.permissions)}),
}
"""Changes after which Bo can hold nothing."""


async def meanwhile(floor: Floor, ref: GlobalId, change: Unit, command: Unit) -> Any:
    """Run the command in a unit that has locked the interaction before the change begins and commits.

    SQLite has one writer: there the change is the unit before."""
    if floor.graph.database.dialect.name == "sqlite":
        await floor.do(change)
        return await floor.do(command)

    def unit(work: Work) -> Any:
        _lock(work, ref)
        await_only(floor.do(change))
        return command(work)

    return await floor.do(unit)


async def crossed(floor: Floor, ref: GlobalId, command: Unit, change: Unit, *, before: bool = False) -> int:
    """Run the command, and the change that begins while the command's unit has the interaction locked and has to wait
    for it: from before the command is given, or after. Returns how often the two units were started."""
    starts = 0
    changes: list[asyncio.Task[None]] = []

    def changing(work: Work) -> None:
        nonlocal starts
        starts += 1
        change(work)

    def wait(work: Work) -> None:
        if not changes:
            changes.append(asyncio.get_running_loop().create_task(floor.do(changing)))
        _until_one_waits(work)

    def unit(work: Work) -> None:
        nonlocal starts
        starts += 1
        if work.dialect_name == "sqlite":  # its one writer does the change next
            command(work)
            return
        _lock(work, ref)
        if before:
            wait(work)
        command(work)
        if not before:
            wait(work)

    if floor.graph.database.dialect.name == "sqlite":
        await asyncio.gather(floor.do(unit), floor.do(changing))
        return starts
    await floor.do(unit)
    await changes[0]
    return starts


def _lock(work: Work, ref: GlobalId) -> None:
    load(work, ADA, ref)
    # The lock of a unit's first read comes with its second statement.
    work.connection.execute(sa.text("SELECT 1"))


def _until_one_waits(work: Work) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ends = time.monotonic() + PATIENCE
    while not work.connection.execute(sa.text(waiting)).scalar_one():
        assert time.monotonic() < ends, "no unit waits for a lock"
        await_only(asyncio.sleep(0.01))


@pytest.mark.parametrize("how", LEAVING)
@pytest.mark.parametrize("taking", TAKING)
async def test_interaction_is_not_assigned_to_a_user_who_left_meanwhile(floor: Floor, taking: str, how: str) -> None:
    kind, command = TAKING[taking]
    ref = await queued(floor, kind)
    before, told = await floor.stored(ref), await floor.topics(ref)
    with pytest.raises(Forbidden):
        await meanwhile(floor, ref, LEAVING[how], lambda work: command(work, BO, ref))
    assert await floor.stored(ref) == before
    assert await floor.topics(ref) == told


@pytest.mark.parametrize("taking", TAKING)
async def test_interaction_is_released_when_its_user_leaves_while_it_is_assigned(floor: Floor, taking: str) -> None:
    kind, command = TAKING[taking]
    ref = await queued(floor, kind)
    starts = await crossed(floor, ref, lambda work: command(work, BO, ref), LEAVING["deactivated"])
    after = await floor.stored(ref)
    assert (after.assignee_id, starts) == (None, 2)
    assert f"{kind}.released" in await floor.topics(ref)


async def queued(floor: Floor, kind: str) -> GlobalId:
    """An interaction of the kind that nobody holds and whose customer waits; a chat in the queue."""
    await floor.do(set_presence, EVE, True)
    return await floor.opened(kind)


async def test_interaction_is_not_assigned_by_others_to_a_user_who_left_meanwhile(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    with pytest.raises(InvalidInput) as refused:
        await meanwhile(floor, ref, LEAVING["deactivated"], lambda work: assign(work, ADA, ref, BO.user_id))
    assert refused.value.path == ("user_id",)
    assert (await floor.stored(ref)).assignee_id is None


@pytest.mark.parametrize("kind", ["agent_session", "chat_session", "conversation"], indirect=True)
async def test_interaction_reopens_without_a_holder_who_left_meanwhile(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.do(close, BO, ref)
    await meanwhile(floor, ref, LEAVING["deactivated"], lambda work: reopen(work, EVE, ref))
    after = await floor.stored(ref)
    assert (after.state, after.assignee_id) == (State.OPEN, None)


@pytest.mark.parametrize("kind", ["agent_session", "chat_session", "conversation"], indirect=True)
async def test_interaction_is_released_when_its_holder_leaves_while_it_reopens(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.do(close, BO, ref)
    starts = await crossed(floor, ref, lambda work: reopen(work, EVE, ref), LEAVING["deactivated"])
    after = await floor.stored(ref)
    assert (after.state, after.assignee_id, starts) == (State.OPEN, None, 2)


# ---- teams --------------------------------------------------------------------------------------------------------


async def member(floor: Floor, kind: str) -> Actor:
    """Fay, user 6, who is present, responds in chats and works on the kind's interactions of team 1 and of none."""
    permissions = [f"{kind}:read:team", f"{kind}:write:team"]

    def make(work: Work) -> None:
        user = create_user(work, ADA, {"name": "Fay", "login": "fay", "permissions": permissions})
        create_team(work, ADA, {"name": "Billing", "member_ids": [f"usr_{user.id}"]})
        topic = floor.targets["chat_session"]["chat_topic_id"]
        work.use(ChatTopicRepository).add_member(
            ChatTopicMember(id=0, topic_id=topic, user_id=user.id, can_respond=True)
        )

    await floor.do(make)
    fay = Actor(user_id=6, name="Fay", permissions=frozenset(permissions), teams=frozenset({1}))
    await floor.do(set_presence, fay, True)
    return fay


def leave(work: Work) -> None:
    update_team(work, ADA, "tea_1", {"member_ids": []})


async def test_interaction_of_a_team_is_not_assigned_to_a_user_who_left_it_meanwhile(floor: Floor, kind: str) -> None:
    fay, ref = await member(floor, kind), await floor.opened(kind)
    await floor.do(assign_team, ADA, ref, 1)
    with pytest.raises(Forbidden):
        await meanwhile(floor, ref, leave, lambda work: claim(work, fay, ref))
    assert (await floor.stored(ref)).assignee_id is None


async def test_interaction_of_a_team_is_released_when_its_user_leaves_while_it_is_assigned(
    floor: Floor, kind: str
) -> None:
    fay, ref = await member(floor, kind), await floor.opened(kind)
    await floor.do(assign_team, ADA, ref, 1)
    starts = await crossed(floor, ref, lambda work: claim(work, fay, ref), leave)
    assert ((await floor.stored(ref)).assignee_id, starts) == (None, 2)


async def test_interaction_that_moves_to_a_team_does_not_deadlock_with_a_holder_who_leaves_it(
    floor: Floor, kind: str
) -> None:
    fay, ref = await member(floor, kind), await floor.opened(kind)
    await floor.do(claim, fay, ref)
    starts = await crossed(floor, ref, lambda work: assign_team(work, ADA, ref, 1), leave, before=True)
    after = await floor.stored(ref)
    assert (after.assignee_id, after.team_id, starts) == (None, 1, 2)


# ---- offers -------------------------------------------------------------------------------------------------------


async def offered(floor: Floor) -> tuple[Actor, GlobalId]:
    """Fay, and a chat of Bo's that is offered to her."""
    fay, ref = await member(floor, "chat_session"), await floor.opened("chat_session")
    await floor.do(claim, BO, ref)
    await floor.do(transfer_chat_session, BO, ref, fay.user_id)
    return fay, ref


async def test_offer_accepted_does_not_deadlock_with_the_deactivation_of_its_user(floor: Floor) -> None:
    fay, ref = await offered(floor)
    starts = await crossed(
        floor,
        ref,
        lambda work: accept_chat_transfer(work, fay, ref),
        lambda work: deactivate_user(work, ADA, "usr_6"),
        before=True,
    )
    after = await floor.stored(ref)
    assert (after.assignee_id, after.transfer_to_id, after.status, starts) == (
        None,
        None,
        ChatSessionStatus.IN_QUEUE,
        2,
    )


async def test_offer_to_a_user_who_went_away_meanwhile_is_refused(floor: Floor) -> None:
    await floor.do(set_presence, EVE, True)
    ref = await floor.opened("chat_session")
    await floor.do(claim, BO, ref)
    before, told = await floor.stored(ref), await floor.topics(ref)
    with pytest.raises(Conflict):
        await meanwhile(
            floor,
            ref,
            lambda work: set_presence(work, EVE, False),
            lambda work: transfer_chat_session(work, BO, ref, EVE.user_id),
        )
    assert await floor.stored(ref) == before
    assert await floor.topics(ref) == told


@pytest.mark.parametrize("stays", [False, True])
async def test_offer_ends_when_the_chat_moves_to_a_team_whose_chats_its_user_may_not_see(
    floor: Floor, stays: bool
) -> None:
    fay, ref = await offered(floor)
    if not stays:
        await floor.do(leave)
    assert (await floor.stored(ref)).transfer_to_id == fay.user_id
    await floor.do(assign_team, ADA, ref, 1)
    after = await floor.stored(ref)
    assert (after.assignee_id, after.transfer_to_id) == (BO.user_id, fay.user_id if stays else None)
    assert ("TRANSFER" in after.attention.reasons) is stays


async def test_offer_ends_when_its_user_leaves_the_team_of_the_chat(floor: Floor) -> None:
    _, ref = await offered(floor)
    await floor.do(assign_team, ADA, ref, 1)
    await floor.do(leave)
    after = await floor.stored(ref)
    assert (after.assignee_id, after.transfer_to_id) == (BO.user_id, None)
    assert (await floor.topics(ref))[-2:] == ["chat_session.transfer_cancelled", "attention.changed"]
