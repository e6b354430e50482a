"""Maps chats and topics to the tables."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.connections.reads import CANNOT, IS_DOWN
from app.core.actor import Actor
from app.core.errors import DomainError
from app.directory.tables import app_user
from app.interactions.holders import is_admin, works_on
from app.interactions.model import AnyCommand, ReplyBlock
from app.interactions.reads.assignable import ASSIGNABLE
from app.interactions.reads.sight import seen_by_key
from app.interactions.reads.viewing import DOWN, viewer_can
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.refusals import VIEWER_COLUMNS, Subject, refusal, reply_block
from app.kinds.chat_session.model.rights import FieldProperty, TableRight, field_properties, table_right
from app.kinds.chat_session.model.session import KIND, MASK, PREFIX, ChatSessionStatus
from app.kinds.chat_session.tables import chat_session, chat_topic, chat_topic_member
from app.selection.mapping import (
    SOME,
    Column,
    Computed,
    Embedded,
    Env,
    Many,
    Mapped,
    ObjectMap,
    One,
    Order,
    Permissions,
    Root,
    RootMany,
    Scope,
    Sql,
    TypeMap,
    by_columns,
    by_id,
    equals,
    keyed,
)

if TYPE_CHECKING:
    from app.settings import Settings

READ = f"{KIND}:read"
SEES = f"{READ}{SOME}"
TOPIC_PREFIX = "top"
MEMBER_PREFIX = "tpm"

_OLDEST = {"OLDEST": Order(lambda scope: (scope.c.id,))}
_QUEUE = {"QUEUE": Order(lambda scope: (scope.c.attention_level, scope.c.attention_since, scope.c.id))}
_IN_QUEUE = sa.literal_column(f"'{ChatSessionStatus.IN_QUEUE}'", sa.Text)


def _topic_number(scope: Scope) -> Sql:
    found = sa.select(chat_topic.c.topic_id).where(chat_topic.c.id == scope.c.topic_id)
    return found.correlate(scope.c.topic_id.table).scalar_subquery()


def _responders(scope: Scope) -> Sql:
    found = sa.select(chat_topic.c.responders).where(chat_topic.c.id == scope.c.topic_id)
    return found.correlate(scope.c.topic_id.table).scalar_subquery()


def _may_take(user: Scope, key: Any) -> Sql:
    """Who may take the chat: as for every interaction, and in addition only the topic's responders, if it has any, or
    an admin."""
    chat, of_topic = chat_session.alias("taken_chat"), chat_topic_member.alias("responder")
    responders = (
        sa.select(of_topic.c.user_id)
        .join_from(chat, of_topic, of_topic.c.topic_id == chat.c.topic_id)
        .where(chat.c.id == key, of_topic.c.can_respond)
        .correlate_except(chat, of_topic)
    )
    of_them = responders.where(of_topic.c.user_id == user.c.id).exists()
    return sa.and_(ASSIGNABLE.by(user, key), sa.or_(is_admin(user.c), of_them, sa.not_(responders.exists())))


def _waiting(permissions: Permissions, scope: Scope) -> Sql:
    """How many chats wait in the topic's queue, among those that the caller sees."""
    within = seen_by_key(permissions, chat_session.c.id, KIND)
    found = (
        sa.select(sa.func.count())
        .select_from(chat_session)
        .where(chat_session.c.topic_id == scope.c.id, chat_session.c.status == _IN_QUEUE)
    )
    found = found if isinstance(within, bool) else found.where(within)
    return found.correlate(scope.c.id.table).scalar_subquery()


def _present(scope: Scope) -> Sql:
    """Whether chats may be offered to the member."""
    there = sa.and_(app_user.c.present, works_on(app_user.c, KIND))
    found = sa.select(app_user.c.id).where(app_user.c.id == scope.c.user_id, there)
    return found.correlate(scope.c.user_id.table).exists()


def _ongoing(permissions: Permissions, scope: Scope) -> Sql:
    """How many active chats the member has, in any topic, among those that the caller sees."""
    within = seen_by_key(permissions, chat_session.c.id, KIND)
    found = sa.select(sa.func.count()).select_from(chat_session).where(chat_session.c.rank_user_id == scope.c.user_id)
    found = found if isinstance(within, bool) else found.where(within)
    return found.correlate(scope.c.user_id.table).scalar_subquery()


