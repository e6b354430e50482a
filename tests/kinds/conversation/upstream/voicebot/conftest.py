"""A Switchboard that is connected to another one, which stands for the messaging bot's inbox."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from app.connections.keeper import Keeper, KeeperLimits
from app.connections.model import NewConnection
from app.connections.repository import ConnectedSystemRepository
from app.connections.service import create_connection
from app.core.ids import GlobalId
from app.interactions.service.messages import receive_message, send_message
from app.kinds.conversation.model.conversation import Conversation
from app.kinds.conversation.repository import ConversationRepository
from app.registry import CONNECTORS
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.connections.attached import Twinned
from tests.connections.conftest import ADA, kinds, settings
from tests.connections.rude import RudeReach
from tests.kinds.conftest import BO, store_users
from tests.kinds.conversation.conftest import Desk, furnish
from tests.kinds.rest import House, housed

__all__ = ["kinds", "settings"]

CNV = GlobalId("cnv", 1)
SETTLES = 15.0
"""Seconds after which it is looked for what became of a write that was not answered."""


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


@pytest.fixture
async def met(pair: Pair) -> None:
    """The first conversation, CNV: a customer has written, and it is known here."""
    await pair.hears("Hello?")
    await pair.sync()


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
    reach = RudeReach(twin, given, "/third-party/v1", "bo")
    keeper = Keeper(database, clock, system, remote, reach, "tests", KeeperLimits())
    return Pair(database, clock, keeper, system.id, twin, desk, reach)


async def _conversation(database: Database, number: int) -> Conversation:
    found = await database.command(lambda work: work.use(ConversationRepository).load(number))
    assert found is not None
    return found
