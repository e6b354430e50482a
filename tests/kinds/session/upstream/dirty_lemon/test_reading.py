"""How what the messaging bot has comes in: by its events, and by customers that the settings name."""

import asyncio
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.connections.model import NewConnection
from app.connections.service import Verdict, create_connection
from app.core.errors import DomainError
from app.directory.repository import CustomerRepository
from app.interactions.model import State
from app.interactions.service.erasing import erase_customer
from app.kinds.session.repository import SessionRepository
from app.registry import CONNECTORS
from app.storage.database import Database
from app.storage.event_log import event_log
from tests.conftest import ManualClock
from tests.connections.conftest import ADA
from tests.kinds.session.upstream.dirty_lemon.conftest import SECRET, Desk, attached
from tests.kinds.session.upstream.dirty_lemon.lemon import ANA, API, BEN, TOKEN, Lemon
from tests.postgres import begun
from tests.serving import PATIENCE

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_session_that_an_event_names_is_read(desk: Desk, lemon: Lemon) -> None:
    lemon.hears("Do you ship?")
    lemon.says("We do.")
    lemon.hears("To Mars?")
    session = lemon.current()
    assert session is not None
    suggested = [{"id": "a-1", "remote_id": "r-1", "content": "Sorry!", "content_type": "text"}]
    session.update(need_attention=True, tags=["detox", "detox"], topics=["space"], suggested_messages=suggested)
    assert await desk.offer(lemon.event()) is Verdict.KEPT
    await desk.sync()
    here = await desk.session()
    assert (here.session_key, here.tags, here.topics) == (session["id"], ("detox",), ("space",))
    assert (here.need_attention, here.attention.reasons) == (True, ("FLAGGED", "CUSTOMER_WAITING"))
    assert await desk.said() == [("CUSTOMER", "Do you ship?"), ("BOT", "We do."), ("CUSTOMER", "To Mars?")]
    customer, suggestions = await desk.run(
        lambda work: (
            work.use(CustomerRepository).get(here.customer_id),
            work.use(SessionRepository).suggestions(here.id),
        )
    )
    assert (customer.customer_key, customer.phone_number) == (f"con_1:{ANA}", "+4915112345678")
    assert (customer.first_name, customer.email) == ("Ana", None)
    assert [(each.remote_id, each.content) for each in suggestions] == [("r-1", "Sorry!")]


async def test_event_wakes_whichever_process_keeps_the_connection(desk: Desk, lemon: Lemon) -> None:
    lemon.hears("Do you ship?")
    await desk.offer(lemon.event())
    topics = event_log.select().with_only_columns(event_log.c.topic)
    told = await desk.run(lambda work: list(work.connection.execute(topics).scalars()))
    assert "connection.read_queued" in told


async def test_what_is_read_again_changes_nothing(desk: Desk, lemon: Lemon) -> None:
    lemon.hears("Do you ship?")
    await desk.offer(lemon.event())
    await desk.sync()
    before = await desk.session()
    for _ in range(3):
        await desk.offer(lemon.event())
        await desk.sync()
    assert (await desk.session(), len(await desk.said())) == (before, 1)


async def test_session_without_its_messages_is_read_with_them(desk: Desk, lemon: Lemon) -> None:
    lemon.embeds = False
    for number in range(150):
        lemon.hears(f"{number}")
        desk.clock.advance(1)
    await desk.offer(lemon.event())
    await desk.sync()
    assert [text for _, text in await desk.said()] == [str(number) for number in range(150)]


async def test_open_session_is_read_again_without_an_event(desk: Desk, lemon: Lemon) -> None:
    lemon.hears("Do you ship?")
    await desk.offer(lemon.event())
    await desk.sync()
    desk.clock.advance(10)
    lemon.says("We do.")
    await desk.work()
    assert [text for _, text in await desk.said()] == ["Do you ship?", "We do."]


async def test_next_session_of_a_customer_is_found_without_an_event(desk: Desk, lemon: Lemon) -> None:
    lemon.hears("Do you ship?")
    await desk.offer(lemon.event())
    await desk.sync()
    desk.clock.advance(10_000)
    lemon.hears("And today?")
    await desk.work()
    assert [text for _, text in await desk.said()] == ["Do you ship?", "And today?"]
    first, second = await desk.session(1), await desk.session(2)
    assert (first.session_key == second.session_key, second.state) == (False, State.OPEN)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_reads_of_two_sessions_of_a_customer_never_wait_for_each_other(
    desk: Desk, lemon: Lemon, database_url: str
) -> None:
    lemon.hears("Do you ship?")
    await desk.offer(lemon.event())
    await desk.sync()
    desk.clock.advance(10_000)
    lemon.hears("And today?")
    await desk.offer(lemon.event())
    async with (
        asyncio.timeout(PATIENCE),
        asyncio.TaskGroup() as tasks,
        begun(database_url, "SELECT FROM customer FOR UPDATE"),
    ):
        tasks.create_task(desk.work())
        while await desk.run(lambda work: work.connection.execute(sa.text(WAITING)).scalar_one()) < 2:
            pass
        # Both wait for the customer, and neither holds the mark that the other one will clear.
        await desk.run(lambda work: work.connection.execute(sa.text("SELECT FROM dirty FOR UPDATE NOWAIT")))
    assert [text for _, text in await desk.said()] == ["Do you ship?", "And today?"]
    reads = len(lemon.reads)
    await desk.later(600)
    # The newest one alone, which its customer's list shows whole.
    assert lemon.reads[reads:] == [f"/v1/customers/{ANA}/sessions", f"/v1/customers/{ANA}"]


