"""A Switchboard that is connected to the messaging bot by text message."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from app.connections.model import ConnectedSystem, NewConnection
from app.connections.repository import ConnectedSystemRepository
from app.connections.runner import Runner
from app.connections.service import Verdict, accept
from app.core.ids import GlobalId
from app.kinds.session.model import Session
from app.kinds.session.repository import SessionRepository
from app.registry import CONNECTORS
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.connections.attached import Attached, attach, keeper_of
from tests.connections.conftest import NOBODY, kinds, settings
from tests.kinds.session.upstream.dirty_lemon.lemon import API, TOKEN, Lemon

__all__ = ["kinds", "settings"]

SES = GlobalId("ses", 1)
SECRET = "whsec_" + "A" * 32


@dataclass
class Desk(Attached):
    """The Switchboard, and what it has of the bot."""

    async def session(self, number: int = 1) -> Session:
        found = await self.run(lambda work: work.use(SessionRepository).load(number))
        assert isinstance(found, Session)
        return found

    async def offer(self, body: str, authorization: str = f"Bearer {SECRET}") -> Verdict:
        """The bot tells of an event; what became of it, after what is due was applied."""
        system = cast(
            "ConnectedSystem",
            await self.run(lambda work: work.use(ConnectedSystemRepository).get(self.connection)),
        )
        headers = {"authorization": authorization}
        verdict = await self.run(accept, NOBODY, CONNECTORS, f"con_{self.connection}", system.token, headers, body)
        while await Runner(self.database, CONNECTORS, self.clock, "tests").step():
            pass
        return cast("Verdict", verdict)


async def attached(database: Database, clock: ManualClock, client: object, **given: Any) -> Desk:
    """A Switchboard that is connected to whatever takes the requests of this client; nothing has been read yet."""
    new = NewConnection(
        system="DIRTY_LEMON",
        name="Bot",
        address=API,
        credential=given.pop("credential", TOKEN),
        secret=SECRET,
        settings=given,
    )
    connection = await attach(database, new)
    return Desk(database, clock, await keeper_of(database, clock, client, connection), connection)


@pytest.fixture
def lemon(clock: ManualClock) -> Lemon:
    return Lemon(clock)


@pytest.fixture
async def desk(database: Database, clock: ManualClock, lemon: Lemon) -> Desk:
    return await attached(database, clock, lemon)
