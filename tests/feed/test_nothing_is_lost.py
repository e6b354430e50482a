"""Writers and listeners at once, on several servers over one database: every event once and in order.

`scripts/soak` does the same for longer, and kills servers meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.asgi import create_app
from app.core.actor import Actor
from app.interactions.service.messages import receive_message
from app.interactions.service.state import raise_attention, set_labels
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from tests.conftest import CountingIds, ManualClock
from tests.graph.running import RULES
from tests.interactions.conftest import said, ses
from tests.kinds.conftest import ADA, BO, store_customer, store_users
from tests.kit.library_server import telling
from tests.serving import Served, serving
from tests.soak import traffic

pytestmark = pytest.mark.anyio

SECONDS = 1.5
CHANGED = """subscription($after: String) { interactionChanged(after: $after) {
  cursor topic change interactionId version interaction { id version labels attention { level } } } }"""
STATE = """query { attentionQueue { cursor }
  interactions(first: 100, orderBy: {field: CREATED_AT, direction: ASC}) {
    nodes { id version labels attention { level } } } }"""


class Anybody:
    async def actor_of(self, key: str) -> Actor | None:
        return {"ada": ADA, "bo": BO}.get(key)


def people(work: Work) -> list[int]:
    store_users(work)
    return [
        store_customer(work, customer_key=f"c{n}", system="SESSION", name=f"C{n}", phone_number=f"+473333333{n}")
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


@pytest.mark.parametrize(
    ("database_url", "processes"), [("sqlite", 1), ("postgres", 1), ("postgres", 2)], indirect=["database_url"]
)
async def test_every_event_is_seen_once_and_in_order(database_url: str, processes: int, tmp_path: Path) -> None:
    outcome = await traffic.run(database_url, tmp_path, servers=processes, seconds=SECONDS)
    assert outcome.faults == []


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
        async with servers[0].socket({"authorization": "Bearer bo"}) as other:
            await other.subscribe("state", STATE)
            fresh = (await other.data("state"))["interactions"]["nodes"]
        # An event that is missing would be waited for in vain.
        while list(state.values()) != fresh:
            item = (await socket.data("1"))["interactionChanged"]
            state[item["interactionId"]] = item["interaction"]
