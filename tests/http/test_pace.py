"""Callers that ask together: how many requests of each begin in a tick, by clocks that the test moves."""

import asyncio
from collections.abc import Callable
from itertools import count

import pytest

from app.core.company import TOGETHER
from app.http.in_flight import InFlight
from app.http.pace import BUSY, BUSY_BESIDE_READERS, FEWEST, LATE, MOST, TICK, Pace
from tests.serving import PATIENCE, Served

pytestmark = pytest.mark.anyio


def idle() -> float:
    """A loop that does nothing."""
    return 0.0


def standing(used: Callable[[], float] = idle, **limits: int) -> InFlight:
    """Requests at a pace whose clock stands, so that callers always ask together, and whose ticks `tick` ends."""
    return InFlight(64, time=lambda: 0.0, used=used, tick=PATIENCE, **limits)


async def tick(requests: InFlight) -> None:
    """End the tick that goes on, and let run what begins in the next."""
    requests._pace._tick()
    await asyncio.sleep(0)


class Clocks:
    """The time, and how much of it the loop was busy for."""

    def __init__(self, busy: float = BUSY) -> None:
        self.now = 0.0
        self.used = 0.0
        self.went_on = 0
        self.pace = Pace(self._go_on, busy, lambda: self.now, lambda: self.used, tick=PATIENCE)

    def _go_on(self) -> None:
        self.went_on += 1

    def tick(self, busy: float, late: float = 0.0) -> None:
        """Let a tick end, for such a part of which the loop was busy, so late."""
        before = self.went_on
        self.now += TICK + late
        self.used += TICK * busy
        assert self.pace._ticks
        self.pace._tick()
        assert self.went_on == before + 1

    def slow_down(self, caller: str) -> None:
        """Have the loop be busy, beside others, until the caller may begin as few requests as can be."""
        self.pace.begins("a")
        self.pace.begins("b")
        for _ in range(8):
            self.tick(busy=1.0)
            self.begun(caller)

    def begun(self, caller: str, most: int = 100) -> int:
        """How many requests of the caller begin now."""
        for number in range(most):
            if not self.pace.begins(caller):
                return number
        return most


async def test_pace_leaves_a_caller_alone_that_asks_alone() -> None:
    clocks = Clocks()
    assert clocks.begun("a", 10_000) == 10_000
    clocks.pace.begins("b")
    assert clocks.begun("a") == MOST
    clocks.now += TOGETHER
    assert clocks.begun("a", 10_000) == 10_000


async def test_pace_of_callers_that_ask_together_is_bounded_for_each() -> None:
    clocks = Clocks()
    clocks.pace.begins("a")
    assert clocks.begun("b") == MOST
    assert clocks.begun("b") == 0
    assert clocks.begun("a") == MOST
    clocks.tick(busy=0.0)
    assert (clocks.begun("b"), clocks.begun("a")) == (MOST, MOST)


async def test_pace_slows_down_where_the_loop_is_late_although_it_does_little() -> None:
    clocks = Clocks()
    found = []
    for late in (LATE, LATE, 0.0):
        clocks.pace.begins("a")
        clocks.pace.begins("b")
        clocks.tick(0.0, late)
        found.append(clocks.begun("b"))
    assert found == [16, 8, 9]


@pytest.mark.parametrize("limit", [BUSY, BUSY_BESIDE_READERS])
async def test_pace_slows_down_while_the_loop_is_busy_and_recovers(limit: float) -> None:
    clocks = Clocks(limit)
    found = []
    for busy in [limit + 0.1] * 8 + [limit - 0.1] * 3:
        clocks.pace.begins("a")
        clocks.pace.begins("b")
        clocks.tick(busy)
        found.append(clocks.begun("b"))
    assert found == [16, 8, 4, 2, 1, 1, 0, 0, 1, 0, 2]


