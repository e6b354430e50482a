"""What many destinations cost: statements of their deliveries, and nothing that grows with how many there are."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from app import asgi
from app.destinations.model import DeliveryStatus
from app.destinations.tables import delivery
from app.interactions.model import Level
from app.interactions.service.state import raise_attention, set_labels
from app.storage.database import Work, open_database
from tests.destinations.receiving import Receiver, receiving
from tests.destinations.running import ALERTS, SOON, Running, running
from tests.interactions.conftest import cnv
from tests.kinds.conftest import ADA, BO
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

MANY = 30
OURS = re.compile(r"\b(destination|delivery)\b")
LOOKS = "FROM destination LEFT JOIN lease"
RENEWS = "UPDATE lease"
NOTES = "failing_since="
"""In the statement that a delivery ends with, and in no other."""

LABELLED = "INTERACTION_LABELLED"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of the application, as they are executed."""
    statements: list[str] = []
    monkeypatch.setattr(asgi, "open_database", partial(open_database, observer=statements.append))
    return statements


def of_destinations(statements: list[str]) -> list[str]:
    """What destinations cost, apart from looking for them and from cursors that pass what they do not match."""
    passes = "UPDATE destination SET cursor="
    return [
        each
        for each in statements
        if OURS.search(each) and LOOKS not in each and not (each.startswith(passes) and NOTES not in each)
    ]


def count(statements: list[str], part: str) -> int:
    return sum(part in each for each in statements)


async def noted(app: Running, wanted: int) -> None:
    """Wait until so many deliveries have arrived and been noted."""
    arrived = sa.select(sa.func.count()).where(delivery.c.status == DeliveryStatus.DELIVERED, delivery.c.behind)
    async with asyncio.timeout(PATIENCE):
        while await app.services.database.command(_count, arrived) < wanted:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)


def _count(work: Work, what: sa.Select[int]) -> int:
    return work.connection.execute(what).scalar_one()


async def urgent_ones(app: Running, receiver: Receiver) -> None:
    """Many destinations that want what is urgent alone, each of which has been told once."""
    for number in range(MANY):
        await app.destination(receiver.url, ALERTS, name=f"Urgent {number}", variables={"levels": ["URGENT"]})
    await app.house.database.command(raise_attention, ADA, cnv(1), Level.URGENT)
    await receiver.has(MANY)


async def test_destinations_cost_an_idle_server_the_same_however_many(
    database_url: str, receiver: Receiver, seen: list[str]
) -> None:
    async with running(database_url) as app:
        await app.house.hear()
        await urgent_ones(app, receiver)
        await noted(app, MANY)
        so_far = len(seen)
        await eventually(lambda: count(seen[so_far:], LOOKS) > 20)
        idle = seen[so_far:]
    assert of_destinations(idle) == []
    assert 0 < count(idle, RENEWS) <= count(idle, LOOKS) + 1


async def test_event_costs_what_its_deliveries_do_whatever_other_destinations_there_are(
    database_url: str, receiver: Receiver, seen: list[str]
) -> None:
    async with running(database_url) as app, receiving() as other:
        await app.house.hear()
        await app.destination(receiver.url)

        async def labelled(label: str) -> list[str]:
            so_far = len(seen)
            await app.house.database.command(set_labels, BO, cnv(1), [label])
            await eventually(lambda: count(seen[so_far:], NOTES) > 0)
            statements = of_destinations(seen[so_far:])
            # In the order of the interaction: when this one has come, nothing from before is still to come.
            await eventually(lambda: receiver.requests[-1].item["topic"] == LABELLED)
            await noted(app, len(receiver.requests) + len(other.requests))
            return statements

        await labelled("a")
        alone = await labelled("b")
        await urgent_ones(app, other)
        await labelled("c")
        beside = await labelled("d")
    assert sorted(beside) == sorted(alone)
    assert 0 < len(alone) < 10, alone
    assert len(other.requests) == MANY


async def test_destination_that_changes_does_not_renew_the_leases_of_all(
    database_url: str, receiver: Receiver, seen: list[str]
) -> None:
    async with running(database_url) as app:
        await app.destination(receiver.url)
        # It has its lease, and gives it back: a process that ends sooner may leave it until the next look.
        await app.house.hear()
        await receiver.has(2)
    rarely = replace(SOON, look_seconds=600.0, lease=timedelta(hours=1))
    async with running(database_url, app.house, limits=rarely) as app:
        await app.house.database.command(set_labels, BO, cnv(1), ["first"])
        await receiver.has(3)
        so_far = len(seen)
        for number in range(5):
            looks = count(seen, LOOKS)
            await app.destination(receiver.url, name=f"Pager {number}")
            await eventually(lambda looks=looks: count(seen, LOOKS) > looks)  # type: ignore[misc]
        await app.house.database.command(set_labels, BO, cnv(1), ["a"])
        await receiver.has(3 + 6)
        assert count(seen[so_far:], RENEWS) == 0


async def test_destinations_that_are_dead_delay_no_other(database_url: str, receiver: Receiver) -> None:
    async with running(database_url) as app, receiving() as stalled:
        stalled.gate.clear()
        for number in range(MANY):
            await app.destination(stalled.url, name=f"Stalled {number}")
        await app.destination(receiver.url, name="Alive")
        await app.house.hear()
        # All of them wait for an answer at once, and the one that answers gets what comes.
        await eventually(lambda: stalled.at_once >= MANY)
        so_far = len(await receiver.has(2))
        await app.house.database.command(set_labels, BO, cnv(1), ["a"])
        await receiver.has(so_far + 1)
        assert stalled.at_once >= MANY
        assert stalled.requests == []
        stalled.gate.set()
