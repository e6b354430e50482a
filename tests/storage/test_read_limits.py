"""Who may not read on is stopped, by one timer for all."""

import asyncio
from typing import Any

import pytest

from app.core.errors import Timeout
from app.core.fairness import Turns
from app.storage.read_limits import ReadLimits
from app.storage.read_queue import Read, ReadQueue, TakesLong

pytestmark = pytest.mark.anyio

SHORT, LONGEST = 0.02, 0.05


def nothing() -> Any:
    yield


class Reading:
    """Reads of callers that end when the limits say so; the queue they were let in by, and the timers there were."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queue = ReadQueue(8, most_long=4, most_waiting=10, short_seconds=SHORT)
        self.busy = 0.0
        self.limits = ReadLimits(self.queue, SHORT, LONGEST, lambda: self.busy)
        self.looks = 0
        look = self.limits._look

        def counted() -> None:
            self.looks += 1
            look()

        monkeypatch.setattr(self.limits, "_look", counted)

    async def read(self, caller: int, seconds: float = 60.0) -> BaseException | None:
        """What a read of so many seconds raises by its limit; None when it ends before."""
        loop = asyncio.get_running_loop()
        read = Read(nothing, False, caller, loop.create_future())
        assert self.queue.start(read)
        limit = self.limits.begin(read, loop.time())
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError as error:
            self.limits.end(limit)
            return self.limits.reason(limit, error)
        self.limits.end(limit)
        return None


@pytest.fixture
async def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    return Reading(monkeypatch)


async def test_reads_of_one_caller_have_the_longest_time(reading: Reading) -> None:
    ends = await asyncio.gather(*(reading.read(1) for _ in range(3)), reading.read(1, 0.0))
    assert [type(end) for end in ends] == [Timeout, Timeout, Timeout, type(None)]
    # At 20, 40 and 50 ms for all of them, and not for each.
    assert reading.looks <= 4
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_read_that_is_in_the_way_of_others_starts_again(reading: Reading) -> None:
    ends = await asyncio.gather(reading.read(1), reading.read(2))
    assert [type(end) for end in ends] == [TakesLong, TakesLong]
    assert reading.looks <= 2


async def test_what_else_the_loop_did_does_not_make_a_read_long(reading: Reading) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    limit = reading.limits.begin(Read(nothing, False, 1, loop.create_future()), began)
    for after, busy, used in ((0.01, 0.0, 0.01), (0.04, 0.03, 0.01), (0.04, 0.01, 0.03), (0.5, 0.5, 0.1)):
        reading.busy = busy
        assert reading.limits.used(limit, began + after) == pytest.approx(used)
    reading.limits.end(limit)


async def test_a_read_beside_a_busy_loop_goes_on() -> None:
    loop = asyncio.get_running_loop()
    queue, busy = ReadQueue(8, most_long=4, most_waiting=10, short_seconds=10.0), 0.0
    limits = ReadLimits(queue, 10.0, 1_000.0, lambda: busy)

    async def read(caller: int) -> None:
        one = Read(nothing, False, caller, loop.create_future())
        assert queue.start(one)
        limit = limits.begin(one, loop.time() - 30)
        try:
            await asyncio.sleep(60)
        finally:
            limits.end(limit)

    reads = [asyncio.create_task(read(caller)) for caller in (1, 2)]
    await asyncio.sleep(0)
    busy = 25.0
    limits._look()
    assert [each.reached for each in limits._running] == [None, None]
    busy = 10.0
    for each in limits._running:
        each.due = 0.0
    limits._look()
    assert [type(each.reached) for each in limits._running] == [TakesLong, TakesLong]
    await asyncio.wait(reads)
    limits.close()


async def test_whoever_leaves_is_not_told_of_a_limit(reading: Reading) -> None:
    task = asyncio.create_task(reading.read(1))
    await asyncio.sleep(0)
    # Both in one turn of the loop.
    (limit,) = reading.limits._running
    limit.ends = 0.0
    reading.limits._look()
    task.cancel()
    assert isinstance(await task, asyncio.CancelledError)


async def test_nobody_is_looked_at_when_nobody_reads(reading: Reading) -> None:
    assert await reading.read(1, 0.0) is None
    await asyncio.sleep(2 * SHORT)
    looks = reading.looks
    await asyncio.sleep(2 * SHORT)
    assert (reading.looks, looks) == (1, 1)
    assert isinstance(await reading.read(1), Timeout)


async def test_a_read_that_takes_long_while_its_caller_is_alone_passes_its_trial_on(reading: Reading) -> None:
    loop = asyncio.get_running_loop()
    turns = Turns(1)
    read = Read(nothing, False, 1, loop.create_future(), trial=await turns.take(1))
    limit = reading.limits.begin(read, loop.time())
    assert turns.free == 0
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        (await turns.take(1)).end()
    assert limit.reached is None
    reading.limits.end(limit)
