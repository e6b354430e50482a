"""What policies tell: when, how often, and when it is over."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.actor import Actor
from app.destinations.model import Alert, AlertStep, Policy, Standing, turn
from app.destinations.repository import AlertRepository, DestinationRepository, PolicyRepository
from app.destinations.repository.policies import Reading
from app.destinations.service import create_policy, delete_policy
from app.destinations.tables import alerting
from app.interactions.model import Level
from app.interactions.service.erasing import erase_customer
from app.interactions.service.holding import claim, release
from app.interactions.service.state import acknowledge, close, raise_attention
from app.storage.database import Work
from tests.conftest import ManualClock
from tests.destinations.receiving import Receiver, receiving
from tests.destinations.running import CHANGES, SOON, Running, lose_the_log, running
from tests.interactions.conftest import cnv, ses
from tests.kinds.conftest import ADA, BO
from tests.serving import PATIENCE

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = Policy(id=1, name="P", destination_ids=(7,), after_minutes=5, again_minutes=10, created_at=NOW, updated_at=NOW)
WAITS = Standing(
    interaction_id=3,
    kind="conversation",
    level=2,
    level_name="HIGH",
    reasons=("MISSED", "TO_DO"),
    assignee_id=None,
    acknowledged=False,
)


class Life:
    """An alert that goes on turn by turn, and what was told of it."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy: Policy | None = policy
        self.alert: Alert | None = None
        self.now = NOW

    def go(self, minutes: float, found: Standing | None) -> list[str]:
        """What is told after so many minutes, looked at once."""
        self.now += timedelta(minutes=minutes)
        after = turn(self.policy, self.alert, found, self.now)
        self.alert = after.alert
        return [] if after.step is None else [after.step.value]


def test_policy_tells_after_its_minutes_and_again_while_nobody_takes_notice() -> None:
    life = Life()
    assert [life.go(minutes, WAITS) for minutes in (0, 4.9, 0.1, 9.9, 0.1, 10)] == [
        [], [], ["RAISED"], [], ["REPEATED"], ["REPEATED"],
    ]  # fmt: skip
    assert life.alert is not None
    assert (life.alert.told, life.alert.told_to, life.alert.due_at) == (3, (7,), life.now + timedelta(minutes=10))


def test_policy_tells_once_without_again() -> None:
    life = Life(replace(POLICY, after_minutes=0, again_minutes=None))
    assert [life.go(0, WAITS), life.go(10_000, WAITS)] == [["RAISED"], []]
    assert life.alert is not None
    assert life.alert.due_at is None


@pytest.mark.parametrize(
    ("noticed", "step"),
    [(replace(WAITS, assignee_id=2), "CLAIMED"), (replace(WAITS, acknowledged=True), "ACKNOWLEDGED")],
)
def test_policy_tells_of_a_claim_only_where_it_told_of_the_need(noticed: Standing, step: str) -> None:
    early = Life()
    assert [early.go(0, WAITS), early.go(1, noticed), early.alert] == [[], [], None]
    late = Life()
    told = [late.go(0, WAITS), late.go(5, WAITS), late.go(1, noticed), late.go(60, noticed), late.go(0, WAITS)]
    assert told == [[], ["RAISED"], [step], [], []]
    # Nobody holds it any more: the minutes begin anew.
    assert [late.go(4, WAITS), late.go(1, WAITS), late.go(0, None), late.alert] == [[], ["REPEATED"], ["OVER"], None]


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (POLICY, None),
        (POLICY, replace(WAITS, level=None, level_name=None, reasons=())),
        (None, WAITS),
        (replace(POLICY, enabled=False), WAITS),
        (replace(POLICY, levels=("URGENT",)), WAITS),
        (replace(POLICY, destination_ids=()), WAITS),
    ],
    ids=["gone", "cleared", "deleted", "disabled", "filtered", "without destinations"],
)
def test_policy_tells_that_it_is_over_to_those_it_told(policy: Policy | None, found: Standing | None) -> None:
    life, untold = Life(), Life()
    life.go(0, WAITS)
    life.go(5, WAITS)
    life.policy = replace(POLICY, destination_ids=(8,))
    life.go(10, WAITS)
    assert life.alert is not None
    over = turn(policy, life.alert, found, life.now)
    assert over == (None, AlertStep.OVER, (7, 8))
    untold.policy = POLICY
    untold.go(0, WAITS)
    untold.policy = policy
    assert untold.go(1, found) == []
    assert untold.alert is None


