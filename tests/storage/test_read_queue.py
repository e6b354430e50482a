"""The admission of reads: classes, shares of callers, bounds, and what is remembered."""

import asyncio

import pytest

from app.core.errors import RateLimited, Unavailable
from app.core.fairness import SERVER, Caller
from app.storage import read_queue
from app.storage.read_queue import Read, ReadQueue, TakesLong

pytestmark = pytest.mark.anyio


def read_of(caller: Caller, statement: str = "") -> Read:
    def steps() -> object:
        raise AssertionError("nothing is run here")

    read = Read(steps, False, caller, asyncio.get_running_loop().create_future())  # type: ignore[arg-type]
    read.statement = statement
    return read


def queue_of(readers: int, most_long: int, most_waiting: int = 100) -> ReadQueue:
    return ReadQueue(readers, most_long=most_long, most_waiting=most_waiting, short_seconds=0.02)


def given(queue: ReadQueue) -> list[Read]:
    """All that may run now."""
    found = []
    while (read := queue.next()) is not None:
        found.append(read)
    return found


def long_read(queue: ReadQueue, caller: Caller, statement: str = "slow") -> Read:
    """A read that has turned out to be long, and waits."""
    read = read_of(caller, statement)
    assert queue.start(read)
    queue.restart(read, 1.0)
    return read


async def test_reads_of_one_caller_leave_readers_to_the_others() -> None:
    queue = queue_of(4, 2)
    for _ in range(4):
        long_read(queue, 1)
    for _ in range(10):
        queue.add(read_of(1))
    running = given(queue)
    assert [(read.caller, read.is_long) for read in running] == [(1, True), (1, False)]
    queue.end(running[0], 1.0)
    assert [(read.caller, read.is_long) for read in given(queue)] == [(1, True)]
    assert queue.add(read_of(2))
    assert [read.caller for read in given(queue)] == [2]
    assert queue.start(read_of(SERVER))
    assert queue.next() is None


async def test_reads_that_take_long_leave_readers_to_the_short_ones() -> None:
    queue = queue_of(4, 2)
    for caller in range(8):
        long_read(queue, caller)
    assert [read.is_long for read in given(queue)] == [True, True]
    assert [queue.start(read_of(caller)) for caller in range(10, 13)] == [True, True, False]


async def test_reads_are_given_to_the_caller_that_used_least() -> None:
    queue = queue_of(1, 1)
    running: Read | None = read_of("heavy")
    assert running is not None
    assert queue.start(running)
    for _ in range(3):
        queue.add(read_of("heavy"))
    for _ in range(2):
        queue.add(read_of("light"))
    order = []
    while running is not None:
        queue.end(running, 0.01 if running.caller == "heavy" else 0.001)
        running = queue.next()
        order.append(None if running is None else running.caller)
    assert order == ["light", "light", "heavy", "heavy", "heavy", None]


async def test_reads_of_the_server_go_first() -> None:
    queue = queue_of(1, 1)
    running, other = read_of(1), read_of(2)
    assert queue.start(running)
    queue.add(other)
    own = [read_of(SERVER) for _ in range(3)]
    for read in own:
        assert queue.add(read) is False  # no reader is free
    queue.end(running, 1.0)
    order = []
    while (found := queue.next()) is not None:
        order.append(found)
        queue.end(found, 1.0)
    assert order == [*own, other]


async def test_reads_that_wait_are_bounded_for_each_caller() -> None:
    queue = queue_of(2, 1, most_waiting=3)
    long_read(queue, 1)
    for _ in range(2):
        queue.add(read_of(1))
    with pytest.raises(RateLimited) as refused:
        queue.add(read_of(1))
    assert refused.value.retry_after == 1
    queue.add(read_of(2))
    assert queue.waiting == 4


async def test_a_read_that_waited_for_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = queue_of(1, 1)
    queue.start(running := read_of(1))
    running.require_patience()
    queue.add(waiting := read_of(1))
    waiting.require_patience()
    monkeypatch.setattr(read_queue, "LONGEST_WAIT", -1.0)
    running.require_patience()
    with pytest.raises(Unavailable):
        waiting.require_patience()


async def test_a_read_that_left_is_taken_out() -> None:
    queue = queue_of(2, 1)
    running = long_read(queue, 1)
    assert queue.next() is running
    leaving = [long_read(queue, 1), read_of(1), read_of(SERVER)]
    for read in leaving[1:]:
        queue.add(read)
    assert queue.waiting == 3
    for read in [*leaving, running, *leaving]:
        queue.remove(read)
    assert queue.waiting == 0
    assert queue.next() is None
    queue.end(running, 1.0)
    assert all(queue.start(read_of(caller)) for caller in (1, 2))


async def test_a_read_yields_to_other_callers_alone() -> None:
    queue = queue_of(4, 2)
    first, same, own = read_of(1), read_of(1), read_of(SERVER)
    assert all(queue.start(read) for read in (first, same, own))
    queue.add(read_of(1))
    assert not any(queue.must_yield(read) for read in (first, same, own))
    other = read_of(2)
    queue.add(other)
    assert [queue.must_yield(read) for read in (first, same, own)] == [True, True, False]
    queue.restart(first, 1.0)
    assert queue.next() is first
    assert not queue.must_yield(first)
    queue.remove(other)
    assert not queue.must_yield(same)


async def test_a_statement_that_took_long_is_remembered_for_its_caller() -> None:
    queue = queue_of(4, 2)
    first = long_read(queue, 1, "SELECT slow")
    queue.require_short(read_of(1), "SELECT slow")  # nobody else is there
    queue.start(read_of(9))
    queue.require_short(read_of(2), "SELECT slow")
    queue.require_short(read_of(SERVER), "SELECT slow")
    queue.require_short(read_of(1), "SELECT fast")
    with pytest.raises(TakesLong):
        queue.require_short(read_of(1), "SELECT slow")
    assert queue.next() is first
    queue.require_short(first, "SELECT slow")  # it is among the long ones already
    queue.end(first, 1.0)
    with pytest.raises(TakesLong):
        queue.require_short(read_of(1), "SELECT slow")
    again = long_read(queue, 1, "SELECT slow")
    assert queue.next() is again
    queue.end(again, 0.01)  # about as long as a short one may
    with pytest.raises(TakesLong):
        queue.require_short(read_of(1), "SELECT slow")
    again = long_read(queue, 1, "SELECT slow")
    assert queue.next() is again
    queue.end(again, 0.004)
    queue.require_short(read_of(1), "SELECT slow")


async def test_remembered_statements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_queue, "_MOST_REMEMBERED", 2)
    queue = queue_of(4, 2)
    for statement in ("SELECT 1", "SELECT 2", "SELECT 3"):
        long_read(queue, 1, statement)
    queue.start(read_of(9))
    queue.require_short(read_of(1), "SELECT 1")
    for statement in ("SELECT 2", "SELECT 3"):
        with pytest.raises(TakesLong):
            queue.require_short(read_of(1), statement)
