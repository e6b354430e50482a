"""What many destinations cost: statements of their deliveries, and nothing that grows with how many there are."""

import asyncio
import re
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from app import asgi
from app.destinations.model import DeliveryStatus
from app.destinations.repository import DestinationRepository
from app.destinations.tables import delivery, destination
from app.interactions.model import Level
from app.interactions.reads import streams
from app.interactions.reads.facts import Condition, Sides, turn_of
from app.interactions.service.state import raise_attention, set_labels
from app.storage.database import Work, open_database
from app.storage.event_log import parse_cursor
from tests.destinations.receiving import OK, Receiver, receiving
from tests.destinations.running import ALERTS, SOON, Running, running
from tests.dispatcher.driving import LIMITS, Driven
from tests.dispatcher.driving import driven as driven
from tests.interactions.conftest import cnv
from tests.kinds.conftest import ADA, BO
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

MANY = 30
OURS = re.compile(r"\b(destination|delivery)\b")
HELD = re.compile(r"\b(lease|destination|delivery)\b")
LOOKS = "SELECT id, version, holder FROM destination"
RENEWS = "UPDATE lease"
PASSES = "UPDATE destination SET cursor="
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
    return [
        each
        for each in statements
        if OURS.search(each) and LOOKS not in each and not (each.startswith(PASSES) and NOTES not in each)
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


async def test_destinations_cost_an_idle_server_the_same_whether_ten_or_a_thousand(
    database_url: str, receiver: Receiver, seen: list[str], driven: Driven
) -> None:
    async with running(database_url) as app:
        await app.destination(receiver.url, ALERTS, variables={"levels": ["URGENT"]})
    idle: list[list[str]] = []
    for count in (10, 1_000):
        async with running(database_url, app.house) as again:
            await again.services.database.command(_copies, count)
            dispatcher = driven.dispatchers[-1]
            await dispatcher.step()
            await eventually(lambda count=count: again.services.subscriptions.running == count)  # type: ignore[misc]
            await all_noted(again, driven)
            so_far = len(seen)
            await driven.minute(dispatcher)
            idle.append([each for each in seen[so_far:] if HELD.search(each)])
            assert len(dispatcher.delivering) == count
    few, many = idle
    assert few == many
    # One row, found by its key, and nothing else.
    assert len(many) == 60 / LIMITS.beat_seconds
    assert all(re.match(r"UPDATE lease SET until=.+ WHERE lease\.name = ", each) for each in many), many


async def all_noted(app: Running, driven: Driven) -> None:
    """Wait until it is stored, a minute apart, how far the log holds nothing for the destinations."""
    async with asyncio.timeout(PATIENCE):
        while await app.services.database.command(_behind):
            await asyncio.sleep(0.01)
            await driven.minute(driven.dispatchers[-1])


def _behind(work: Work) -> int:
    """How many destinations are not stored to be at the end of the log."""
    head = work.use(DestinationRepository).head()
    cursors = work.connection.execute(sa.select(destination.c.cursor)).scalars()
    return sum(not parse_cursor(cursor) >= head for cursor in cursors)


def _copies(work: Work, count: int) -> None:
    """So many destinations as the first one."""
    row = dict(work.connection.execute(sa.select(destination).where(destination.c.id == 1)).one()._mapping)
    there = work.connection.execute(sa.select(sa.func.count()).select_from(destination)).scalar_one()
    del row["id"]
    copies = [{**row, "name": f"Copy {number}", "holder": None} for number in range(there, count)]
    work.connection.execute(sa.insert(destination), copies)


async def test_filter_of_many_documents_is_asked_once_about_an_event_and_its_cursors_are_stored_together(
    database_url: str, receiver: Receiver, seen: list[str], driven: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Condition] = []

    def counted(sides: Sides, condition: Condition) -> str | None:
        asked.append(condition)
        return turn_of(sides, condition)

    monkeypatch.setattr(streams, "turn_of", counted)
    async with running(database_url) as app:
        (dispatcher,) = driven.dispatchers
        await app.house.hear()
        await app.destination(receiver.url)
        for number in range(MANY):
            filter_ = "filter: { states: [OPEN], botActive: true }"
            document = f"subscription {{ a{number}: interactionChanged({filter_}) {{ cursor }} }}"
            await app.destination(receiver.url, document, name=f"By a bot {number}")
        await dispatcher.step()
        await eventually(lambda: app.services.subscriptions.running == 1 + MANY)
        await all_noted(app, driven)
        asked.clear()
        await app.house.database.command(set_labels, BO, cnv(1), ["a"])
        (found,) = await receiver.has(1)
        assert found.item["topic"] == LABELLED
        # Once for the one that wants it, and once for all the others.
        assert len(asked) == 2
        so_far = len(seen)
        await driven.minute(dispatcher)
        (stored,) = [each for each in seen[so_far:] if each.startswith(PASSES) and NOTES not in each]
        assert " IN (" in stored
        assert await app.services.database.command(_behind) <= 1


async def test_process_that_stops_stores_how_far_it_came_with_what_nobody_wanted(
    database_url: str, receiver: Receiver, driven: Driven
) -> None:
    async with running(database_url) as app:
        await app.destination(receiver.url, ALERTS, variables={"levels": ["URGENT"]}, name="Urgent")
        await app.destination(receiver.url)
        await driven.dispatchers[0].step()
        await eventually(lambda: app.services.subscriptions.running == 2)
        await all_noted(app, driven)
        await app.house.hear()
        await noted(app, 2)
        assert await app.services.database.command(_behind) > 0
    async with running(database_url, app.house) as again:
        assert await again.services.database.command(_behind) == 0


async def test_destinations_that_fail_and_recover_make_no_process_look_for_them(
    database_url: str, receiver: Receiver, seen: list[str], driven: Driven
) -> None:
    driven.limits = replace(LIMITS, retries=SOON.retries)
    async with running(database_url) as app:
        (dispatcher,) = driven.dispatchers
        ref, _ = await app.destination(receiver.url)
        await dispatcher.step()
        await eventually(lambda: app.services.subscriptions.running == 1)
        await dispatcher.step()
        so_far = len(seen)
        receiver.decide = lambda _headers, _body: (500, {}, b"")
        await app.house.hear()
        async with asyncio.timeout(PATIENCE):
            while (await app.state(ref, "failingSince"))["failingSince"] is None:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        receiver.decide = lambda _headers, _body: OK
        await app.until(ref, failingSince=None)
        await app.house.database.command(set_labels, BO, cnv(1), ["a"])
        # What comes after both events has been heard, so both have.
        await eventually(lambda: receiver.requests[-1].item["topic"] == LABELLED)
        await dispatcher.step()
        assert count(seen[so_far:], LOOKS) == 0
        await app.do("pauseDestination", {"id": ref})
        async with asyncio.timeout(PATIENCE):
            while not count(seen[so_far:], LOOKS):
                await dispatcher.step()
                await asyncio.sleep(0.01)


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
