"""Writers and listeners at once, on two servers over one database: every event once, in order, whoever disconnects."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import ConnectionClosed

from app.asgi import create_app
from app.core.actor import Actor
from app.directory.model import CustomerSystem
from app.interactions.service.messages import receive_message
from app.interactions.service.state import raise_attention, set_labels
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from app.storage.event_log import Cursor, lane_count, logged, read_after
from tests.conftest import CountingIds, ManualClock
from tests.graph.running import RULES
from tests.interactions.conftest import said, ses
from tests.kinds.conftest import ADA, BO, store_customer, store_users
from tests.serving import Served, serving
from tests.transport.live import telling

pytestmark = pytest.mark.anyio

SECONDS = 5.0
CHANGED = """subscription($after: String) { interactionChanged(after: $after) {
  cursor topic change interactionId version interaction { id version labels attention { level } } } }"""
STATE = """query { attentionQueue { cursor }
  interactions(first: 100, orderBy: CREATED_ASC) { nodes { id version labels attention { level } } } }"""


class Anybody:
    async def actor_of(self, key: str) -> Actor | None:
        return {"ada": ADA, "bo": BO}.get(key)


def people(work: Work) -> list[int]:
    store_users(work)
    return [
        store_customer(
            work, customer_key=f"c{n}", system=CustomerSystem.SESSION, name=f"C{n}", phone_number=f"+473333333{n}"
        )
        for n in range(6)
    ]


@pytest.fixture
async def writer(database_url: str, clock: ManualClock, settings: Settings) -> AsyncIterator[Database]:
    """Another process that only writes."""
    opened = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings, kinds=RULES)
    async with telling(opened, database_url):
        yield opened
    await opened.close()


@pytest.fixture
async def servers(database_url: str, clock: ManualClock, writer: Database) -> AsyncIterator[list[Served]]:
    settings = Settings(database_url=database_url, pool_size=4)
    apps = [create_app(settings, clock=clock, authenticator=lambda _: Anybody(), contracts=()) for _ in range(2)]
    async with serving(apps[0], settings) as first, serving(apps[1], settings) as second:
        yield [first, second]


async def told(database: Database) -> dict[str, list[str]]:
    """The changes in the log by interaction, each with its version and topic."""

    def read(work: Work) -> dict[str, list[str]]:
        query = read_after(work.dialect_name, Cursor.start(lane_count(work.connection)), 100_000)
        found: dict[str, list[str]] = {}
        for row in work.connection.exec_driver_sql(query.sql, tuple(query.args)):
            event = logged(row).event
            if not event.topic.startswith("attention."):
                found.setdefault(f"ses_{event.interaction_id}", []).append(f"{event.version} {event.topic}")
        return found

    return await database.command(read)


async def listen(servers: list[Served], start: str, done: asyncio.Event, seed: int) -> list[tuple[str, str]]:
    """What one client sees that breaks off again and again, and comes back to another server by its cursor."""
    seen: list[tuple[str, str]] = []
    choose, cursor = random.Random(seed), start
    while not done.is_set():
        async with choose.choice(servers).socket({"authorization": "Bearer bo"}) as socket:
            await socket.subscribe("1", CHANGED, after=cursor)
            leave_after = choose.randint(1, 60)
            try:
                async with asyncio.timeout(choose.uniform(0.1, 1.0)):
                    for _ in range(leave_after):
                        item = (await socket.data("1"))["interactionChanged"]
                        cursor = item["cursor"]
                        seen.append((item["interactionId"], f"{item['version']} {item['topic']}"))
            except (TimeoutError, ConnectionClosed):
                pass
    # The rest, without breaking off.
    async with servers[0].socket({"authorization": "Bearer bo"}) as socket:
        await socket.subscribe("1", CHANGED, after=cursor)
        try:
            while True:
                async with asyncio.timeout(0.7):
                    item = (await socket.data("1"))["interactionChanged"]
                seen.append((item["interactionId"], f"{item['version']} {item['topic']}"))
        except TimeoutError:
            return seen


async def write(database: Database, customer: int, number: int, until: float) -> None:
    loop, choose = asyncio.get_running_loop(), random.Random(number)
    ref = ses(number)
    while loop.time() < until:
        if choose.random() < 0.5:
            await database.command(set_labels, ADA, ref, [str(choose.random())])
        elif choose.random() < 0.5:
            await database.command(raise_attention, ADA, ref)
        else:
            target = {"kind": "session", "customer_id": customer}
            await database.command(receive_message, ADA, target, [said("More")])
        await asyncio.sleep(choose.uniform(0, 0.02))


async def test_every_event_is_seen_once_and_in_order(servers: list[Served], writer: Database) -> None:
    customers = await writer.command(people)
    for customer in customers:
        await writer.command(receive_message, ADA, {"kind": "session", "customer_id": customer}, [said("Hello")])
    before = await told(writer)
    async with servers[0].socket({"authorization": "Bearer bo"}) as socket:
        await socket.subscribe("q", "{ attentionQueue { cursor } }")
        start = (await socket.data("q"))["attentionQueue"]["cursor"]
    done = asyncio.Event()
    listeners = [asyncio.create_task(listen(servers, start, done, seed)) for seed in range(6)]
    until = asyncio.get_running_loop().time() + SECONDS
    await asyncio.gather(*(write(writer, customer, n, until) for n, customer in enumerate(customers, 1) for _ in "ab"))
    done.set()
    expected = {ref: rest for ref, all_ in (await told(writer)).items() if (rest := all_[len(before[ref]) :])}
    for seen in await asyncio.gather(*listeners):
        by_interaction: dict[str, list[str]] = {}
        for ref, what in seen:
            by_interaction.setdefault(ref, []).append(what)
        assert by_interaction == expected


async def test_state_and_the_events_after_its_cursor_are_the_fresh_state(
    servers: list[Served], writer: Database
) -> None:
    customers = await writer.command(people)
    for customer in customers:
        await writer.command(receive_message, ADA, {"kind": "session", "customer_id": customer}, [said("Hello")])
    until = asyncio.get_running_loop().time() + 1.0
    writing = asyncio.gather(*(write(writer, customer, n, until) for n, customer in enumerate(customers, 1)))
    await asyncio.sleep(0.3)
    async with servers[1].socket({"authorization": "Bearer bo"}) as socket:
        await socket.subscribe("state", STATE)
        found = await socket.data("state")
        state = {node["id"]: node for node in found["interactions"]["nodes"]}
        assert (await socket.take())["type"] == "complete"
        await socket.subscribe("1", CHANGED, after=found["attentionQueue"]["cursor"])
        await writing
        try:
            while True:
                async with asyncio.timeout(0.7):
                    item = (await socket.data("1"))["interactionChanged"]
                state[item["interactionId"]] = item["interaction"]
        except TimeoutError:
            pass
    async with servers[0].socket({"authorization": "Bearer bo"}) as socket:
        await socket.subscribe("state", STATE)
        fresh = (await socket.data("state"))["interactions"]["nodes"]
    assert list(state.values()) == fresh