def _refusal(
    command: AnyCommand, subject: Subject, actor: Actor, now: datetime, _settings: "Settings"
) -> DomainError | None:
    return refusal(command, subject, actor, now)


def _block(subject: Subject, actor: Actor, now: datetime, _settings: "Settings") -> ReplyBlock | None:
    return reply_block(subject, actor, now)


def _table_right(env: Env, status: str, team_id: int, holder: int | None) -> TableRight:
    return table_right(status, may_write=env.actor.may_write(KIND, team_id, holder))


def _field_properties(env: Env, status: str, team_id: int, holder: int | None) -> list[FieldProperty]:
    return field_properties(status, may_write=env.actor.may_write(KIND, team_id, holder))


_OF_RIGHTS = ("status", "team_id", "assignee_id")


MAPPINGS: tuple[Mapped, ...] = (
    TypeMap(
        "ChatSession",
        chat_session,
        prefix=PREFIX,
        base="Interaction",
        value=KIND,
        fields={
            "topicId": Column(_topic_number),
            "topic": One("ChatTopic", lambda scope: scope.c.topic_id),
            "user": One("User", lambda scope: scope.c.assignee_id),
            "transferTo": One("User", lambda scope: scope.c.transfer_to_id),
            "chatbotIsActive": Column(lambda scope: scope.c.bot_active),
            "sessionKey": Column(lambda _scope: sa.literal_column(f"'{MASK}'", sa.Text)),
            "person": Embedded("PersonReference", lambda scope: scope.c.person),
            "contact": Embedded("ContactReference", lambda scope: scope.c.contact),
            "project": Embedded("ProjectReference", lambda scope: scope.c.project),
            "sale": Embedded("SaleReference", lambda scope: scope.c.sale),
            "ticket": Embedded("TicketReference", lambda scope: scope.c.ticket),
            "tableRight": Computed(_OF_RIGHTS, _table_right, type="TableRight", personal=True),
            "fieldProperties": Computed(_OF_RIGHTS, _field_properties, type="FieldProperty", many=True, personal=True),
            "assignableUsers": replace(ASSIGNABLE, by=_may_take),
            "viewerCan": viewer_can(
                _refusal,
                _block,
                {
                    **{name: name for name in VIEWER_COLUMNS},
                    "responders": _responders,
                    "cannot": CANNOT,
                    DOWN: IS_DOWN,
                },
                ChatCommand,
            ),
        },
        requires=SEES,
    ),
    *(
        ObjectMap(name)
        for name in (
            "PersonReference",
            "ContactReference",
            "ProjectReference",
            "SaleReference",
            "TicketReference",
            "TableRight",
            "FieldProperty",
            "OpeningHours",
        )
    ),
    TypeMap(
        "ChatTopic",
        chat_topic,
        prefix=TOPIC_PREFIX,
        fields={
            "openingHours": Embedded("OpeningHours", lambda scope: scope.c.opening_hours, many=True),
            "queueLength": Column(lambda scope: _waiting(None, scope), seen=_waiting),
            "members": Many("ChatTopicMember", keyed("topic_id"), _OLDEST, "OLDEST", inherits=True),
        },
        requires=SEES,
    ),
    TypeMap(
        "ChatTopicMember",
        chat_topic_member,
        prefix=MEMBER_PREFIX,
        fields={
            "topic": One("ChatTopic", lambda scope: scope.c.topic_id),
            "user": One("User", lambda scope: scope.c.user_id),
            "present": Column(_present),
            "ongoingChats": Column(lambda scope: _ongoing(None, scope), seen=_ongoing),
        },
        requires=SEES,
    ),
)

MESSAGE_TYPE = Column(lambda scope: scope.c.message_type)
SPECIAL_TYPE = Column(lambda scope: scope.c.special_type)
"""The chat-specific fields of a message."""

ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "chatSession": by_columns("ChatSession", requires=SEES, chat_session_id="chat_session_id"),
        "chatQueue": RootMany(
            "ChatSession",
            _QUEUE,
            "QUEUE",
            filters={"topic_id": equals(_topic_number, sa.Integer)},
            where=lambda scope: scope.c.status == _IN_QUEUE,
            requires=SEES,
        ),
        "chatTopic": by_id("ChatTopic", TOPIC_PREFIX, requires=SEES),
        "chatTopics": RootMany("ChatTopic", _OLDEST, "OLDEST", requires=SEES),
    }
)