def test_policy_tells_at_once_what_became_more_urgent() -> None:
    life = Life(replace(POLICY, again_minutes=None))
    life.go(0, WAITS)
    life.go(5, WAITS)
    urgent = replace(WAITS, level=1, level_name="URGENT")
    assert [life.go(0, urgent), life.go(0, urgent), life.go(0, WAITS)] == [["REPEATED"], [], []]


@pytest.mark.parametrize(
    ("given", "wants"),
    [
        ({}, True),
        ({"kinds": ("CONVERSATION",)}, True),
        ({"kinds": ("SESSION",)}, False),
        ({"kinds": ()}, False),
        ({"levels": ("URGENT", "HIGH")}, True),
        ({"levels": ("LOW",)}, False),
        ({"reasons": ("TO_DO",)}, True),
        ({"reasons": ("QUEUED",)}, False),
        ({"team_ids": (4, 5)}, True),
        ({"team_ids": (4,)}, False),
        ({"team_ids": ()}, False),
    ],
)
def test_policy_wants_what_its_filter_lets_through(given: dict[str, Any], wants: bool) -> None:
    assert replace(POLICY, **given).wants(replace(WAITS, team_id=5)) is wants


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("begins", "ends", "now", "until"),
    [
        ("22:00", "07:00", "2026-01-10T21:59:59+01:00", None),
        ("22:00", "07:00", "2026-01-10T22:00:00+01:00", "2026-01-11T07:00:00+01:00"),
        ("22:00", "07:00", "2026-01-11T06:59:59+01:00", "2026-01-11T07:00:00+01:00"),
        ("22:00", "07:00", "2026-01-11T07:00:00+01:00", None),
        ("12:00", "13:00", "2026-01-11T12:30:00+01:00", "2026-01-11T13:00:00+01:00"),
        # The night in which the clock goes forward from 02:00 to 03:00 is eight hours long.
        ("22:00", "07:00", "2026-03-28T22:30:00+01:00", "2026-03-29T07:00:00+02:00"),
        # An end that the clock leaves out is as long after the beginning as on any other day.
        ("22:00", "02:30", "2026-03-29T01:59:00+01:00", "2026-03-29T03:30:00+02:00"),
        # The night in which it goes back is ten hours long, and an end that comes twice ends it the first time.
        ("22:00", "07:00", "2026-10-24T22:00:00+02:00", "2026-10-25T07:00:00+01:00"),
        ("22:00", "02:30", "2026-10-25T02:15:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("22:00", "02:30", "2026-10-25T02:15:00+01:00", None),
    ],
)
def test_quiet_hours_follow_the_wall_clock_of_their_zone(begins: str, ends: str, now: str, until: str | None) -> None:
    quiet = replace(POLICY, quiet_from=begins, quiet_to=ends, time_zone="Europe/Oslo")
    assert quiet.quiet_until(at(now)) == (None if until is None else at(until))


def test_policy_tells_at_the_end_of_quiet_hours_what_is_still_open() -> None:
    night = replace(POLICY, quiet_from="11:00", quiet_to="14:00", time_zone="UTC")
    open_still, taken = Life(night), Life(night)
    for life in (open_still, taken):
        assert [life.go(0, WAITS), life.go(5, WAITS)] == [[], []]
        assert life.alert is not None
        assert life.alert.due_at == NOW + timedelta(hours=2)
    assert taken.go(60, replace(WAITS, assignee_id=2)) == []
    assert open_still.go(115, WAITS) == ["RAISED"]
    # What was told already is told to be over at any time.
    open_still.now = NOW
    assert open_still.go(0, None) == ["OVER"]


# ---- over the log, the scheduler and a receiver ----------------------------------------------------------------------


# The clock of the test must not end leases.
_LONG = replace(SOON, lease=timedelta(days=1))


async def _policy(app: Running, receiver: Receiver, **given: Any) -> tuple[str, str]:
    made = await app.do(
        "createDestination", {"name": "Pager", "address": receiver.url}, "destination { id document } secret"
    )
    assert made["destination"]["document"] is None
    ref = made["destination"]["id"]
    policy = await app.do("createPolicy", {"name": "Night", "destinationIds": [ref], **given}, "policy { id }")
    return ref, policy["policy"]["id"]


