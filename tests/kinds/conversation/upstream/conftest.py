"""An HTTP source, and what its deliveries made of conversations."""

from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from app.core.ids import GlobalId
from app.interactions.messages import Message
from app.interactions.repository.messages import MessageRepository
from app.interactions.tables import message
from app.kinds.conversation.model.conversation import Conversation
from app.kinds.conversation.repository import ConversationRepository
from app.storage.database import Database, Work
from app.storage.event_log import event_log
from tests.conftest import ManualClock
from tests.connections.conftest import Source, connect, kinds, settings
from tests.kinds.conftest import store_users

__all__ = ["kinds", "settings"]


@pytest.fixture
async def source(database: Database, clock: ManualClock) -> Source:
    await database.command(store_users)
    return await connect(database, clock)


@dataclass
class Seen:
    """What there is of interactions and messages."""

    database: Database

    async def conversation(self, number: int = 1) -> Conversation:
        found = await self.database.command(lambda work: work.use(ConversationRepository).load(number))
        assert found is not None
        return found

    async def messages(self) -> list[Message]:
        def read(work: Work) -> list[Message]:
            ids = work.connection.execute(sa.select(message.c.id).order_by(message.c.id)).scalars().all()
            found = [work.use(MessageRepository).get(number) for number in ids]
            return [each for each in found if each is not None]

        return await self.database.command(read)

    async def ref(self, place: int) -> str:
        """The global id of a message by its place."""
        return str(GlobalId("msg", (await self.messages())[place].id))

    async def topics(self) -> list[str]:
        """The topics about conversations, in the order of their lane."""

        def read(work: Work) -> list[str]:
            found = sa.select(event_log.c.topic).where(event_log.c.interaction_id.is_not(None))
            return list(work.connection.execute(found.order_by(event_log.c.lane, event_log.c.position)).scalars())

        return await self.database.command(read)


@pytest.fixture
def seen(database: Database) -> Seen:
    return Seen(database)
