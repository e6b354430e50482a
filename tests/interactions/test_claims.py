import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed, InvalidInput, InvalidTransition, NotFound
from app.core.ids import GlobalId
from app.directory.service import update_user
from app.interactions.messages import MessageAuthor
from app.interactions.model import Interaction
from app.interactions.service.change import load
from app.interactions.service.deadlines import fire_due
from app.interactions.service.holding import assign, claim, release
from app.interactions.service.messages import send_message
from app.interactions.service.state import close
from tests.conftest import START
from tests.interactions.conftest import House, cnv, said, ses
from tests.kinds.conftest import ADA, BO, CY, DEE
from tests.kinds.conversation.conftest import IVO

pytestmark = pytest.mark.anyio

EVE = Actor(user_id=4, name="Dee", permissions=BO.permissions)
"""A user with the permissions of Bo."""


async def found(house: House) -> Interaction:
    interaction: Interaction = await house.database.command(load, ADA, cnv(1))
    return interaction


async def test_who_claims_holds_it(house: House) -> None:
    await house.hear()
    after = await house.database.command(claim, BO, cnv(1))
    assert (after.assignee_id, after.claimed_until, after.version) == (2, None, 2)
    assert await found(house) == after
    events = await house.told()
    assert events[-1].topic == "conversation.claimed"
    assert events[-1].data["changes"] == [
        {"field": "assignee", "before": None, "after": "usr_2"},
        {"field": "status", "before": "TO_DO", "after": "IN_PROGRESS"},
    ]
    assert (events[-1].assignee_id, events[-1].actor_id, events[-1].version) == (2, 2, 2)
    assert (events[-1].level_before, events[-1].level_after) == (3, 3)


async def test_the_loser_hears_who_has_it_and_nothing_changes(house: House) -> None:
    await house.hear()
    await house.database.command(claim, BO, cnv(1), lease_seconds=60)
    before, told = await found(house), await house.topics()
    for loser in (EVE, ADA):
        with pytest.raises(AlreadyClaimed) as refused:
            await house.database.command(claim, loser, cnv(1))
        assert (refused.value.claimed_by, refused.value.claimed_until) == (2, START + timedelta(seconds=60))
    assert (await found(house), await house.topics()) == (before, told)


async def test_a_lapsed_lease_counts_as_free(house: House) -> None:
    await house.hear()
    await house.database.command(claim, BO, cnv(1), lease_seconds=60)
    house.clock.advance(59)
    with pytest.raises(AlreadyClaimed):
        await house.database.command(claim, ADA, cnv(1))
    house.clock.advance(1)
    after = await house.database.command(claim, ADA, cnv(1))
    assert (after.assignee_id, after.claimed_until) == (1, None)


async def test_the_holder_renews_the_lease(house: House) -> None:
    await house.hear()
    await house.database.command(claim, BO, cnv(1), lease_seconds=60)
    house.clock.advance(30)
    after = await house.database.command(claim, BO, cnv(1), lease_seconds=60)
    assert after.claimed_until == START + timedelta(seconds=90)
    told = await house.topics()
    house.clock.advance(1)
    await house.database.command(fire_due, 10)
    assert await house.topics() == told


async def test_a_reply_ends_the_lease_and_not_the_claim(house: House) -> None:
    await house.hear()
    await house.database.command(claim, BO, cnv(1), lease_seconds=60)
    await house.database.command(send_message, BO, cnv(1), said("Hi"))
    assert (await found(house)).claimed_until is None
    house.clock.advance(61)
    await house.database.command(fire_due, 10)
    assert (await found(house)).assignee_id == 2


async def test_anybody_elses_reply_leaves_the_lease(house: House) -> None:
    await house.hear()
    await house.database.command(claim, BO, cnv(1), lease_seconds=60)
    await house.database.command(send_message, ADA, cnv(1), said("Hi"), override=True)
    await house.database.command(send_message, BO, cnv(1), said("Hi"), author=MessageAuthor.BOT)
    assert (await found(house)).claimed_until == START + timedelta(seconds=60)


async def test_a_lease_that_ends_unassigns(house: House) -> None:
    await house.hear()
    await house.database.command(claim, BO, cnv(1), lease_seconds=60)
    house.clock.advance(60)
    await house.database.command(fire_due, 10)
    after = await found(house)
    assert (after.assignee_id, after.claimed_until) == (None, None)
    assert (await house.topics())[-1] == "conversation.claim_lapsed"


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
async def test_a_lease_has_bounds(house: House, seconds: int) -> None:
    await house.hear()
    with pytest.raises(InvalidInput) as refused:
        await house.database.command(claim, BO, cnv(1), lease_seconds=seconds)
    assert refused.value.path == ("lease_seconds",)


