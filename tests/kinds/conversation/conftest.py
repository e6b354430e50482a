"""Channel agents and customers; every unit knows Conversations alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.errors import DomainError
from app.core.ids import GlobalId
from app.directory.model import Channel, Gender, Profile, User
from app.directory.repository import ProfileRepository, UserRepository
from app.interactions.messages import Message
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.messages import Posted, receive_message
from app.kinds.conversation.model.channel_agent import ChannelAgent
from app.kinds.conversation.model.conversation import PREFIX, Conversation
from app.kinds.conversation.repository import ChannelAgentRepository, ConversationRepository
from app.kinds.conversation.service.rules import Rules
from app.storage.database import Database, Work
from app.storage.event_log import event_log
from tests.conftest import START
from tests.kinds.conftest import BO, store_customer, store_users
from tests.remembering import remembered

IVO = 5
"""A user who is not active any more."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the tests start from: channel agents and customers, one of them blocked."""

    whatsapp: int
    widget: int
    bridge: int
    apart: int
    ana: int
    wim: int
    bea: int
    blocked: int
    blocked_profile: int


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    return {"conversation": Rules()}


@pytest.fixture
async def desk(database: Database) -> Desk:
    """The users of every kind's tests, and one who has left; channel agents; customers."""
    return await database.command(furnish)


@remembered
def furnish(work: Work) -> Desk:
    store_users(work)
    work.use(UserRepository).add(User(id=0, name="Ivo", login="ivo", active=False, created_at=START, updated_at=START))
    blocked = work.use(ProfileRepository).add(
        Profile(id=0, name="Bad", gender=Gender.UNDISCLOSED, blocked=True, created_at=START, updated_at=START)
    )
    return Desk(
        whatsapp=_agent(work, Channel.WHATSAPP, "4915223567929"),
        widget=_agent(work, Channel.WIDGET, "shop"),
        bridge=_agent(work, Channel.BRIDGE, "bridge-1"),
        apart=_agent(work, Channel.WHATSAPP, "4915200000000", in_sync=False),
        ana=_customer(work, Channel.WHATSAPP, "4915100000001", "Ana"),
        wim=_customer(work, Channel.WIDGET, "visitor-1", "Wim"),
        bea=_customer(work, Channel.BRIDGE, "bridge-customer-1", "Bea"),
        blocked=_customer(work, Channel.WHATSAPP, "4915100000002", "Bad", blocked.id),
        blocked_profile=blocked.id,
    )


def _agent(work: Work, channel: Channel, display_id: str, *, in_sync: bool = True) -> int:
    agent = ChannelAgent(
        channel=channel,
        display_id=display_id,
        name=f"{channel} account",
        in_sync=in_sync,
        created_at=START,
        updated_at=START,
    )
    return work.use(ChannelAgentRepository).add(agent).id


def _customer(work: Work, channel: Channel, display_id: str, name: str, profile_id: int | None = None) -> int:
    return store_customer(
        work,
        customer_key=f"conversation-{display_id}",
        system="CONVERSATION",
        channel=channel,
        display_id=display_id,
        name=name,
        profile_id=profile_id,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """An event, as far as the tests look at it."""

    topic: str
    actor_id: int | None
    level_before: int | None
    level_after: int | None


async def told(database: Database) -> list[Told]:
    """Every event so far, in the order of the log; a test has one interaction, so one lane."""
    columns = (event_log.c.topic, event_log.c.actor_id, event_log.c.level_before, event_log.c.level_after)
    order = (event_log.c.lane, event_log.c.position)

    def read(work: Work) -> list[Told]:
        return [Told(*row) for row in work.connection.execute(sa.select(*columns).order_by(*order))]

    return await database.command(read)


def ref(number: int) -> GlobalId:
    return GlobalId(PREFIX, number)


async def receive(database: Database, customer: int, agent: int) -> Posted:
    """The customer writes to the channel agent, as Bo hands it in."""
    target = {"kind": "conversation", "customer_id": customer, "channel_agent_id": agent}
    return await database.command(receive_message, BO, target, [{"type": "text", "content": "Where is my parcel?"}])


def _stored(work: Work, number: int) -> Conversation | None:
    return work.use(ConversationRepository).load(number)


async def stored(database: Database, number: int) -> Conversation:
    """The conversation as it is in the database."""
    found = await database.command(_stored, number)
    assert found is not None
    return found


def _message(work: Work, number: int) -> Message | None:
    return work.use(MessageRepository).get(number)


async def message(database: Database, number: int) -> Message:
    """The message as it is in the database."""
    found = await database.command(_message, number)
    assert found is not None
    return found


async def refused(
    database: Database, conversation: int, error: type[DomainError], *args: Any, **given: Any
) -> DomainError:
    """Expect the refusal of a command, and that it left no trace."""
    before, events = await stored(database, conversation), await told(database)
    with pytest.raises(error) as caught:
        await database.command(*args, **given)
    assert await stored(database, conversation) == before
    assert await told(database) == events
    return caught.value
