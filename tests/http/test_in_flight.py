"""Requests of one caller at once: bounded, in order, and nothing kept."""

import asyncio
from pathlib import Path

import orjson
import pytest

from app.asgi import create_app
from app.core.errors import RateLimited
from app.http.in_flight import InFlight
from app.settings import Settings
from app.storage.database import Database
from tests.kit.library import SLICES
from tests.kit.library_server import BOOK, Keys
from tests.serving import PATIENCE, eventually, serving

pytestmark = pytest.mark.anyio


class Work:
    """Requests that stay until they are let go."""

    def __init__(self, requests: InFlight) -> None:
        self.requests = requests
        self.begun: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    async def start(self, caller: str, name: str) -> "asyncio.Task[None]":
        self.gates[name] = asyncio.Event()

        async def run() -> None:
            async with self.requests.of(caller):
                self.begun.append(name)
                await self.gates[name].wait()

        task = asyncio.create_task(run())
        await asyncio.sleep(0)
        return task

    async def end(self, name: str, task: "asyncio.Task[None]") -> None:
        self.gates[name].set()
        await task
        await asyncio.sleep(0)


async def test_in_flight_requests_wait_for_their_own_caller_alone() -> None:
    work = Work(InFlight(2))
    first = await work.start("a", "a1")
    tasks = [await work.start(caller, name) for caller, name in [("a", "a2"), ("a", "a3"), ("a", "a4"), ("b", "b1")]]
    assert work.begun == ["a1", "a2", "b1"]
    await work.end("a1", first)
    assert work.begun == ["a1", "a2", "b1", "a3"]
    for name, task in zip(["a2", "a3", "a4", "b1"], tasks, strict=True):
        await work.end(name, task)
    assert work.begun[-1] == "a4"
    assert (len(work.requests), work.requests._running, work.requests._waiting) == (0, {}, {})


async def test_in_flight_request_that_fails_gives_its_place_up() -> None:
    requests = InFlight(1)
    with pytest.raises(ValueError, match="no"):
        async with requests.of("a"):
            raise ValueError("no")
    async with asyncio.timeout(PATIENCE), requests.of("a"):
        assert len(requests) == 1
    assert len(requests) == 0


@pytest.mark.parametrize("given", [False, True])
async def test_in_flight_request_that_is_cancelled_leaves(given: bool) -> None:
    work = Work(InFlight(1))
    await work.requests.enter("a")
    second = await work.start("a", "a2")
    third = await work.start("a", "a3")
    if given:
        # It has the place, and is cancelled before it learns of it.
        work.requests.leave("a")
        second.cancel()
    else:
        second.cancel()
        await asyncio.wait([second])
        work.requests.leave("a")
    await asyncio.wait([second])
    await asyncio.sleep(0)
    assert second.cancelled()
    assert work.begun == ["a3"]
    await work.end("a3", third)
    assert (len(work.requests), work.requests._waiting) == (0, {})


async def test_in_flight_requests_that_wait_are_bounded() -> None:
    work = Work(InFlight(1, most_waiting=2))
    tasks = [await work.start("a", f"a{number}") for number in range(3)]
    with pytest.raises(RateLimited) as refused:
        await (await work.start("a", "one too many"))
    assert refused.value.retry_after == 1
    for number, task in enumerate(tasks):
        await work.end(f"a{number}", task)
    assert work.begun == ["a0", "a1", "a2"]


async def test_in_flight_bodies_are_read_as_places_allow(sqlite_library: Database, tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'library.db'}", max_requests_at_once=1)
    app = create_app(settings, slices=SLICES, authenticator=lambda _: Keys(), contracts=())
    body = orjson.dumps({"query": BOOK})
    head = "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
    async with serving(app, settings) as served:

        async def begin(key: str, sent: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(f"{head}authorization: Bearer {key}\r\ncontent-length: {len(body)}\r\n\r\n".encode())
            writer.write(body[:sent])
            return reader, writer

        requests: InFlight = served.server.lifespan.state["services"].in_flight
        slow, waiting = await begin("admin", 5), await begin("admin", len(body))
        await eventually(lambda: len(requests) == 2)
        # Another caller is answered meanwhile.
        other, writer = await begin("reader", len(body))
        assert (await asyncio.wait_for(other.read(), PATIENCE)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert len(requests) == 2
        slow[1].write(body[5:])
        for reader, writer in (slow, waiting):
            assert (await asyncio.wait_for(reader.read(), PATIENCE)).startswith(b"HTTP/1.1 200 ")
            writer.close()
        await eventually(lambda: len(requests) == 0)
