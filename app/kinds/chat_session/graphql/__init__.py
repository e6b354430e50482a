"""Chats, topics and their members in the graph."""

import strawberry

from app.graph.fields import edge
from app.graph.slice import Addition, Slice
from app.interactions.graphql import Message
from app.interactions.graphql.commands import viewer_may
from app.kinds.chat_session.graphql.enums import ChatMessageSpecialType, ChatMessageType
from app.kinds.chat_session.graphql.query import ChatSessionQuery
from app.kinds.chat_session.graphql.sessions import ChatSessionMutation
from app.kinds.chat_session.graphql.topics import ChatTopicMutation
from app.kinds.chat_session.graphql.types import ChatSession, ChatTopic, ChatTopicMember
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.reads import MAPPINGS, MESSAGE_TYPE, ROOTS, SPECIAL_TYPE

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


CHAT_SESSIONS = Slice(
    query=ChatSessionQuery,
    mutation=_Mutation,
    types=(ChatSession,),
    mappings=MAPPINGS,
    roots=ROOTS,
    additions=(
        *viewer_may(
            {
                ChatCommand.TRANSFER: "offer the interaction to another user",
                ChatCommand.CANCEL_TRANSFER: "withdraw the offer",
                ChatCommand.ACCEPT_TRANSFER: "accept the offer",
                ChatCommand.REJECT_TRANSFER: "reject the offer",
                ChatCommand.RESET: "send the interaction back to its queue",
                ChatCommand.RATE: "record the customer's rating",
            }
        ),
        Addition(
            to=Message,
            name="message_type",
            gives=ChatMessageType | None,
            field=edge(description="The type of the message in a ChatSession."),
            mapping=MESSAGE_TYPE,
        ),
        Addition(
            to=Message,
            name="special_type",
            gives=ChatMessageSpecialType | None,
            field=edge(description="The special type of the message in a ChatSession."),
            mapping=SPECIAL_TYPE,
        ),
    ),
)
"""What chats add to the graph."""
