"""Commands on AI agents and their sessions, beyond the shared ones."""

from app.kinds.agent_session.service.agents import create_agent, delete_agent, update_agent
from app.kinds.agent_session.service.rules import Rules
from app.kinds.agent_session.service.sessions import (
    Keys,
    create,
    delete,
    exactly_one,
    hide_event,
    open_for_customer,
    post_event,
    update,
)

__all__ = (
    "Keys",
    "Rules",
    "create",
    "create_agent",
    "delete",
    "delete_agent",
    "exactly_one",
    "hide_event",
    "open_for_customer",
    "post_event",
    "update",
    "update_agent",
)
