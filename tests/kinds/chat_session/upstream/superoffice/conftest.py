"""A Switchboard that is connected to another one, which stands for SuperOffice."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
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
from app.kinds.chat_session.model.session import PREFIX, ChatSession
from app.kinds.chat_session.repository import ChatSessionRepository
from app.registry import CONNECTORS
from app.storage.database import Database, Work
from app.storage.leases import take_lease
from tests.conftest import ManualClock
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
class Pair:
    """Both sides: the twin, and the Switchboard that is connected to it."""

    twin: House
    desk: Desk
    database: Database
    clock: ManualClock
    reach: RudeReach
    keeper: Keeper
    connection: int

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

    async def sync(self, times: int = 1) -> None:
        """Do all that is due, and look for what goes on there."""
        for _ in range(times):
            self.keeper.poll_now()
            await self.work()

    async def work(self) -> None:
        """Do all that is due now."""
        await self.database.command(take_lease, self.keeper.lease, "tests", LEASE)
        for _ in range(30):
            await self.keeper.step()
            if not await self.keeper.settled():
                return
        raise AssertionError("There is no end of what is due.")

    async def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.work()

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
    return Pair(twin, desk, database, clock, reach, keeper, system.id)


async def _chat(database: Database, number: int) -> ChatSession:
    found = await database.command(lambda work: work.use(ChatSessionRepository).load(number))
    assert found is not None
    return found


def _messages(work: Work) -> list[Message]:
    ids = work.connection.execute(message.select().with_only_columns(message.c.id).order_by(message.c.id)).scalars()
    found = [work.use(MessageRepository).get(number) for number in ids]
    return [each for each in found if each is not None]
