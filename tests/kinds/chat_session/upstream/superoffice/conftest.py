"""A Switchboard that is connected to another one, which stands for SuperOffice."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
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
from app.kinds.chat_session.model.session import PREFIX, ChatSession
from app.kinds.chat_session.repository import ChatSessionRepository
from app.registry import CONNECTORS
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.connections.attached import Twinned
from tests.connections.conftest import ADA, kinds, settings
from tests.kinds.chat_session.conftest import Desk, furnish, request
from tests.kinds.conftest import BO, store_users
from tests.kinds.rest import House, housed

__all__ = ["kinds", "settings"]

BASE = "/api"
CREDENTIAL = json.dumps({"token": "dee", "users": {"bo": "bo", "ada": "ada"}})


@dataclass
class RudeReach(Reach):
    """Reaches the twin within the process, as the user whose name is the token; `faults` befall the next writes, one
    each, and `silent` all requests."""

    house: House
    given: Mapping[str, object]
    user: str = "ada"
    own: frozenset[str] = frozenset({"ada", "bo"})
    faults: list[str] = field(default_factory=list)
    silent: bool = False
    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Mapping[str, object]:
        return self.given

    @property
    def now(self) -> datetime:
        return self.house.clock.now

    def acting_as(self, login: str) -> "RudeReach | None":
        return replace(self, user=login) if login in self.own else None

    def within(self, patience: float) -> "RudeReach":
        return self

    async def ask(self, path: str, **query: str | int) -> Answered:
        self.reads.append(path)
        answered = await self._request("GET", path, params=query)
        if answered.status >= 400 and answered.status != 404:
            raise Refused(f"The other system answered {answered.status}.", status=answered.status)
        return answered

    async def tell(self, method: str, path: str, body: object | None = None, *, slow: bool = False) -> Answered:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise Unanswered("The server cannot be connected to.", arrived=False)
        if fault == "lost":
            raise Unanswered("The connection ended before the answer.", arrived=True)
        if fault == "busy":
            raise Unanswered("The other system answered 429.", arrived=False, wait=30)
        if fault == "refused":
            raise Refused("The other system answered 400.", status=400)
        self.writes.append(f"{self.user} {method} {path}")
        answered = await self._request(method, path, **({} if body is None else {"json": body}))
        if answered.status >= 400:
            raise Refused(f"The other system answered {answered.status}.", status=answered.status)
        if fault == "after":
            raise Unanswered("The connection ended before the answer.", arrived=True)
        return answered

    async def _request(self, method: str, path: str, **given: Any) -> Answered:
        if self.silent:
            raise Unanswered("The server cannot be connected to.", arrived=False)
        async with self.house.client(authorization=f"Bearer {self.user}") as client:
            response = await client.request(method, BASE + path, **given)
        return Answered(response.status_code, response.json() if response.content else None)


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
    reach = RudeReach(twin, more)
    keeper = Keeper(database, clock, system, remote, reach, "tests", KeeperLimits())
    return Pair(database, clock, keeper, system.id, twin, desk, reach)


async def _chat(database: Database, number: int) -> ChatSession:
    found = await database.command(lambda work: work.use(ChatSessionRepository).load(number))
    assert found is not None
    return found
