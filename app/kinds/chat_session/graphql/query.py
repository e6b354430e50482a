"""The root fields of chats and topics."""

import strawberry

from app.graph.fields import PAGING, Connection, argument, root
from app.kinds.chat_session.graphql.types import ChatSession, ChatTopic


@strawberry.type
class ChatSessionQuery:
    chat_session: ChatSession | None = root(
        description="The chat with the number in its system. Needs `chat_session:read`.",
        chat_session_id=argument(int, "The number of the chat in its own system."),
    )
    chat_queue: Connection[ChatSession] | None = root(
        description="The chats that wait to be picked up, the most urgent first, then the longest waiting. Needs "
        "`chat_session:read`.",
        topic_id=argument(int | None, "The number of the topic of the chats in its own system; null is any."),
        **PAGING,
    )
    chat_topic: ChatTopic | None = root(
        description="The chat topic with an id. Needs `chat_session:read`.",
        id=argument(strawberry.ID, "The id of the topic."),
    )
    chat_topics: Connection[ChatTopic] | None = root(
        description="The chat topics, in the order in which they were made. Needs `chat_session:read`.", **PAGING
    )