async def test_only_the_holder_or_an_admin_releases(house: House) -> None:
    await house.hear()
    with pytest.raises(InvalidTransition):
        await house.database.command(release, BO, cnv(1))
    await house.database.command(claim, BO, cnv(1))
    with pytest.raises(AlreadyClaimed):
        await house.database.command(release, EVE, cnv(1))
    assert (await house.database.command(release, BO, cnv(1))).assignee_id is None
    await house.database.command(claim, BO, cnv(1))
    assert (await house.database.command(release, ADA, cnv(1))).assignee_id is None


async def test_assigning_what_somebody_holds_needs_the_holder_or_an_admin(house: House) -> None:
    await house.hear()
    assert (await house.database.command(assign, BO, cnv(1), 3)).assignee_id == 3
    with pytest.raises(AlreadyClaimed):
        await house.database.command(assign, BO, cnv(1), 2)
    assert (await house.database.command(assign, ADA, cnv(1), 2)).assignee_id == 2
    assert (await house.database.command(assign, BO, cnv(1), None)).assignee_id is None
    told = await house.topics()
    await house.database.command(assign, BO, cnv(1), None)
    assert await house.topics() == told


@pytest.mark.parametrize("user", [IVO, 99])
async def test_only_active_users_can_be_given_an_interaction(house: House, user: int) -> None:
    await house.hear()
    with pytest.raises(InvalidInput) as refused:
        await house.database.command(assign, BO, cnv(1), user)
    assert refused.value.path == ("user_id",)


async def test_what_is_closed_cannot_be_claimed(house: House) -> None:
    await house.hear()
    await house.database.command(close, BO, cnv(1))
    with pytest.raises(InvalidTransition):
        await house.database.command(claim, BO, cnv(1))


async def test_a_session_is_claimed_like_any_other(house: House) -> None:
    await house.hear_sam()
    after = await house.database.command(claim, BO, ses(1))
    assert (after.kind, after.assignee_id, after.version) == ("session", 2, 2)


@pytest.mark.parametrize("command", [claim, release])
async def test_what_may_not_be_seen_is_not_there(house: House, command: Any) -> None:
    await house.hear()
    for actor, ref in ((DEE, cnv(1)), (BO, cnv(2)), (BO, ses(1)), (BO, GlobalId("xyz", 1))):
        with pytest.raises(NotFound):
            await house.database.command(command, actor, ref)


async def test_a_reader_may_not_claim(house: House) -> None:
    await house.hear()
    payload = await house.graph.attempt("claimInteraction", {"id": "cnv_1"}, "interaction { id }", CY)
    assert payload == {
        "interaction": None,
        "errors": [
            {
                "__typename": "GenericError",
                "code": "FORBIDDEN",
                "message": "This needs the permission conversation:write.",
                "path": [],
            }
        ],
        "clientMutationId": None,
    }


async def test_the_loser_is_told_in_the_graph(house: House) -> None:
    await house.hear()
    won = await house.graph.do(
        "claimInteraction",
        {"id": "cnv_1", "leaseSeconds": 60, "clientMutationId": "a"},
        "interaction { id assignee { name } attention { claimedBy { id } claimedUntil } viewerCan { release } }",
        BO,
    )
    assert won == {
        "interaction": {
            "id": "cnv_1",
            "assignee": {"name": "Bo"},
            "attention": {"claimedBy": {"id": "usr_2"}, "claimedUntil": "2026-01-05T09:01:00.000000Z"},
            "viewerCan": {"release": True},
        },
        "errors": [],
        "clientMutationId": "a",
    }
    assert (await house.told())[-1].client_mutation_id == "a"
    lost = await house.graph.attempt("claimInteraction", {"id": "cnv_1"}, "interaction { id }", EVE)
    assert lost["errors"] == [
        {
            "__typename": "AlreadyClaimedError",
            "code": "ALREADY_CLAIMED",
            "message": "Bo holds this.",
            "path": [],
            "claimedBy": {"id": "usr_2"},
            "claimedUntil": "2026-01-05T09:01:00.000000Z",
        }
    ]


async def test_of_many_who_claim_at_once_one_wins(house: House) -> None:
    await house.hear()
    # Who may not see it holds nothing, and what nobody holds another may claim.
    await house.database.command(update_user, ADA, f"usr_{EVE.user_id}", {"permissions": sorted(BO.permissions)})
    actors = [BO, EVE, Actor(user_id=3, name="Cy", permissions=BO.permissions), ADA] * 3
    found = await asyncio.gather(
        *(house.database.command(claim, actor, cnv(1)) for actor in actors), return_exceptions=True
    )
    lost = [each for each in found if isinstance(each, AlreadyClaimed)]
    winners = {each.assignee_id for each in found if isinstance(each, Interaction)}
    assert (len(lost), len(winners)) == (9, 1)
    assert {each.claimed_by for each in lost} == winners
    assert (await house.topics()).count("conversation.claimed") == 1
