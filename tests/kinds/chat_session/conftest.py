"""Chat topics and who answers in them; every unit knows chats alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.actor import Actor
from app.core.ids import GlobalId
from app.directory.model import User
from app.directory.repository import UserRepository
from app.interactions.messages import Message
from app.interactions.repository.messages import MessageRepository
from app.interactions.tables import message
from app.kinds.chat_session.model.session import PREFIX, ChatSession
from app.kinds.chat_session.model.topic import ChatInitialStatus, ChatTopic, ChatTopicMember
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.kinds.chat_session.service.requests import Request, request_chat_session
from app.kinds.chat_session.service.rules import Rules
from app.storage.database import Database, Work
from app.storage.event_log import event_log
from tests.conftest import START
from tests.kinds.conftest import BO, store_customer, store_users
from tests.remembering import remembered

EVE = Actor(user_id=5, name="Eve", permissions=BO.permissions)
"""Present, and a responder of sales."""
FAY = Actor(user_id=6, name="Fay", permissions=BO.permissions)
"""Not present, and a responder of sales."""
GUS = Actor(user_id=7, name="Gus", permissions=BO.permissions)
"""Present, and a listener of sales."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the tests start from: topics by the contract's number, and a customer's surrogate.

    `open` has neither members nor a welcome message. BO, EVE and FAY respond in `sales`; BO and EVE are present."""

    open: int
    sales: int
    form: int
    faq: int
    bot: int
    ana: int


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    return {"chat_session": Rules()}


@pytest.fixture
async def desk(database: Database) -> Desk:
    """Users, topics, members and a customer."""
    return await database.command(furnish)


@remembered
def furnish(work: Work) -> Desk:
    """Store users, topics, members and a customer."""
    store_users(work)
    users, topics = work.use(UserRepository), work.use(ChatTopicRepository)
    for actor in (EVE, FAY, GUS):
        permissions = tuple(sorted(actor.permissions))
        users.add(
            User(
                id=0,
                name=actor.name,
                login=actor.name.lower(),
                permissions=permissions,
                created_at=START,
                updated_at=START,
            )
        )
    for actor in (BO, EVE, GUS):
        user = users.get(actor.user_id)
        assert user is not None
        users.set_presence(user, present=True, at=START)
    sales = _topic(work, "Sales", welcome_message="Welcome to sales!")
    for actor in (BO, EVE, FAY):
        topics.add_member(ChatTopicMember(id=0, topic_id=sales.id, user_id=actor.user_id, can_respond=True))
    topics.add_member(ChatTopicMember(id=0, topic_id=sales.id, user_id=GUS.user_id, can_listen=True))
    return Desk(
        open=_topic(work, "Open").topic_id,
        sales=sales.topic_id,
        form=_topic(work, "Form", initial_status=ChatInitialStatus.PRE_CHAT_FORM).topic_id,
        faq=_topic(work, "Faq", initial_status=ChatInitialStatus.FAQ).topic_id,
        bot=_topic(work, "Bot", bot_enabled=True).topic_id,
        ana=store_customer(work, customer_key="ana", system="CHAT_SESSION", name="Ana"),
    )


def _topic(work: Work, name: str, **given: Any) -> ChatTopic:
    topic = ChatTopic(id=0, topic_id=0, name=name, created_at=START, updated_at=START, **given)
    return work.use(ChatTopicRepository).add(topic)


async def request(database: Database, topic_id: int, **given: Any) -> GlobalId:
    """A new chat in the topic."""
    opened: Request = await database.command(request_chat_session, BO, topic_id, given)
    return GlobalId(PREFIX, opened.id)


async def stored(database: Database, ref: GlobalId) -> ChatSession:
    """The chat as it is kept."""
    found = await database.command(lambda work: work.use(ChatSessionRepository).load(ref.number))
    assert found is not None
    return found


async def messages(database: Database, ref: GlobalId) -> list[Message]:
    """The chat's messages in their order."""

    def read(work: Work) -> list[Message]:
        statement = sa.select(message.c.id).where(message.c.interaction_id == ref.number).order_by(message.c.id)
        found = [work.use(MessageRepository).get(row[0]) for row in work.connection.execute(statement)]
        return [each for each in found if each is not None]

    return await database.command(read)


async def topics(database: Database, ref: GlobalId) -> list[str]:
    """What the log tells of the chat, in its order."""
    statement = (
        sa.select(event_log.c.topic).where(event_log.c.interaction_id == ref.number).order_by(event_log.c.position)
    )
    return await database.command(lambda work: [row[0] for row in work.connection.execute(statement)])


async def event_count(database: Database) -> int:
    """How many events there are."""
    statement = sa.select(sa.func.count()).select_from(event_log)
    return await database.command(lambda work: int(work.connection.execute(statement).scalar_one()))
