"""The kind, as the registry lists it."""

from app.graph.enums import statuses_of
from app.interactions.graphql.targets import Target
from app.interactions.kind import InteractionKind
from app.kinds.chat_session.graphql import CHAT_SESSIONS
from app.kinds.chat_session.model.session import ChatSessionStatus
from app.kinds.chat_session.rest import CONTRACT
from app.kinds.chat_session.service.rules import Rules
from app.kinds.chat_session.upstream import CONNECTORS

kind = InteractionKind(
    rules=Rules(),
    description="A live chat of SuperOffice.",
    customers="The live chat. Its exchanges are ChatSessions.",
    slice=CHAT_SESSIONS,
    contract=CONTRACT,
    targets=(Target("chat_topic_id", "The id of a ChatSession's topic.", "top"),),
    statuses=statuses_of(ChatSessionStatus, "ChatSession"),
    connectors=CONNECTORS,
)
