"""The kind ChatSession, as the registry lists it."""

from app.graph.enums import statuses_of
from app.interactions.kind import InteractionKind
from app.kinds.chat_session.graphql import CHAT_SESSIONS
from app.kinds.chat_session.model.session import ChatSessionStatus
from app.kinds.chat_session.rest import CONTRACT
from app.kinds.chat_session.service.rules import Rules

kind = InteractionKind(
    rules=Rules(),
    description="A live chat of SuperOffice.",
    slice=CHAT_SESSIONS,
    contract=CONTRACT,
    statuses=statuses_of(ChatSessionStatus, "ChatSession"),
    topics={
        "chat_session.erased": "The time for which an ended chat is kept was up.",
        "chat_session.fetched": "A user fetched the chat.",
        "chat_session.offered": "The chat was offered to those who are present now.",
        "chat_session.picked_up": "A user picked the chat up.",
        "chat_session.queued": "The chat was queued.",
        "chat_session.requested": "The chat was requested.",
        "chat_topic.created": "A chat topic was created.",
        "chat_topic.deleted": "A chat topic was deleted.",
        "chat_topic.member_added": "A member was added to a chat topic.",
        "chat_topic.member_removed": "A member was removed from a chat topic.",
        "chat_topic.member_updated": "The rights of a member of a chat topic were changed.",
        "chat_topic.updated": "A chat topic's fields were changed.",
    },
)
