"""The kind, as the registry lists it."""

from app.graph.enums import statuses_of
from app.interactions.graphql.targets import Target
from app.interactions.kind import InteractionKind
from app.kinds.agent_session.graphql import SLICE
from app.kinds.agent_session.model import Status
from app.kinds.agent_session.rest import CONTRACT
from app.kinds.agent_session.service import Rules
from app.kinds.agent_session.settings import AgentSessionSettings
from app.kinds.agent_session.upstream import CONNECTORS

kind = InteractionKind(
    rules=Rules(),
    description="An exchange of a customer with an AI agent.",
    customers="The AI agents. Their exchanges are AgentSessions.",
    slice=SLICE,
    contract=CONTRACT,
    settings=AgentSessionSettings,
    targets=(Target("agent_key", "The key of an AgentSession's AiAgent."),),
    statuses=statuses_of(Status, "AgentSession"),
    connectors=CONNECTORS,
)
