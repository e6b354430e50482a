"""How a call writes a long list: by the turns that it leaves and the pace that it asks for."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from app.core.actor import Actor
from app.rest.call import ROWS_IN_TURN, Call, Host
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio


class Paced:
    """A host that lets a list go on when it is told to, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Semaphore(0)

    async def pace(self, actor: Actor) -> None:
        assert actor.user_id == 7
        self.asked += 1
        await self.may.acquire()


def call_of(host: object) -> Call:
    async def receive() -> Any:
        raise AssertionError("there is no body")

    scope = {"type": "http", "headers": [], "query_string": b""}
    return Call(scope, receive, cast("Host", host), Actor(user_id=7, name="Seven"), {}, "request")


async def test_a_long_list_goes_on_only_at_the_pace_of_its_caller() -> None:
    host, done = Paced(), list[int]()

    def write(row: Mapping[str, Any]) -> int:
        done.append(row["number"])
        return -int(row["number"])

    rows = [{"number": number} for number in range(ROWS_IN_TURN * 3)]
    writing = asyncio.create_task(call_of(host).written(rows, write))
    for part in (1, 2):
        for _ in range(5):
            await asyncio.sleep(0)
        assert (len(done), host.asked) == (ROWS_IN_TURN * part, part)
        host.may.release()
    async with asyncio.timeout(PATIENCE):
        assert await writing == [-number for number in range(ROWS_IN_TURN * 3)]
    assert host.asked == 2


async def test_a_short_list_is_written_at_once() -> None:
    host = Paced()
    rows = [{"number": number} for number in range(ROWS_IN_TURN)]
    assert await call_of(host).written(rows, lambda row: row["number"]) == list(range(ROWS_IN_TURN))
    assert await call_of(host).written([], lambda row: row) == []
    assert host.asked == 0
