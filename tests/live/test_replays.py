"""Replays of the event log: what one caller has of them, what they hold, and who goes first."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from app.core.actor import Actor
from app.core.credentials import KnownKeys
from app.execution.documents import Operation
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest
from app.feed import Feed
from app.graph.context import Context
from app.live.connections import ConnectionLimits
from app.live.lifespan import live
from app.live.replays import CHARACTERS_IN_CHUNK, CHUNKS_OF_CALLER, ITEMS_IN_CHUNK
from app.live.subscriber import EventSubscriber
from app.live.subscriptions import Subscriptions
from app.schema import build_schema
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.kit.library import ADMIN, READER, SLICES, make_operations, tick
from tests.kit.library_server import TICKS, Keys
from tests.leases import LEASES
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

LARGE = (
    "subscription($after: String) { ticks(after: $after) { number book { "
    + " ".join(f"t{n}: title" for n in range(180))
    + " } } }"
)
EVENTS = 150


class House:
    """Subscriptions of the library, without a server between."""

    def __init__(
        self,
        database: Database,
        operations: Operations,
        subscriptions: Subscriptions,
        settings: Settings,
        clock: ManualClock,
    ) -> None:
        self.database = database
        self.start = ""
        self._operations = operations
        self._subscriptions = subscriptions
        self._settings = settings
        self._clock = clock
        self._opened: list[EventSubscriber] = []

    async def open(self, actor: Actor, query: str = TICKS, *, after: str | None = None) -> EventSubscriber:
        context = Context(self.database, actor, self._settings, self._clock)
        request = GraphQLRequest(query, variables={} if after is None else {"after": after})
        found = await self._operations.find(request, context)
        assert isinstance(found, Operation)
        opened = await self._subscriptions.open(found, request, context)
        assert isinstance(opened, EventSubscriber)
        self._opened.append(opened)
        return opened

    def close(self) -> None:
        for each in self._opened:
            each.close()


@pytest.fixture
async def house(library: Database, database_url: str, settings: Settings, clock: ManualClock) -> AsyncIterator[House]:
    operations = make_operations(library, settings, clock)
    streams = {name: stream for slice_ in SLICES for name, stream in slice_.streams.items()}
    settings = settings.model_copy(update={"database_url": database_url})
    keys, limits = KnownKeys(Keys()), ConnectionLimits()
    async with (
        live(build_schema(SLICES), streams, operations, library, keys, settings, clock, limits, LEASES) as found,
        found.feed.held(),
    ):
        house = House(library, operations, found.subscriptions, settings, clock)
        first = await house.open(ADMIN)
        await library.command(tick, EVENTS + 1)
        house.start = orjson.loads((await first.next()).text)["data"]["ticks"]["cursor"]
        await library.command(tick, *range(1, EVENTS + 1))
        # Once the tail has read them, whoever starts before them has to read the log.
        while number_of((await first.next()).text) != EVENTS:
            pass
        yield house
        house.close()


def number_of(text: str) -> int:
    found: int = orjson.loads(text)["data"]["ticks"]["number"]
    return found


async def first_items(replays: list[EventSubscriber]) -> list[asyncio.Task[Any]]:
    """Ask each for one item; as many as can be had are there afterwards."""
    asked = [asyncio.create_task(replay.next()) for replay in replays]
    await eventually(lambda: sum(task.done() for task in asked) >= min(len(asked), CHUNKS_OF_CALLER))
    return asked


async def test_replays_send_every_event_once_and_in_order(house: House) -> None:
    replay = await house.open(ADMIN, after=house.start)
    found: list[int] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < EVENTS:
            found += [number_of(item.text) for item in (await replay.next(), *replay.ready())]
    await house.database.command(tick, 1_000)
    assert (found, number_of((await replay.next()).text)) == (list(range(1, EVENTS + 1)), 1_000)


async def test_replays_of_one_caller_hold_a_bounded_number_of_items(house: House) -> None:
    replays = [await house.open(ADMIN, after=house.start) for _ in range(CHUNKS_OF_CALLER * 2)]
    asked = await first_items(replays)
    # Nobody takes what was made for it: the others wait, and hold nothing.
    await asyncio.sleep(0.1)
    held = [len(replay._replay.items) for replay in replays]
    assert sum(task.done() for task in asked) == CHUNKS_OF_CALLER
    assert 0 < max(held) < ITEMS_IN_CHUNK
    assert sum(1 for items in held if items) == CHUNKS_OF_CALLER
    # Another caller has room of its own.
    other = await house.open(READER, after=house.start)
    async with asyncio.timeout(PATIENCE):
        assert number_of((await other.next()).text) == 1
    # Whoever leaves makes room.
    for replay, task in zip(replays, asked, strict=True):
        if task.done():
            replay.close()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*asked)


async def test_replays_hold_no_more_than_a_chunk_of_large_items(house: House) -> None:
    replay = await house.open(ADMIN, LARGE, after=house.start)
    for number in range(1, 41):
        async with asyncio.timeout(PATIENCE):
            assert number_of((await replay.next()).text) == number
        assert sum(len(item.text) for item in replay._replay.items) <= CHARACTERS_IN_CHUNK


async def test_replays_of_one_caller_are_read_one_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, never = 0, asyncio.Event()

    async def since(self: Feed, *_arguments: Any) -> Any:
        nonlocal reading
        reading += 1
        await never.wait()

    many = [await house.open(ADMIN, after=house.start) for _ in range(30)]
    with monkeypatch.context() as patched:
        patched.setattr(Feed, "since", since)
        asked = [asyncio.create_task(replay.next()) for replay in many]
        await eventually(lambda: reading > 0)
        await asyncio.sleep(0.05)
        assert reading == 1
    # Another caller does not wait for them.
    other = await house.open(READER, after=house.start)
    async with asyncio.timeout(PATIENCE):
        found = [number_of((await other.next()).text) for _ in range(EVENTS)]
    assert found == list(range(1, EVENTS + 1))
    for task in asked:
        task.cancel()


async def test_live_deliveries_do_not_wait_for_replays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    listening = await house.open(READER)
    replays = [await house.open(ADMIN, after=house.start) for _ in range(20)]
    never = asyncio.Event()

    async def since(self: Feed, *_arguments: Any) -> Any:
        await never.wait()

    monkeypatch.setattr(Feed, "since", since)
    asked = [asyncio.create_task(replay.next()) for replay in replays]
    await asyncio.sleep(0)
    await house.database.command(tick, 1_000)
    async with asyncio.timeout(PATIENCE):
        assert number_of((await listening.next()).text) == 1_000
    for task in asked:
        task.cancel()
