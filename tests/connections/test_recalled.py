"""Values of other systems that are kept for a while."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from app.connections import recalled
from app.connections.recalled import Recalled
from app.interactions.remote import Reach

pytestmark = pytest.mark.anyio

LASTS = timedelta(minutes=10)


class Clocked:
    """All that is asked of a reach here: the time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 9, tzinfo=UTC)


async def test_recalled_value_is_read_again_by_its_key_its_connection_and_its_age() -> None:
    names: Recalled[str] = Recalled(LASTS)
    one, other = Clocked(), Clocked()
    read: list[str] = []

    async def value(of: Clocked, key: str) -> str:
        return await names.get(cast(Reach, of), key, reading(f"{key} {len(read)}"))

    def reading(name: str) -> Callable[[], Awaitable[str]]:
        async def made() -> str:
            read.append(name)
            return name

        return made

    assert [await value(one, "a"), await value(one, "a")] == ["a 0", "a 0"]
    assert [await value(one, "b"), await value(other, "a")] == ["b 1", "a 2"]
    one.now += LASTS - timedelta(microseconds=1)
    assert await value(one, "a") == "a 0"
    one.now += timedelta(microseconds=1)
    assert [await value(one, "a"), await value(one, "a"), await value(other, "a")] == ["a 3", "a 3", "a 2"]

    for number in range(recalled.MOST):
        await value(other, str(number))
    before = len(read)
    await value(other, str(recalled.MOST - 1))
    assert len(read) == before
    await value(other, "0")
    assert len(read) == before + 1