def _steps(receiver: Receiver) -> list[tuple[str, int]]:
    return [(each.item["step"], each.item["count"]) for each in receiver.requests]


@pytest.mark.anyio
async def test_alert_is_told_claimed_and_over_across_a_restart(database_url: str) -> None:
    async with receiving() as receiver:
        async with running(database_url) as app:
            ref, policy = await _policy(app, receiver, levels=["HIGH", "URGENT"])
            await app.house.hear()
            assert await receiver.silent()
            await app.house.database.command(raise_attention, ADA, cnv(1), Level.HIGH)
            await receiver.has(1)
        # Claimed while nothing runs but this command: the log tells of it after the restart.
        async with running(database_url, app.house) as again:
            await again.house.database.command(claim, BO, cnv(1))
            await receiver.has(2)
            await again.house.database.command(release, BO, cnv(1))
            await receiver.has(3)
            await again.house.database.command(close, BO, cnv(1))
            await receiver.has(4)
            assert await receiver.silent()
            fields = "status topic policy { id name } interaction { id } destination { id }"
            deliveries = await again.deliveries(ref, fields)
        assert _steps(receiver) == [("RAISED", 1), ("CLAIMED", 1), ("REPEATED", 2), ("OVER", 2)]
        first = receiver.requests[0].item
        assert (first["policy"], first["interactionId"], first["interaction"]["customer"]) == (
            {"name": "Night"},
            "cnv_1",
            {"name": "Ana"},
        )
        assert (
            deliveries
            == [
                {
                    "status": "DELIVERED",
                    "topic": "ALERT_TOLD",
                    "policy": {"id": policy, "name": "Night"},
                    "interaction": {"id": "cnv_1"},
                    "destination": {"id": ref},
                }
            ]
            * 4
        )


@pytest.mark.anyio
async def test_alert_is_repeated_by_the_scheduler_until_somebody_acknowledges_it(database_url: str) -> None:
    clock = ManualClock(datetime.now(UTC))
    async with receiving() as receiver, running(database_url, clock=clock, limits=_LONG) as app:
        await app.house.hear()
        # Whoever waits already is told of, too.
        await _policy(app, receiver, afterMinutes=5, againMinutes=10)
        await app.followed(1)
        assert await receiver.silent()
        for count, minutes in enumerate((5, 10, 10), start=1):
            clock.advance(60 * minutes)
            await receiver.has(count)
        await app.house.database.command(acknowledge, BO, cnv(1))
        await receiver.has(4)
        clock.advance(3_600)
        assert await receiver.silent()
        await app.house.database.command(erase_customer, ADA, f"cus_{app.house.desk.ana}")
        await receiver.has(5)
    assert _steps(receiver) == [("RAISED", 1), ("REPEATED", 2), ("REPEATED", 3), ("ACKNOWLEDGED", 3), ("OVER", 3)]
    assert receiver.requests[4].item["interaction"] is None


@pytest.mark.anyio
async def test_alerts_are_told_once_by_two_processes(database_url: str) -> None:
    async with receiving() as receiver, running(database_url) as first, running(database_url, first.house) as second:
        _, policy = await _policy(first, receiver)
        for app in (first, second):
            await app.house.hear()
        await receiver.has(1)
        assert await receiver.silent(1.5)
        # What a policy told is told to be over when it is deleted.
        assert (await second.do("deletePolicy", {"id": policy}, "deletedId"))["deletedId"] == policy
        await receiver.has(2)
        assert _steps(receiver) == [("RAISED", 1), ("OVER", 1)]
        assert [each.item["policy"] for each in receiver.requests] == [{"name": "Night"}, None]


@pytest.mark.anyio
async def test_alerts_are_told_where_the_place_in_the_log_counts_no_more(app: Running, receiver: Receiver) -> None:
    await _policy(app, receiver)

    def lose(work: Work) -> None:
        work.connection.execute(sa.update(alerting).values(cursor="of another log", sweep_after=None))

    await app.services.database.command(lose)
    await app.house.hear()
    await receiver.has(1)
    assert await receiver.silent()

    def miss(work: Work) -> None:
        claim(work, BO, cnv(1))
        lose(work)

    # What happened meanwhile is told, and what still waits is not told twice.
    await app.house.hear_sam()
    await app.house.database.command(raise_attention, ADA, ses(2), Level.HIGH)
    await receiver.has(2)
    await app.services.database.command(miss)
    await receiver.has(3)
    assert await receiver.silent()
    assert _steps(receiver) == [("RAISED", 1), ("RAISED", 1), ("CLAIMED", 1)]