async def test_pace_of_who_begins_all_the_time_is_one_in_four_ticks_while_the_loop_is_busy() -> None:
    clocks = Clocks()
    clocks.slow_down("a")
    found = []
    for _ in range(12):
        clocks.tick(busy=1.0)
        found.append(clocks.begun("a"))
    assert sorted(found) == [0] * 9 + [1] * 3
    assert FEWEST == 1 / 4
    # Who asks now and then does not wait for any of it.
    assert [clocks.begun("b"), clocks.begun("c")] == [1, 1]


async def test_pace_ticks_no_longer_than_something_has_begun() -> None:
    clocks = Clocks()
    clocks.slow_down("b")
    while not clocks.begun("b"):
        clocks.tick(busy=1.0)
    ticks = 0
    while clocks.pace._ticks:
        clocks.tick(busy=1.0)
        ticks += 1
    assert (ticks, clocks.pace._begun) == (4, {})


async def test_pace_has_what_waits_begin_by_itself() -> None:
    requests = InFlight(64, time=lambda: 0.0, most=1)
    requests._pace.begins("b")
    async with asyncio.timeout(PATIENCE):
        for _ in range(5):
            async with requests.of("a"):
                pass


async def test_pace_of_a_server_leaves_more_time_to_readers_that_are_threads(served: Served) -> None:
    services = served.server.lifespan.state["services"]
    found = services.in_flight._pace._allowance._busy
    assert found == (BUSY_BESIDE_READERS if services.settings.on_sqlite else BUSY)


async def test_pace_has_requests_and_messages_wait_for_the_next_tick() -> None:
    requests = standing(most=2)
    begun: list[str] = []

    async def ask(caller: str) -> None:
        async with requests.of(caller):
            begun.append(caller)

    async def tell(caller: str) -> None:
        await requests.pace(caller)
        begun.append(caller)

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        await ask("b")
        left = group.create_task(ask("a"))
        await left
        tasks = [group.create_task(work("a")) for work in [ask] * 5 + [tell] * 5]
        await asyncio.sleep(0)
        # One began before: of ten more, one begins in this tick.
        assert begun == ["b", "a", "a"]
        tasks[3].cancel()
        tasks[8].cancel()
        group.create_task(ask("b"))
        await asyncio.sleep(0)
        assert begun == ["b", "a", "a", "b"]
        while len(begun) < 11:
            await tick(requests)
    # Two were cancelled.
    assert begun.count("a") == 9
    assert len(requests) == 0
    assert (requests._running, requests._waiting, requests._paced) == ({}, {}, {})


async def test_pace_keeps_nothing_of_what_was_cancelled_while_it_waited() -> None:
    requests = standing(fewest=0, most=0)
    for caller in ("a", "b"):
        requests._pace.begins(caller)
    waiting = [asyncio.ensure_future(work) for work in (requests.enter("b"), requests.pace("b"))]
    await asyncio.sleep(0)
    for _ in range(3):
        await tick(requests)
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    await tick(requests)
    assert (requests._waiting, requests._paced) == ({}, {})


@pytest.mark.parametrize("used", [idle, count().__next__], ids=["idle", "busy"])
async def test_pace_takes_requests_and_what_has_begun_in_turns(used: Callable[[], float]) -> None:
    requests = standing(used, most=1)
    begun: list[str] = []

    async def ask(caller: str) -> None:
        async with requests.of(caller):
            begun.append("request")

    async def go_on(caller: str) -> None:
        await requests.pace(caller)
        begun.append("list")

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        await ask("b")
        await ask("a")
        begun.clear()
        for work in [ask] * 4 + [go_on] * 4:
            group.create_task(work("a"))
        await asyncio.sleep(0)
        while len(begun) < 8:
            await tick(requests)
    # One in each tick, or in four of them where the loop is busy: neither kind waits for the end of the other.
    assert begun[:8] in (["list", "request"] * 4, ["request", "list"] * 4)
    assert requests._paced_next == set()
