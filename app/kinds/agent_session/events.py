"""The events of AI agents and their sessions."""

from collections.abc import Sequence

from app.core.events import Event, event
from app.interactions.meaning import InteractionEvent


@event("agent_session.message_hidden")
class MessageHidden(InteractionEvent):
    """A message was hidden from the AI agent."""

    stands_alone = True

    message_id: int


@event("agent_session.message_shown")
class MessageShown(InteractionEvent):
    """A message is shown to the AI agent again."""

    stands_alone = True

    message_id: int


@event("ai_agent.created")
class AiAgentCreated(Event):
    """An AI agent was created."""

    ai_agent_id: int


@event("ai_agent.updated")
class AiAgentUpdated(Event):
    """An AI agent's fields were changed."""

    ai_agent_id: int
    changed: Sequence[str]


@event("ai_agent.deleted")
class AiAgentDeleted(Event):
    """An AI agent was deleted."""

    ai_agent_id: int
