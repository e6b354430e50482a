"""A Switchboard that is connected to a stand-in for another system, and what its tests do with it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from app.connections.keeper import LEASE, Keeper, KeeperLimits
from app.connections.model import NewConnection
from app.connections.model.outbox import Entry
from app.connections.reach import Bucket, SystemReach
from app.connections.repository import ConnectedSystemRepository
from app.connections.repository.outbox import OutboxRepository
from app.connections.service import create_connection, standings
from app.connections.tables import outbox
from app.interactions.messages import Message
from app.interactions.repository.messages import MessageRepository
from app.interactions.tables import message
from app.outbound import OutboundClient
from app.registry import CONNECTORS
from app.storage.database import Database, Work
from app.storage.leases import take_lease
from tests.conftest import ManualClock
from tests.connections.conftest import ADA
from tests.kinds.conftest import store_users
from tests.kinds.rest import House

Run = Callable[..., Awaitable[Any]]


@dataclass
class Attached:
    """The Switchboard, and the platform or whatever else stands on the other side."""

    database: Database
    clock: ManualClock
    keeper: Keeper
    connection: int
    most_steps: ClassVar[int] = 60
    """How many times something may be due in a row."""

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
        self.keeper.walker.now()
        await self.sync()

    async def work(self) -> None:
        """Do all that is due now."""
        await self.database.command(take_lease, self.keeper.lease, "tests", LEASE)
        for _ in range(self.most_steps):
            await self.keeper.step()
            if not await self.keeper.settled():
                return
        raise AssertionError("There is no end of what is due.")

    async def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.work()

    async def messages(self) -> list[Message]:
        return await messages_of(self.database)

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


@dataclass
class Twinned(Attached):
    """One whose other side is a Switchboard too."""

    twin: House

    async def messages(self, *, there: bool = False) -> list[Message]:
        return await messages_of(self.twin.database if there else self.database)

    async def texts(self, *, there: bool = False) -> list[str | None]:
        return [each.text for each in await self.messages(there=there)]


async def messages_of(database: Database) -> list[Message]:
    """All messages of a Switchboard, the oldest first."""

    def read(work: Work) -> list[Message]:
        numbers = work.connection.execute(message.select().with_only_columns(message.c.id).order_by(message.c.id))
        found = [work.use(MessageRepository).get(number) for number in numbers.scalars()]
        return [each for each in found if each is not None]

    return await database.command(read)


async def attach(database: Database, new: NewConnection) -> int:
    """Make the connection, beside the users of the kinds' tests; its surrogate. Nothing has been read yet."""
    await database.command(store_users)
    return (await database.command(create_connection, ADA, CONNECTORS, new)).system.id


async def keeper_of(database: Database, clock: ManualClock, client: object, connection: int) -> Keeper:
    """A keeper of the connection whose requests the client takes."""

    def read(work: Work) -> Any:
        system = work.use(ConnectedSystemRepository).get(connection)
        assert system is not None
        assert system.credential is not None
        return system, work.settings.sealer.unseal(system.credential)

    system, credential = await database.command(read)
    remote = CONNECTORS[system.system].remote
    assert remote is not None

    slept = [0.0]

    async def no_sleep(seconds: float) -> None:
        slept[0] += seconds

    bucket = Bucket(lambda: clock.now.timestamp() + slept[0], no_sleep)
    access = remote.access(system.address, credential, clock)
    reach = SystemReach(cast("OutboundClient", client), clock, bucket, access, system.settings)
    return Keeper(database, clock, system, remote, reach, "tests", KeeperLimits())
