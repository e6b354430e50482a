"""One caller with many subscriptions: their items go out at its pace, and nobody else's wait for it."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from app.core.fairness import Caller
from app.http.in_flight import InFlight
from app.storage.database import Database
from tests.http.test_sse import streaming
from tests.kit.library import ADMIN, READER, tick
from tests.kit.library_server import KEY, NUMBERS
from tests.serving import Served, eventually

pytestmark = pytest.mark.anyio


class Held:
    """The pace of the server, which lets nobody go on until it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Caller] = []
        self.may = asyncio.Event()
        monkeypatch.setattr(InFlight, "pace", lambda _, caller: self._pace(caller))

    async def _pace(self, caller: Caller) -> None:
        self.asked.append(caller)
        await self.may.wait()


async def test_items_of_many_streams_wait_for_the_pace_of_their_caller(
    served: Served, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.limit(crowd=2)
    async with AsyncExitStack() as stack:
        few = await stack.enter_async_context(streaming(served, NUMBERS, authorization="Bearer admin"))
        many = [await stack.enter_async_context(streaming(served, NUMBERS)) for _ in range(3)]
        await eventually(lambda: served.running == 4)
        held = Held(monkeypatch)
        await library.command(tick, 1, 2)
        assert [(await few.data())["ticks"]["number"] for _ in range(2)] == [1, 2]
        await eventually(lambda: len(held.asked) >= 3)
        # One item of each waits, and the next is not asked for.
        assert held.asked == [READER.caller] * 3
        held.may.set()
        for stream in many:
            assert [(await stream.data())["ticks"]["number"] for _ in range(2)] == [1, 2]


async def test_items_of_many_operations_of_a_socket_wait_as_well(
    served: Served, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.limit(crowd=2)
    async with served.socket(KEY) as socket:
        for name in ("1", "2", "3"):
            await socket.listen(name, NUMBERS)
        held = Held(monkeypatch)
        await library.command(tick, 1)
        await eventually(lambda: len(held.asked) >= 3)
        assert held.asked == [ADMIN.caller] * 3
        held.may.set()
        for _ in range(3):
            assert (await socket.take())["payload"] == {"data": {"ticks": {"number": 1}}}


async def test_items_of_few_subscriptions_wait_for_nothing(
    served: Served, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served.socket(KEY) as socket:
        await socket.listen("1", NUMBERS)
        held = Held(monkeypatch)
        await library.command(tick, 1)
        assert await socket.data("1") == {"ticks": {"number": 1}}
        assert held.asked == []
