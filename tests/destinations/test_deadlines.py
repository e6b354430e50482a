"""Deadlines of policies fire once over all processes, wherever one of them is killed."""

import asyncio
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.interactions.model import Level
from app.interactions.service.state import acknowledge, raise_attention
from tests.command_line import FORKED
from tests.conftest import ManualClock
from tests.destinations.receiving import Receiver, receiving
from tests.destinations.running import SOON, Running, running
from tests.interactions.conftest import cnv, ses
from tests.kinds.conftest import ADA, BO
from tests.scheduler.processes import POINTS, tell_until_killed
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

# The clock of the test must not end lives.
_LONG = replace(SOON, lease=timedelta(days=1))


async def _two_wait(app: Running, receiver: Receiver) -> None:
    """Two interactions need a human, and are told of after 5 minutes and again after 10."""
    given = {"name": "Pager", "address": receiver.url}
    ref = (await app.do("createDestination", given, "destination { id }"))["destination"]["id"]
    policy = {"name": "Night", "destinationIds": [ref], "afterMinutes": 5, "againMinutes": 10}
    await app.do("createPolicy", policy, "policy { id }")
    await app.house.hear()
    await app.house.hear_sam()
    await app.house.database.command(raise_attention, ADA, ses(2), Level.HIGH)
    await app.followed(2)


async def test_deadline_of_a_policy_fires_once_at_whatever_point_a_process_is_killed(database_url: str) -> None:
    clock = ManualClock(datetime.now(UTC))
    async with receiving() as receiver:
        async with running(database_url, clock=clock, limits=_LONG) as app:
            await _two_wait(app, receiver)
        house = app.house
        for number, (point, minutes) in enumerate(zip(POINTS, (5, 10, 10), strict=True), start=1):
            # Also over restarts: each time, another process goes on.
            async with running(database_url, house, clock=clock, limits=_LONG) as app:
                due_at = clock.now + timedelta(minutes=minutes)
                process = FORKED.Process(target=tell_until_killed, args=(database_url, due_at, point))
                process.start()
                await asyncio.to_thread(process.join, PATIENCE)
                assert process.exitcode == -signal.SIGKILL, point
                clock.advance(60 * minutes)
                await receiver.has(2 * number)
                house = app.house
        async with running(database_url, house, clock=clock, limits=_LONG) as app:
            for ref in (cnv(1), ses(2)):
                await app.house.database.command(acknowledge, BO, ref)
            # In the order of each interaction: nothing from before is still to come.
            await receiver.has(8)
    for interaction in ("cnv_1", "ses_2"):
        told = [each.item for each in receiver.requests if each.item["interactionId"] == interaction]
        assert [(each["step"], each["count"]) for each in told] == [
            ("RAISED", 1), ("REPEATED", 2), ("REPEATED", 3), ("ACKNOWLEDGED", 3),
        ]  # fmt: skip
