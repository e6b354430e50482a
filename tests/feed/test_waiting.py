import asyncio

import pytest

from app.feed import Waiting

pytestmark = pytest.mark.anyio


async def test_a_crowd_is_woken_in_portions_and_whole() -> None:
    waiting = Waiting()
    woken = 0

    async def wait() -> None:
        nonlocal woken
        await waiting.wait()
        woken += 1

    tasks = [asyncio.create_task(wait()) for _ in range(600)]
    await asyncio.sleep(0)
    waiting.stir()
    seen = []
    while woken < 600:
        await asyncio.sleep(0)
        seen.append(woken)
    assert seen == [250, 500, 600]
    await asyncio.gather(*tasks)


async def test_who_waits_again_waits_for_the_next_time() -> None:
    waiting = Waiting()
    counts = [0] * 300

    async def wait(place: int) -> None:
        while True:
            await waiting.wait()
            counts[place] += 1

    tasks = [asyncio.create_task(wait(place)) for place in range(300)]
    await asyncio.sleep(0)
    for times in (1, 2):
        waiting.stir()
        for _ in range(5):
            await asyncio.sleep(0)
        assert counts == [times] * 300
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_who_leaves_while_nothing_happens_leaves_nothing() -> None:
    waiting = Waiting()
    tasks = [asyncio.create_task(waiting.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert len(waiting) == 3
    for task in tasks[1:]:
        task.cancel()
    await asyncio.wait(tasks[1:])
    assert len(waiting) == 1
    waiting.stir()
    await tasks[0]
    assert len(waiting) == 0
