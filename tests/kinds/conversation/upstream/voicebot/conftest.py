"""A Switchboard that is connected to another one, which stands for the messaging bot's inbox."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from app.connections.keeper import Keeper, KeeperLimits
from app.connections.model import NewConnection
from app.connections.repository import ConnectedSystemRepository
from app.connections.service import create_connection
from app.core.ids import GlobalId
from app.interactions.remote import Answered, Reach, Refused, Unanswered
from app.interactions.service.messages import receive_message, send_message
from app.kinds.conversation.model.conversation import Conversation
from app.kinds.conversation.repository import ConversationRepository
from app.registry import CONNECTORS
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.connections.attached import Twinned
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

    def within(self, patience: float) -> "RudeReach":
        return self

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
class Pair(Twinned):
    """Both sides: the twin, and the Switchboard that is connected to it."""

    desk: Desk
    reach: RudeReach
    most_steps: ClassVar[int] = 20

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

    async def says(self, text: str, number: int = 1, **more: Any) -> int:
        """Bo answers here; the surrogate of the message."""
        content = {"type": "text", "content": text}
        posted = await self.database.command(send_message, BO, GlobalId("cnv", number), content, **more)
        return posted.message


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
    return Pair(database, clock, keeper, system.id, twin, desk, reach)


async def _conversation(database: Database, number: int) -> Conversation:
    found = await database.command(lambda work: work.use(ConversationRepository).load(number))
    assert found is not None
    return found
