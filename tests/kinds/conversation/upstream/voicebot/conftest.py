"""A Switchboard that is connected to another one, which stands for the messaging bot's inbox."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.connections.keeper import LEASE, Keeper, KeeperLimits
from app.connections.model import NewConnection
from app.connections.model.outbox import Entry
from app.connections.repository import ConnectedSystemRepository
from app.connections.repository.outbox import OutboxRepository
from app.connections.service import create_connection
from app.connections.tables import outbox
from app.core.ids import GlobalId
from app.interactions.messages import Message
from app.interactions.remote import Answered, Reach, Refused, Unanswered
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.messages import receive_message, send_message
from app.interactions.tables import message
from app.kinds.conversation.model.conversation import Conversation
from app.kinds.conversation.repository import ConversationRepository
from app.registry import CONNECTORS
from app.storage.database import Database, Work
from app.storage.leases import take_lease
from tests.conftest import ManualClock
from tests.connections.conftest import ADA, kinds, settings
from tests.kinds.conftest import BO, store_users
from tests.kinds.conversation.conftest import Desk, furnish
from tests.kinds.rest import House, housed

__all__ = ["kinds", "settings"]

BASE = "/third-party/v1"


@dataclass
class RudeReach(Reach):
    """Reaches the twin within the process; `faults` befall the next writes, one each, and `silent` all requests."""

    house: House
    given: Mapping[str, object]
    faults: list[str] = field(default_factory=list)
    silent: bool = False
    reads: int = 0
    writes: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Mapping[str, object]:
        return self.given

    def acting_as(self, login: str) -> None:
        return None

    @property
    def now(self) -> datetime:
        return self.house.clock.now

    async def ask(self, path: str, **query: str | int) -> Answered:
        self.reads += 1
        return await self._request("GET", path, params=query)

    async def tell(self, method: str, path: str, body: object | None = None, *, slow: bool = False) -> Answered:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise Unanswered("The server cannot be connected to.", arrived=False)
        if fault == "lost":
            raise Unanswered("The connection ended before the answer.", arrived=True)
        if fault == "busy":
            raise Unanswered("The other system answered 429.", arrived=False, wait=30)
        if fault == "refused":
            raise Refused("The other system answered 422.")
        if fault == "unauthorized":
            raise Refused("The token is not taken.", unauthorized=True)
        self.writes.append(f"{method} {path}")
        answered = await self._request(method, path, json=body)
        if answered.status >= 400:
            raise Refused(f"The other system answered {answered.status}.")
        if fault == "after":
            raise Unanswered("The connection ended before the answer.", arrived=True)
        return answered

    async def _request(self, method: str, path: str, **request: Any) -> Answered:
        if self.silent:
            raise Unanswered("The server cannot be connected to.", arrived=False)
        async with self.house.client() as client:
            response = await client.request(method, BASE + path, **request)
        return Answered(response.status_code, response.json() if response.content else None)


@dataclass
class Pair:
    """Both sides: the twin, and the Switchboard that is connected to it."""

    twin: House
    desk: Desk
    database: Database
    clock: ManualClock
    reach: RudeReach
    keeper: Keeper
    connection: int

    async def hears(self, text: str, customer: int | None = None) -> int:
        """The customer writes to the twin; the number of its conversation there."""
        target = {
            "kind": "conversation",
            "customer_id": customer or self.desk.ana,
            "channel_agent_id": self.desk.whatsapp,
        }
        posted = await self.twin.database.command(receive_message, BO, target, [{"type": "text", "content": text}])
        return (await self.there(posted.interaction)).conversation_id

    async def there(self, number: int = 1) -> Conversation:
        return await _conversation(self.twin.database, number)

    async def here(self, number: int = 1) -> Conversation:
        return await _conversation(self.database, number)

    async def sync(self, times: int = 1) -> None:
        """Do all that is due, and read the list."""
        for _ in range(times):
            self.keeper.poll_now()
            await self.work()

    async def work(self) -> None:
        """Do all that is due now."""
        await self.database.command(take_lease, self.keeper.lease, "tests", LEASE)
        for _ in range(20):
            await self.keeper.step()
            if not await self.keeper.settled():
                return
        raise AssertionError("There is no end of what is due.")

    async def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.work()

    async def says(self, text: str, number: int = 1, **more: Any) -> int:
        """Bo answers here; the surrogate of the message."""
        content = {"type": "text", "content": text}
        posted = await self.database.command(send_message, BO, GlobalId("cnv", number), content, **more)
        return posted.message

    async def messages(self, *, there: bool = False) -> list[Message]:
        return await (self.twin.database if there else self.database).command(_messages)

    async def texts(self, *, there: bool = False) -> list[str | None]:
        return [each.text for each in await self.messages(there=there)]

    async def entries(self) -> list[Entry]:
        def read(work: Work) -> list[Entry]:
            ids = work.connection.execute(outbox.select().with_only_columns(outbox.c.id).order_by(outbox.c.id))
            found = [work.use(OutboxRepository).get(number) for number in ids.scalars()]
            return [each for each in found if each is not None]

        return await self.database.command(read)

    async def queue(self) -> list[tuple[str, str]]:
        """Action and state of each entry."""
        return [(each.action, each.state.value) for each in await self.entries()]


@pytest.fixture
async def twin(tmp_path: Path, sqlite_template: Path, clock: ManualClock) -> AsyncIterator[House]:
    path = tmp_path / "twin.db"
    await asyncio.to_thread(shutil.copy, sqlite_template, path)
    async with housed(f"sqlite:///{path}", clock) as house:
        yield house


@pytest.fixture
async def pair(twin: House, database: Database, clock: ManualClock) -> Pair:
    return await connected(twin, database, clock)


async def connected(twin: House, database: Database, clock: ManualClock, **more: object) -> Pair:
    """The pair, of which nothing has been read yet."""
    desk = await twin.database.command(furnish)
    await database.command(store_users)
    given = {"users": {"bo": BO.user_id, "ada": ADA.user_id}, **more}
    new = NewConnection(
        system="VOICEBOT", name="Bot", address="https://bot.example.com", credential="token", settings=given
    )
    made = await database.command(create_connection, ADA, CONNECTORS, new)
    system = await database.command(lambda work: work.use(ConnectedSystemRepository).get(made.system.id))
    assert system is not None
    remote = CONNECTORS["VOICEBOT"].remote
    assert remote is not None
    reach = RudeReach(twin, given)
    keeper = Keeper(database, clock, system, remote, reach, "tests", KeeperLimits())
    return Pair(twin, desk, database, clock, reach, keeper, system.id)


async def _conversation(database: Database, number: int) -> Conversation:
    found = await database.command(lambda work: work.use(ConversationRepository).load(number))
    assert found is not None
    return found


def _messages(work: Work) -> list[Message]:
    ids = work.connection.execute(message.select().with_only_columns(message.c.id).order_by(message.c.id)).scalars()
    found = [work.use(MessageRepository).get(number) for number in ids]
    return [each for each in found if each is not None]
