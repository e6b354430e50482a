"""A Switchboard that is connected to another one, which stands for SuperOffice."""

import asyncio
import json
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
from app.kinds.chat_session.model.session import PREFIX, ChatSession
from app.kinds.chat_session.repository import ChatSessionRepository
from app.registry import CONNECTORS
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.connections.attached import Twinned
from tests.connections.conftest import ADA, kinds, settings
from tests.connections.rude import RudeReach
from tests.kinds.chat_session.conftest import Desk, furnish, request
from tests.kinds.conftest import BO, store_users
from tests.kinds.rest import House, housed

__all__ = ["kinds", "settings"]

CREDENTIAL = json.dumps({"token": "dee", "users": {"bo": "bo", "ada": "ada"}})


@dataclass
class Pair(Twinned):
    """Both sides: the twin, and the Switchboard that is connected to it."""

    desk: Desk
    reach: RudeReach
    most_steps: ClassVar[int] = 30

    async def requested(self, topic: int | None = None, **given: Any) -> GlobalId:
        """A customer asks the twin for a chat; the chat there."""
        return await request(self.twin.database, topic or self.desk.open, customer_name="Ana", **given)

    async def hears(self, ref: GlobalId, text: str) -> None:
        """The customer writes to the twin."""
        content = {"type": "text", "content": text}
        await self.twin.database.command(receive_message, BO, {"interaction": ref}, [content])

    async def says(self, text: str, number: int = 1, **more: Any) -> int:
        """Bo answers here; the surrogate of the message."""
        content = {"type": "text", "content": text}
        posted = await self.database.command(send_message, BO, GlobalId(PREFIX, number), content, **more)
        return posted.message

    async def there(self, number: int = 1) -> ChatSession:
        return await _chat(self.twin.database, number)

    async def here(self, number: int = 1) -> ChatSession:
        return await _chat(self.database, number)


@pytest.fixture
async def twin(tmp_path: Path, sqlite_template: Path, clock: ManualClock) -> AsyncIterator[House]:
    path = tmp_path / "twin.db"
    await asyncio.to_thread(shutil.copy, sqlite_template, path)
    async with housed(f"sqlite:///{path}", clock) as house:
        yield house


@pytest.fixture
async def pair(twin: House, database: Database, clock: ManualClock) -> Pair:
    return await connected(twin, database, clock)


async def connected(
    twin: House, database: Database, clock: ManualClock, credential: str = CREDENTIAL, **more: object
) -> Pair:
    """The pair, of which nothing has been read yet."""
    desk = await twin.database.command(furnish)
    await database.command(store_users)
    new = NewConnection(
        system="SUPEROFFICE",
        name="Office",
        address="https://office.example.com/api",
        credential=credential,
        settings=more,
    )
    made = await database.command(create_connection, ADA, CONNECTORS, new)
    system = await database.command(lambda work: work.use(ConnectedSystemRepository).get(made.system.id))
    assert system is not None
    remote = CONNECTORS["SUPEROFFICE"].remote
    assert remote is not None
    reach = RudeReach(twin, more, "/api", own=frozenset({"ada", "bo"}))
    keeper = Keeper(database, clock, system, remote, reach, "tests", KeeperLimits())
    return Pair(database, clock, keeper, system.id, twin, desk, reach)


async def _chat(database: Database, number: int) -> ChatSession:
    found = await database.command(lambda work: work.use(ChatSessionRepository).load(number))
    assert found is not None
    return found
