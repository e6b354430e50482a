"""Who works here in a bulk load: users, AI agents, channel agents, and topics with their members."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.actor import GENERAL_PERMISSIONS, kind_permissions
from app.demo.people import name_of
from app.directory.model import Channel, User
from app.directory.repository import UserRepository
from app.directory.tables import app_user
from app.kinds.agent_session.model import AiAgent
from app.kinds.agent_session.repository import AiAgentRepository
from app.kinds.chat_session.model.topic import ChatInitialStatus, ChatTopic, ChatTopicMember
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.conversation.model.channel_agent import ChannelAgent
from app.kinds.conversation.repository import ChannelAgentRepository
from app.storage.repository import reserve_ids
from app.storage.work import Work

HISTORY = timedelta(days=730)
"""How far back a bulk load reaches."""

USERS = 50
AI_AGENTS = 20
_CHANNELS = (*(Channel.WHATSAPP,) * 4, *(Channel.WIDGET,) * 3, *(Channel.BRIDGE,) * 3)
_TOPICS = ("Orders", "Billing", "Returns", "Technical help", "Sales", "Partners", "Feedback", "Abroad")


@dataclass(frozen=True, slots=True)
class Line:
    """A channel agent, as far as conversations need to know it."""

    id: int
    channel: Channel


@dataclass(frozen=True, slots=True)
class Desk:
    """A chat topic with the users who may respond in it; surrogates."""

    id: int
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody and everything that interactions of the load refer to; surrogates, and names for messages."""

    now: datetime
    users: tuple[int, ...]
    names: tuple[str, ...]
    ai_agents: tuple[tuple[int, str], ...]
    lines: tuple[Line, ...]
    desks: tuple[Desk, ...]


def hire(work: Work) -> Staff:
    """Store 50 users, 20 AI agents, 10 channel agents on all three channels and 8 topics."""
    since = work.now - HISTORY
    first = reserve_ids(work.connection, app_user, USERS)
    users = [_user(work, first + place, since) for place in range(USERS)]
    work.use(UserRepository).add_many(users)
    numbers = tuple(user.id for user in users)
    return Staff(
        now=work.now,
        users=numbers,
        names=tuple(user.name for user in users),
        ai_agents=tuple(_ai_agent(work, first, place, since) for place in range(AI_AGENTS)),
        lines=tuple(_line(work, first, place, channel, since) for place, channel in enumerate(_CHANNELS)),
        desks=tuple(_desk(work, place, numbers, since) for place in range(len(_TOPICS))),
    )


def _user(work: Work, number: int, since: datetime) -> User:
    first_name, last_name = name_of(number)
    permissions = (*kind_permissions(work.kinds), *GENERAL_PERMISSIONS[:2])
    return User(
        id=number,
        name=first_name,
        login=f"user-{number}",
        full_name=f"{first_name} {last_name}",
        email=f"user-{number}@example.com",
        permissions=permissions if number % 5 else tuple(name for name in permissions if name.endswith(":read")),
        person_id=number,
        present=number % 3 > 0,
        presence_changed_at=work.now - timedelta(minutes=number % 240),
        created_at=since,
        updated_at=since,
    )


def _ai_agent(work: Work, first: int, place: int, since: datetime) -> tuple[int, str]:
    key = f"agt_demo_{first}_{place}"
    name = f"{_TOPICS[place % len(_TOPICS)]} assistant {place + 1}"
    agent = AiAgent(id=0, agent_key=key, name=name, enabled=place % 10 != 9, created_at=since, updated_at=since)
    return work.use(AiAgentRepository).add(agent).id, key


def _line(work: Work, first: int, place: int, channel: Channel, since: datetime) -> Line:
    agent = ChannelAgent(
        channel=channel,
        display_id=f"4915{first:06d}{place:02d}"
        if channel is Channel.WHATSAPP
        else f"{channel.lower()}-{first}-{place}",
        name=f"{channel.capitalize()} {place + 1}",
        in_sync=place != len(_CHANNELS) - 1,
        created_at=since,
        updated_at=since,
    )
    return Line(work.use(ChannelAgentRepository).add(agent).id, channel)


def _desk(work: Work, place: int, users: Sequence[int], since: datetime) -> Desk:
    topics = work.use(ChatTopicRepository)
    bot = place % 2 == 0
    topic = topics.add(
        ChatTopic(
            id=0,
            topic_id=0,
            name=_TOPICS[place],
            welcome_message=f"Welcome to {_TOPICS[place]}! What can we do for you?",
            language="en",
            bot_enabled=bot,
            initial_status=ChatInitialStatus.PRE_CHAT_FORM if place % 3 == 2 else ChatInitialStatus.IN_QUEUE,
            created_at=since,
            updated_at=since,
        )
    )
    members = tuple(users[place :: len(_TOPICS)])
    for number, user in enumerate(members):
        topics.add_member(
            ChatTopicMember(
                id=0,
                topic_id=topic.id,
                user_id=user,
                can_respond=True,
                can_listen=True,
                can_manage=number == 0,
                can_notify=number % 2 == 0,
            )
        )
    return Desk(topic.id, members)