MIA = Actor(user_id=3, name="Cy", permissions=frozenset({"destinations:manage"}))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"destinationIds": []}, "INVALID_INPUT", "destinationIds"),
        ({"destinationIds": ["dst_99"]}, "NOT_FOUND", "destinationIds"),
        ({"destinationIds": ["dst_2"]}, "INVALID_INPUT", "destinationIds"),
        ({"teamIds": ["tea_99"]}, "NOT_FOUND", "teamIds"),
        ({"teamIds": ["dst_1"]}, "INVALID_INPUT", "teamIds"),
        ({"quietFrom": "22:00"}, "INVALID_INPUT", "quietTo"),
        ({"quietFrom": "22:00", "quietTo": "22:00"}, "INVALID_INPUT", "quietTo"),
        ({"quietFrom": "24:00", "quietTo": "07:00"}, "INVALID_INPUT", "quietFrom"),
        ({"timeZone": "Europe/Nowhere"}, "INVALID_INPUT", "timeZone"),
        ({"afterMinutes": -1}, "INVALID_INPUT", "afterMinutes"),
        ({"againMinutes": 0}, "INVALID_INPUT", "againMinutes"),
        ({"name": "Night"}, "ALREADY_EXISTS", "name"),
    ],
)
async def test_policy_that_makes_no_sense_is_refused(app: Running, given: dict[str, Any], code: str, path: str) -> None:
    await _refusals(app)
    payload = await app.attempt("createPolicy", {"name": "Day", "destinationIds": ["dst_1"], **given}, "policy { id }")
    assert [(each["code"], each["path"][:2]) for each in payload["errors"]] == [(code, ["input", path])]
    kept = await app.read("{ policies { nodes { id name version destinationIds } } }")
    assert kept["policies"]["nodes"] == [{"id": "pol_1", "name": "Night", "version": 1, "destinationIds": ["dst_1"]}]


async def _refusals(app: Running) -> None:
    await app.do("createDestination", {"name": "A", "address": "http://127.0.0.1:9/a"}, "destination { id }")
    await app.destination("http://127.0.0.1:9/b", CHANGES, name="B")
    await app.do("createPolicy", {"name": "Night", "destinationIds": ["dst_1"]}, "policy { id }")


@pytest.mark.anyio
async def test_policy_is_for_those_who_may_change_its_destinations(app: Running) -> None:
    await _refusals(app)
    given = {"name": "Mine", "destinationIds": ["dst_1"]}
    for mutation, more in (
        ("createPolicy", given),
        ("updatePolicy", {"id": "pol_1"}),
        ("deletePolicy", {"id": "pol_1"}),
    ):
        payload = await app.attempt(mutation, more, actor=MIA)
        assert [each["code"] for each in payload["errors"]] == ["FORBIDDEN"], mutation
    team = (await app.do("createTeam", {"name": "Night"}, "team { id }"))["team"]["id"]
    edited = {"levels": ["URGENT"], "kinds": None, "reasons": ["MISSED"], "teamIds": [team], "enabled": False}
    changed = {"id": "pol_1", "ifVersion": 1, **edited}
    found = await app.do("updatePolicy", changed, "policy { levels kinds reasons teamIds enabled version }")
    assert found["policy"] == {**edited, "version": 2}
    stale = await app.attempt("updatePolicy", changed)
    assert [each["code"] for each in stale["errors"]] == ["VERSION_CONFLICT"]
    # A destination that a policy tells takes no document, and one that is gone is told by none.
    refused = await app.attempt("updateDestination", {"id": "dst_1", "document": CHANGES})
    assert [each["code"] for each in refused["errors"]] == ["CONFLICT"]
    await app.do("deleteDestination", {"id": "dst_1"})
    found = await app.read('{ policy(id: "pol_1") { destinationIds version } }')
    assert found["policy"] == {"destinationIds": [], "version": 3}


