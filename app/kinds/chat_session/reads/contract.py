"""Reads only for the REST contract: a user's chats, later messages."""

from collections.abc import Generator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.interactions.reads.sight import only, seen_by_key
from app.interactions.tables import message
from app.kinds.chat_session.model.session import ENDED, KIND
from app.kinds.chat_session.reads.listing import listed_chats
from app.kinds.chat_session.reads.mapping import SEES
from app.kinds.chat_session.tables import chat_session, chat_topic_member
from app.selection.catalogue import FieldFacts, TypeFacts
from app.selection.mapping import Env, Permissions, Read, RootMany, RootOne, RootSteps

Reading = Generator[Any, Sequence[Any], Mapping[str, object] | None]

MOST_OF_USER = 1_000
_LIMIT = sa.bindparam("limit", type_=sa.Integer)


def _chat(permissions: Permissions) -> sa.Select[Any]:
    found = sa.select(chat_session.c.id).where(
        chat_session.c.chat_session_id == sa.bindparam("chat_session_id", type_=sa.Integer)
    )
    return only(found, seen_by_key(permissions, chat_session.c.id, KIND))


def _messages() -> sa.Select[Any]:
    return (
        sa.select(message.c.id)
        .where(
            message.c.interaction_id == sa.bindparam("chat", type_=sa.BigInteger),
            message.c.id > sa.bindparam("after", type_=sa.BigInteger),
        )
        .order_by(message.c.id)
        .limit(_LIMIT)
    )


def _of_user(permissions: Permissions) -> sa.Select[Any]:
    member = chat_topic_member.c
    topics = sa.select(member.topic_id).where(
        member.user_id == sa.bindparam("user_id", type_=sa.BigInteger),
        sa.or_(member.can_respond, member.can_listen, member.can_manage, member.can_notify),
    )
    ended = [sa.literal_column(f"'{status}'", sa.Text) for status in sorted(ENDED)]
    found = sa.select(chat_session.c.id).where(chat_session.c.topic_id.in_(topics), chat_session.c.status.not_in(ended))
    seen = only(found, seen_by_key(permissions, chat_session.c.id, KIND))
    return seen.order_by(chat_session.c.id.desc()).limit(_LIMIT)


def _messages_of_chat(read: Read, _env: Env, arguments: Mapping[str, Any]) -> Reading:
    """The messages, oldest first. None for a chat that does not exist."""
    rows = yield read.query("chat", lambda: _chat(read.permissions), chat_session_id=arguments["chat_session_id"])
    if not rows:
        return None
    page = {name: arguments[name] for name in ("after", "limit")}
    found = yield read.query("messages", _messages, chat=rows[0][0], **page)
    return {"messages": [row[0] for row in found]}


def _chats_of_user(read: Read, env: Env, _arguments: Mapping[str, Any]) -> Reading:
    """The chats of the topics that the caller is a member of, except ended ones; newest first."""
    found = yield read.query(
        "of user", lambda: _of_user(read.permissions), user_id=env.actor.user_id, limit=MOST_OF_USER
    )
    return {"chats": [row[0] for row in found]}


CONTRACT_ROOTS: Mapping[str, RootOne | RootMany | RootSteps] = MappingProxyType(
    {
        "chatContractMessages": RootSteps("ChatContractMessages", _messages_of_chat, requires=SEES),
        "chatContractMine": RootSteps("ChatContractChats", _chats_of_user, requires=SEES),
        "chatContractList": RootSteps("ChatContractChats", listed_chats, requires=SEES),
    }
)

CONTRACT_TYPES: Mapping[str, TypeFacts] = MappingProxyType(
    {
        "ChatContractMessages": TypeFacts({"messages": FieldFacts("Message", nullable=False, many=True)}),
        "ChatContractChats": TypeFacts({"chats": FieldFacts("ChatSession", nullable=False, many=True)}),
    }
)
