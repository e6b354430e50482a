"""The whole graph with users, channel agents and customers; what all kinds share is tested through two of them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.events import EventRecord
from app.core.ids import GlobalId
from app.interactions.service.erasing import erase_part, finish_erasing
from app.interactions.service.messages import Posted, receive_message
from app.storage.database import Database, Work
from tests.conftest import ManualClock
from tests.event_log import told_in
from tests.graph.running import Graph, open_graph
from tests.kinds.conftest import BO, store_customer
from tests.kinds.conversation.conftest import Desk, furnish
from tests.remembering import remembered

AFTER: Mapping[str, object] = {
    "state": "OPEN",
    "bot_active": False,
    "labels": [],
    "reasons": ["TO_DO", "CUSTOMER_WAITING"],
    "unread": True,
    "status": "TO_DO",
    "channel": "WHATSAPP",
    "account": "cha_1",
}
"""What an event says of the first conversation while its customer waits."""


@dataclass(frozen=True, slots=True)
class House:
    """A graph with its people, and a customer of Sessions beside those of conversations."""

    graph: Graph
    desk: Desk
    sam: int

    @property
    def database(self) -> Database:
        return self.graph.database

    @property
    def clock(self) -> ManualClock:
        return self.graph.clock

    async def hear(
        self, text: str = "Hello", *, customer: int | None = None, actor: Actor = BO, **given: Any
    ) -> Posted:
        """A message of a WhatsApp customer, Ana unless another is named."""
        target = {
            "kind": "conversation",
            "customer_id": self.desk.ana if customer is None else customer,
            "channel_agent_id": self.desk.whatsapp,
        }
        return await self.database.command(receive_message, actor, target, [said(text)], **given)

    async def hear_sam(self, text: str = "Hello", *, actor: Actor = BO) -> Posted:
        """A message of the customer of Sessions."""
        target = {"kind": "session", "customer_id": self.sam}
        return await self.database.command(receive_message, actor, target, [said(text)])

    async def erase(self) -> int:
        """Erase all that was deleted, a few rows in a unit; how many rows."""
        rows = 0
        while True:
            erased = await self.database.command(erase_part, 3)
            assert erased.rows <= 3
            rows += erased.rows
            if erased.files is not None:
                assert await self.database.forget_deleted()
                await self.database.command(finish_erasing, erased.files)
            elif not erased.more:
                return rows

    async def told(self) -> list[EventRecord]:
        """Every event so far, lane by lane."""
        return [each.event for each in await self.database.command(told_in)]

    async def topics(self) -> list[str]:
        return [event.topic for event in await self.told()]


@pytest.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    graph = await open_graph(database_url, clock)
    desk, sam = await graph.database.command(fill)
    yield House(graph, desk, sam)
    await graph.database.close()


@remembered
def fill(work: Work) -> tuple[Desk, int]:
    desk = furnish(work)
    sam = store_customer(work, customer_key="sam", system="SESSION", name="Sam", phone_number="+4733333333")
    return desk, sam


def said(text: str) -> Mapping[str, Any]:
    return {"type": "text", "content": text}


def cnv(number: int) -> GlobalId:
    return GlobalId("cnv", number)


def ses(number: int) -> GlobalId:
    return GlobalId("ses", number)


def msg(number: int) -> GlobalId:
    return GlobalId("msg", number)
