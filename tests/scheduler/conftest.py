"""Every kind of interaction in one database, and what the log says of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest

from app.core.events import LoggedEvent
from app.core.ids import GlobalId
from app.interactions.service.messages import receive_message
from app.registry import KINDS
from app.storage.database import Database, Work
from app.storage.event_log import Cursor, lane_count, merged, read_after
from tests.kinds.conftest import BO, store_customer
from tests.kinds.conversation.conftest import Desk, furnish

RULES: Mapping[str, Any] = {kind.name: kind.rules for kind in KINDS}


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    return RULES


@pytest.fixture
async def desk(database: Database) -> Desk:
    return await database.command(furnish)


def said(text: str) -> Mapping[str, Any]:
    return {"type": "text", "content": text}


async def hear(database: Database, desk: Desk) -> GlobalId:
    """A conversation on WhatsApp in which the customer has just written."""
    target = {"kind": "conversation", "customer_id": desk.ana, "channel_agent_id": desk.whatsapp}
    posted = await database.command(receive_message, BO, target, [said("Hello?")])
    return GlobalId("cnv", posted.interaction)


async def told(database: Database) -> list[LoggedEvent]:
    """Every event so far, by time."""

    def read(work: Work) -> list[LoggedEvent]:
        query = read_after(work.dialect_name, Cursor((0,) * lane_count(work.connection)), 10_000)
        return list(merged(work.connection.exec_driver_sql(query.sql, tuple(query.args))))

    return await database.command(read)


async def topics(database: Database, before: Sequence[LoggedEvent] = ()) -> list[str]:
    """The topics of the events that are not among those of before."""
    known = {(each.lane, each.position) for each in before}
    return [each.event.topic for each in await told(database) if (each.lane, each.position) not in known]


async def customer(database: Database, key: str) -> int:
    """A customer of Sessions."""
    return await database.command(lambda work: store_customer(work, customer_key=key, system="SESSION"))


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds, for ten seconds at most."""
    for _ in range(500):
        if await check():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError
