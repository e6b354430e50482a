"""A Switchboard that is connected to the AI agents' platform."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import pytest

from app.connections.keeper import LEASE, Keeper, KeeperLimits
from app.connections.model import NewConnection
from app.connections.model.outbox import Entry
from app.connections.reach import Bucket, SystemReach
from app.connections.repository import ConnectedSystemRepository
from app.connections.repository.outbox import OutboxRepository
from app.connections.service import create_connection, standings
from app.connections.tables import outbox
from app.core.ids import GlobalId
from app.interactions.messages import Message
from app.interactions.model import Interaction
from app.interactions.repository.messages import MessageRepository
from app.interactions.tables import interaction, message
from app.kinds.agent_session.model import AgentSession
from app.kinds.agent_session.repository import AgentSessionRepository
from app.outbound import OutboundClient
from app.registry import CONNECTORS
from app.storage.database import Database, Work
from app.storage.leases import take_lease
from tests.conftest import ManualClock
from tests.connections.conftest import ADA, kinds, settings
from tests.kinds.agent_session.upstream.vectara.platform import API, AUTH, CLIENT, KEY, SECRET, Platform
from tests.kinds.conftest import store_users

__all__ = ["kinds", "settings"]

CLIENT_CREDENTIALS = f'{{"client_id": "{CLIENT}", "client_secret": "{SECRET}", "token_address": "{AUTH}"}}'
AGS = GlobalId("ags", 1)

Run = Callable[..., Awaitable[Any]]


@dataclass
class Desk:
    """The Switchboard, and the platform or whatever else stands on the other side."""

    database: Database
    clock: ManualClock
    keeper: Keeper
    connection: int

    @property
    def run(self) -> Run:
        return self.database.command

    async def sync(self, times: int = 1) -> None:
        """Do all that is due, read what has changed, and walk."""
        for _ in range(times):
            self.keeper.poll_now()
            await self.work()

    async def walk(self) -> None:
        """Walk once more, an hour later."""
        self.clock.advance(3_600)
        self.keeper._walk_at = 0.0
        await self.sync()

    async def work(self) -> None:
        """Do all that is due now."""
        await self.database.command(take_lease, self.keeper.lease, "tests", LEASE)
        for _ in range(60):
            await self.keeper.step()
            if not await self.keeper.settled():
                return
        raise AssertionError("There is no end of what is due.")

    async def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.work()

    async def session(self, number: int = 1) -> AgentSession:
        found = await self.run(lambda work: work.use(AgentSessionRepository).load(number))
        assert isinstance(found, AgentSession)
        return found

    async def keys(self) -> list[str]:
        """The keys of the sessions that are here."""

        def read(work: Work) -> list[str]:
            numbers = work.connection.execute(interaction.select().with_only_columns(interaction.c.id)).scalars()
            found = [work.use(AgentSessionRepository).load(number) for number in numbers]
            return sorted(each.agent_session_key for each in found if isinstance(each, Interaction))

        return cast("list[str]", await self.run(read))

    async def messages(self) -> list[Message]:
        def read(work: Work) -> list[Message]:
            numbers = work.connection.execute(message.select().with_only_columns(message.c.id).order_by(message.c.id))
            found = [work.use(MessageRepository).get(number) for number in numbers.scalars()]
            return [each for each in found if each is not None]

        return cast("list[Message]", await self.run(read))

    async def said(self) -> list[tuple[str, str | None]]:
        """Author and text of each message."""
        return [(each.author.value, each.text) for each in await self.messages()]

    async def entries(self) -> list[Entry]:
        def read(work: Work) -> list[Entry]:
            numbers = work.connection.execute(outbox.select().with_only_columns(outbox.c.id).order_by(outbox.c.id))
            found = [work.use(OutboxRepository).get(number) for number in numbers.scalars()]
            return [each for each in found if each is not None]

        return cast("list[Entry]", await self.run(read))

    async def queue(self) -> list[tuple[str, str]]:
        """Action and state of each entry."""
        return [(each.action, each.state.value) for each in await self.entries()]

    async def stands(self) -> tuple[str, str | None]:
        """State and error of the connection."""
        (found,) = await self.run(standings)
        error = found.standing.error(self.clock.now)
        return found.standing.state(self.clock.now).value, None if error is None else error.value


async def attached(database: Database, clock: ManualClock, client: object, **given: Any) -> Desk:
    """A Switchboard that is connected to whatever takes the requests of this client; nothing has been read yet."""
    await database.command(store_users)
    new = NewConnection(
        system="VECTARA",
        name="Agents",
        address=API,
        credential=given.pop("credential", KEY),
        settings=given,
    )
    made = await database.command(create_connection, ADA, CONNECTORS, new)
    return await kept(database, clock, client, made.system.id)


async def kept(database: Database, clock: ManualClock, client: object, connection: int) -> Desk:
    """The same with another keeper, as after a restart."""

    def read(work: Work) -> Any:
        system = work.use(ConnectedSystemRepository).get(connection)
        assert system is not None
        assert system.credential is not None
        return system, work.settings.sealer.unseal(system.credential)

    system, credential = await database.command(read)
    remote = CONNECTORS["VECTARA"].remote
    assert remote is not None

    async def no_sleep(_seconds: float) -> None:
        """Nobody waits: time goes on with each look at it."""

    bucket = Bucket(count(0.0, 10.0).__next__, no_sleep)
    access = remote.access(system.address, credential, clock)
    reach = SystemReach(cast("OutboundClient", client), clock, bucket, access, system.settings)
    keeper = Keeper(database, clock, system, remote, reach, "tests", KeeperLimits())
    return Desk(database, clock, keeper, connection)


@pytest.fixture
def platform(clock: ManualClock) -> Platform:
    return Platform(clock)


@pytest.fixture
async def desk(database: Database, clock: ManualClock, platform: Platform) -> Desk:
    return await attached(database, clock, platform)