@pytest.mark.anyio
async def test_alerts_are_told_to_those_who_may_see_the_interaction_alone(app: Running, receiver: Receiver) -> None:
    held = ("destinations:manage", "conversation:read:team")
    await app.permit(2, *held)
    bo = Actor(user_id=2, name="Bo", permissions=frozenset(held))
    refs = []
    for name, actor in (("All", ADA), ("Team", bo)):
        given = {"name": name, "address": f"{receiver.url}/{name}"}
        refs.append((await app.do("createDestination", given, "destination { id }", actor))["destination"]["id"])
    await app.do("createPolicy", {"name": "P", "destinationIds": refs, "levels": ["URGENT", "HIGH"]})
    await app.house.hear(actor=ADA)
    team = (await app.do("createTeam", {"name": "Others"}, "team { id }"))["team"]["id"]
    await app.do("assignTeam", {"id": "cnv_1", "teamId": team})
    await app.house.database.command(raise_attention, ADA, cnv(1), Level.HIGH)
    await receiver.has(1)
    assert await receiver.silent()
    await app.do("assignTeam", {"id": "cnv_1", "teamId": None})
    await app.house.database.command(raise_attention, ADA, cnv(1), Level.URGENT)
    await receiver.has(3)
    assert sorted((each.target, each.item["step"]) for each in receiver.requests) == [
        ("/hook/All", "RAISED"),
        ("/hook/All", "REPEATED"),
        ("/hook/Team", "REPEATED"),
    ]


@pytest.mark.anyio
async def test_first_policy_begins_at_the_end_of_the_log_and_with_all_that_wait(app: Running) -> None:
    await app.do("createDestination", {"name": "A", "address": "http://127.0.0.1:9/a"}, "destination { id }")

    def first(work: Work) -> tuple[str, Reading | None]:
        head = str(work.use(DestinationRepository).head())
        made = create_policy(work, ADA, {"name": "P", "destination_ids": ["dst_1"]})
        found = work.use(PolicyRepository).reading()
        delete_policy(work, ADA, f"pol_{made.id}")
        return head, found

    for _ in range(2):
        await app.house.hear()
        head, found = await app.services.database.command(first)
        assert found == Reading(head, 0)


@pytest.mark.anyio
async def test_alert_of_two_policies_is_over_when_the_last_one_is(app: Running, receiver: Receiver) -> None:
    ref, _ = await _policy(app, receiver)
    await app.do("createPolicy", {"name": "Urgent", "destinationIds": [ref], "levels": ["URGENT"]})
    await app.house.hear()
    await receiver.has(1)
    await app.house.database.command(raise_attention, ADA, cnv(1), Level.URGENT)
    # The one goes on to tell, the other begins.
    await receiver.has(3)
    await app.do("deletePolicy", {"id": "pol_2"})
    assert await receiver.silent()
    await app.house.database.command(close, BO, cnv(1))
    await receiver.has(4)
    assert await receiver.silent()
    assert [step for step, _ in _steps(receiver)] == ["RAISED", "REPEATED", "RAISED", "OVER"]


@pytest.mark.anyio
async def test_people_are_not_told_again_what_is_long_over(app: Running, receiver: Receiver) -> None:
    given = {"name": "Chat", "type": "SLACK", "address": receiver.url}
    ref = (await app.do("createDestination", given, "destination { id }"))["destination"]["id"]
    await app.do("createPolicy", {"name": "Night", "destinationIds": [ref]})
    await app.do("pauseDestination", {"id": ref})
    await app.house.hear()
    async with asyncio.timeout(PATIENCE):
        while not await app.services.database.command(lambda work: work.use(AlertRepository).told_to(1)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    payload = await app.attempt("replayDestination", {"id": ref, "time": "2026-01-01T00:00:00Z"})
    assert [each["code"] for each in payload["errors"]] == ["NOT_SUPPORTED"]
    await app.services.database.command(lose_the_log)
    await app.do("resumeDestination", {"id": ref})
    await app.until(ref, state="PAUSED", reason="EVENTS_LOST")
    await app.do("resumeDestination", {"id": ref})
    await app.house.database.command(claim, BO, cnv(1))
    await receiver.has(1)
    await receiver.silent()
    bodies = [each.body for each in receiver.requests]
    assert [b"Claimed by Bo" in each for each in bodies] == [True], bodies
