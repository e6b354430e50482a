"""A Switchboard that is connected to the AI agents' platform."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from app.connections.model import NewConnection
from app.core.ids import GlobalId
from app.interactions.model import Interaction
from app.interactions.tables import interaction
from app.kinds.agent_session.model import AgentSession
from app.kinds.agent_session.repository import AgentSessionRepository
from app.storage.database import Database, Work
from tests.conftest import ManualClock
from tests.connections.attached import Attached, attach, keeper_of
from tests.connections.conftest import kinds, settings
from tests.kinds.agent_session.upstream.vectara.platform import API, AUTH, CLIENT, KEY, SECRET, Platform

__all__ = ["kinds", "settings"]

CLIENT_CREDENTIALS = f'{{"client_id": "{CLIENT}", "client_secret": "{SECRET}", "token_address": "{AUTH}"}}'
AGS = GlobalId("ags", 1)


@dataclass
class Desk(Attached):
    """The Switchboard, and what it has of the platform or of whatever else stands on the other side."""

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


async def attached(database: Database, clock: ManualClock, client: object, **given: Any) -> Desk:
    """A Switchboard that is connected to whatever takes the requests of this client; nothing has been read yet."""
    new = NewConnection(
        system="VECTARA",
        name="Agents",
        address=API,
        credential=given.pop("credential", KEY),
        settings=given,
    )
    return await kept(database, clock, client, await attach(database, new))


async def kept(database: Database, clock: ManualClock, client: object, connection: int) -> Desk:
    """The same with another keeper, as after a restart."""
    return Desk(database, clock, await keeper_of(database, clock, client, connection), connection)


@pytest.fixture
def platform(clock: ManualClock) -> Platform:
    return Platform(clock)


@pytest.fixture
async def desk(database: Database, clock: ManualClock, platform: Platform) -> Desk:
    return await attached(database, clock, platform)
