"""The chats' part of the graph: chats, topics and their members."""

import strawberry

from app.kinds.chat_session.graphql.enums import ChatMessageSpecialType, ChatMessageType
from app.kinds.chat_session.graphql.query import ChatSessionQuery
from app.kinds.chat_session.graphql.sessions import ChatSessionMutation
from app.kinds.chat_session.graphql.topics import ChatTopicMutation
from app.kinds.chat_session.graphql.types import ChatSession, ChatTopic, ChatTopicMember
from app.kinds.chat_session.repository import MAPPINGS, ROOTS
from app.transport.slice import Slice

__all__ = (
    "CHAT_SESSIONS",
    "ChatMessageSpecialType",
    "ChatMessageType",
    "ChatSession",
    "ChatTopic",
    "ChatTopicMember",
)


@strawberry.type
class _Mutation(ChatSessionMutation, ChatTopicMutation):
    pass


CHAT_SESSIONS = Slice(query=ChatSessionQuery, mutation=_Mutation, types=(ChatSession,), mappings=MAPPINGS, roots=ROOTS)
"""What chats add to the graph."""