async def test_customers_of_the_settings_are_walked_and_followed(
    database: Database, clock: ManualClock, lemon: Lemon
) -> None:
    desk = await attached(database, clock, lemon, customers=[ANA, BEN, "gone"])
    clock.advance(-timedelta(days=1).total_seconds())
    for text in ("First", "Second"):
        lemon.hears(text)
        lemon.says("Yes.")
        clock.advance(36_000)
    clock.advance(14_400)
    await desk.sync()
    assert sorted(str(text) for _, text in await desk.said()) == ["First", "Second", "Yes.", "Yes."]
    assert [(await desk.session(number)).waiting.needed for number in (1, 2)] == [False, False]
    lemon.hears("I am Ben", BEN)
    await desk.sync()
    assert ("CUSTOMER", "I am Ben") in await desk.said()
    assert await desk.stands() == ("CONNECTED", None)


async def test_customer_who_unsubscribes_gets_no_message(desk: Desk, lemon: Lemon) -> None:
    lemon.hears("Stop")
    await desk.offer(lemon.event())
    await desk.sync()
    lemon.unsubscribed.add(ANA)
    lemon.says("Bye.")
    await desk.later(601)
    assert (await desk.session()).unsubscribed


async def test_erased_customer_does_not_come_back(desk: Desk, lemon: Lemon) -> None:
    lemon.hears("Do you ship?")
    await desk.offer(lemon.event())
    await desk.sync()
    await desk.run(erase_customer, ADA, "cus_1")
    desk.clock.advance(60)
    await desk.offer(lemon.event())
    await desk.sync()
    assert len(await desk.said()) == 1  # out of sight, until it is erased
    lemon.hears("I am back")
    await desk.offer(lemon.event())
    await desk.sync()
    assert [text for _, text in await desk.said()][1:] == ["I am back"]


@pytest.mark.parametrize(
    "authorization",
    [f"Bearer {SECRET}", f"Token {SECRET}", f"Basic {b64encode(f'bot:{SECRET}'.encode()).decode()}"],
)
async def test_event_is_taken_with_the_secret(desk: Desk, lemon: Lemon, authorization: str) -> None:
    lemon.hears("Do you ship?")
    event = lemon.event()
    assert await desk.offer(event, authorization) is Verdict.KEPT
    assert await desk.offer(event, authorization) is Verdict.REPEATED


@pytest.mark.parametrize("authorization", ["", "Bearer other", f"Digest {SECRET}", "Basic \x01", SECRET])
async def test_event_without_the_secret_is_refused(desk: Desk, lemon: Lemon, authorization: str) -> None:
    lemon.hears("Do you ship?")
    assert await desk.offer(lemon.event(), authorization) is Verdict.WRONG_SIGNATURE
    await desk.sync()
    assert await desk.said() == []


async def test_event_that_says_nothing_of_a_session_is_passed_over(desk: Desk, lemon: Lemon) -> None:
    lemon.hears("Do you ship?")
    assert await desk.offer(lemon.event("customer.updated")) is Verdict.KEPT
    assert await desk.offer('{"id": "e-1", "name": "session.updated", "data": {"id": "../x"}}') is Verdict.KEPT
    await desk.sync()
    assert (await desk.said(), (await desk.stands())[1]) == ([], None)
    assert await desk.offer('{"id": "e-2"}') is Verdict.KEPT
    assert (await desk.stands())[1] == "DELIVERIES_PARKED"


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, "TOKEN_REFUSED"), (403, "TOKEN_REFUSED"), (404, "SYSTEM_REFUSES"), (503, "SYSTEM_SILENT")],
)
async def test_bot_that_does_not_answer_is_told_and_passes(desk: Desk, lemon: Lemon, status: int, error: str) -> None:
    lemon.status = status
    await desk.sync()
    assert (await desk.stands())[1] == error
    lemon.status = None
    await desk.sync()
    assert await desk.stands() == ("CONNECTED", None)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"credential": None}, ("credential",)),
        ({"settings": {"customers": "all"}}, ("settings", "customers")),
        ({"settings": {"customers": ["a/b"]}}, ("settings", "customers", 0)),
        ({"settings": {"capabilities": {"FLY": True}}}, ("settings", "capabilities", "FLY")),
        ({"settings": {"agents": []}}, ("settings", "agents")),
    ],
)
async def test_connection_that_cannot_work_is_refused(
    database: Database, wrong: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    good = {"system": "DIRTY_LEMON", "name": "Bot", "address": API, "credential": TOKEN}
    with pytest.raises(DomainError) as refused:
        await database.command(create_connection, ADA, CONNECTORS, NewConnection(**{**good, **wrong}))  # type: ignore[typeddict-item]
    assert tuple(refused.value.path) == path
