"""The kind, as the registry lists it."""

from app.graph.enums import statuses_of
from app.interactions.graphql.targets import Target
from app.interactions.kind import InteractionKind
from app.kinds.conversation.graphql import SLICE
from app.kinds.conversation.model.conversation import Status
from app.kinds.conversation.rest import CONTRACT
from app.kinds.conversation.service import Rules
from app.kinds.conversation.settings import ConversationSettings
from app.kinds.conversation.upstream import CONNECTORS

kind = InteractionKind(
    rules=Rules(),
    description="An exchange of a customer with a channel agent in a messenger.",
    customers="The messenger inboxes. Their exchanges are Conversations.",
    slice=SLICE,
    contract=CONTRACT,
    settings=ConversationSettings,
    targets=(Target("channel_agent_id", "The id of a Conversation's ChannelAgent.", "cha"),),
    statuses=statuses_of(Status, "Conversation"),
    connectors=CONNECTORS,
)
