"""How many calls one request costs: a count, where a clock would see what else the machine does."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any

import orjson
import pytest

from app.storage.database import Database
from tests.kit.library_server import BOOK
from tests.serving import PATIENCE, Served

pytestmark = pytest.mark.anyio

MOST_CALLS = {"sqlite": 150, "postgresql": 160}
"""Python functions that a single read may call, in the loop's thread and on SQLite in a reader's. Each costs a third of
a microsecond or more."""


class Calls:
    """Counts the calls of Python functions in all threads that start while it is there."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            self.count += 1


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    # Before the server's threads start: there is no other way to see into them.
    found = Calls()
    threading.setprofile(found)
    yield found
    threading.setprofile(None)


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger or a coverage tool counts calls itself")
async def test_a_single_read_costs_few_calls(calls: Calls, served: Served, library: Database) -> None:
    body = orjson.dumps({"query": BOOK})
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\nx-api-key: admin\r\ncontent-type: application/json\r\n"
    request = head + b"content-length: %d\r\n\r\n%b" % (len(body), body)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    found = []
    async with asyncio.timeout(PATIENCE):
        for _ in range(60):
            before = calls.count
            writer.write(request)
            await reader.readuntil(b"The Dispossessed")
            await asyncio.sleep(0.01)
            found.append(calls.count - before)
    writer.close()
    # In many of them the server does something of its own besides.
    assert 50 < min(found) <= MOST_CALLS[library.dialect.name]
