"""Fair queueing: the order of service, its bounds, and that nothing is kept."""

import asyncio
from collections import Counter

import pytest

from app.core.errors import RateLimited
from app.core.fairness import FairQueue, Turns
from app.core.keyed_turns import KeyedTurns
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio


def drained(queue: FairQueue[str], cost: dict[str, float]) -> list[str]:
    served = []
    while (found := queue.pop()) is not None:
        caller, entry = found
        served.append(entry)
        queue.done(caller, cost[str(caller)])
    return served


def test_fair_queue_serves_the_caller_that_used_least() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(4):
        queue.push("heavy", f"heavy {number}")
    for number in range(4):
        queue.push("light", f"light {number}")
    served = drained(queue, {"heavy": 3, "light": 1})
    assert served == ["heavy 0", "light 0", "light 1", "light 2", "heavy 1", "light 3", "heavy 2", "heavy 3"]


def test_fair_queue_serves_first_what_was_put_back() -> None:
    queue: FairQueue[str] = FairQueue(2)
    for number in range(4):
        queue.push("many", f"many {number}")
    assert [queue.pop(), queue.pop(), queue.pop()] == [("many", "many 0"), ("many", "many 1"), None]
    queue.push("few", "few 0")
    queue.put_back("many", "many 1")
    queue.done("many", 1)
    assert queue.waiting("many") == 3
    assert drained(queue, {"many": 1, "few": 1}) == ["few 0", "many 1", "many 2", "many 3"]
    assert not queue
    assert not queue._shares


def test_fair_queue_newcomer_starts_level() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.push("old", "first")
    for number in range(3):
        queue.push("old", f"old {number}")
    for _ in range(2):
        found = queue.pop()
        assert found is not None
        queue.done("old", 10)
    for number in range(3):
        queue.push("new", f"new {number}")
    # Level with what the other had used when it was served last: one turn ahead, not three.
    assert drained(queue, {"old": 10, "new": 10}) == ["new 0", "old 1", "new 1", "old 2", "new 2"]


def test_fair_queue_bounds_what_one_caller_runs() -> None:
    queue: FairQueue[str] = FairQueue(most_running=2)
    for number in range(3):
        queue.push("a", f"a {number}")
    queue.push("b", "b 0")
    popped = [found[1] for found in (queue.pop(), queue.pop(), queue.pop()) if found is not None]
    assert popped == ["a 0", "b 0", "a 1"]
    assert queue.pop() is None
    assert (len(queue), queue.waiting("a"), queue.running("a")) == (1, 1, 2)
    queue.done("a", 1)
    assert queue.pop() == ("a", "a 2")


def test_fair_queue_removes_what_waits() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.push("a", "first")
    queue.push("a", "second")
    assert queue.remove("a", "first")
    assert not queue.remove("a", "first")
    assert not queue.remove("b", "first")
    assert queue.pop() == ("a", "second")
    assert queue.pop() is None


def test_fair_queue_keeps_nothing_of_those_who_left() -> None:
    queue: FairQueue[str] = FairQueue(most_running=1)
    for number in range(1_000):
        queue.push(number, "come and go")
        assert queue.remove(number, "come and go")
    for number in range(1_000):
        queue.push(number, "served")
    for _ in range(1_000):
        found = queue.pop()
        assert found is not None
        queue.done(found[0], 1)
    assert (len(queue), len(queue._shares), len(queue._order)) == (0, 0, 0)


async def test_turns_are_bounded_at_once_and_for_each_caller() -> None:
    turns = Turns(3, each=2)
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def work(caller: str) -> None:
        async with turns.of(caller):
            running[caller] += 1
            running["all"] += 1
            for name in (caller, "all"):
                most[name] = max(most[name], running[name])
            await asyncio.sleep(0)
            running[caller] -= 1
            running["all"] -= 1

    await asyncio.gather(*[work("greedy") for _ in range(20)], *[work("modest") for _ in range(3)])
    assert most == {"greedy": 2, "modest": 2, "all": 3}


async def test_turns_of_a_caller_that_waits_too_often_are_refused() -> None:
    turns = Turns(1, waiting=1)
    gate = asyncio.Event()

    async def hold(caller: str) -> None:
        async with turns.of(caller):
            await gate.wait()

    tasks = [asyncio.create_task(hold("a")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited) as refused:
        await hold("a")
    assert refused.value.retry_after == 1
    tasks.append(asyncio.create_task(hold("b")))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("late", [False, True])
async def test_turns_survive_cancelled_waiters(late: bool) -> None:
    turns = Turns(1)
    gate = asyncio.Event()

    async def hold(caller: str) -> str:
        async with turns.of(caller):
            await gate.wait()
            return caller

    first = asyncio.create_task(hold("a"))
    await asyncio.sleep(0)
    second, third = (asyncio.create_task(hold(caller)) for caller in "bc")
    await asyncio.sleep(0)
    if late:
        # The turn is given in the same round of the loop in which its waiter is cancelled.
        gate.set()
        await first
        second.cancel()
    else:
        second.cancel()
        gate.set()
    assert list(await asyncio.gather(third, first)) == ["c", "a"]
    assert second.cancelled() or second.result() == "b"
    async with asyncio.timeout(PATIENCE):
        assert await hold("d") == "d"


async def test_keyed_turns_bound_each_key_alone_and_forget_it() -> None:
    turns = KeyedTurns(1)
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def work(key: str, caller: int) -> None:
        async with turns.of(key, caller):
            running[key] += 1
            most[key] = max(most[key], running[key])
            most["all"] = max(most["all"], running.total())
            await asyncio.sleep(0)
            running[key] -= 1

    await asyncio.gather(*(work(key, caller) for key in ("a", "b", "c") for caller in range(5)))
    assert most == {"a": 1, "b": 1, "c": 1, "all": 3}
    assert len(turns) == 0


async def test_keyed_turns_forget_a_key_whose_last_asker_left() -> None:
    turns = KeyedTurns(1)
    async with turns.of("a", 1):
        waiting = asyncio.create_task(turns.of("a", 2).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert len(turns) == 1
    assert len(turns) == 0


def test_fair_queue_begins_an_entry_that_need_not_wait() -> None:
    queue: FairQueue[str] = FairQueue(most_running=2)
    assert [queue.begin("one") for _ in range(3)] == [True, True, False]
    assert queue.begin("other")
    queue.push("one", "waiting")
    assert not queue.begin("third")  # it would overtake
    assert queue.pop() is None
    queue.done("one", 1)
    assert queue.pop() == ("one", "waiting")
    for caller in ("one", "one", "other"):
        queue.done(caller, 1)
    assert queue.running("one") == 0
    assert queue.begin("third")
