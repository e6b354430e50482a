"""Sends an AgentSession's commands to the system it comes from."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from app.connections.model import mirrored_key
from app.connections.repository.outbox import OutboxRepository
from app.connections.service.outbox import queue_creation, queue_value
from app.core.actor import CONNECTION, Actor
from app.directory import service as directory
from app.directory.model import NewCustomer
from app.interactions import events
from app.interactions.meaning import InteractionEvent
from app.interactions.model import AnyCommand
from app.interactions.repository.messages import MessageRepository
from app.kinds.agent_session import model
from app.kinds.agent_session.events import MessageHidden, MessageShown
from app.kinds.agent_session.model import AgentSession

if TYPE_CHECKING:
    from app.storage.work import Work

ENABLED, NAME, DESCRIPTION, METADATA, IDLE = "ENABLED", "NAME", "DESCRIPTION", "METADATA", "TTI_MINUTES"
HIDDEN, MESSAGE = "HIDDEN", "MESSAGE"
"""The actions. All but the last set a value; the last posts a customer's message."""

_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        ENABLED: "enabled",
        NAME: "name",
        DESCRIPTION: "description",
        METADATA: "metadata",
        IDLE: "tti_minutes",
    }
)
_LONGEST_KEY = 200


def queue_changes(
    work: "Work",
    actor: Actor,
    before: AgentSession,
    after: AgentSession,
    command: AnyCommand,
    happened: InteractionEvent,
) -> None:
    """Queue the parts of a change made here that the other system has to be told."""
    number = before.id
    for action, name in _FIELDS.items():
        value, had = getattr(after, name), getattr(before, name)
        if value != had:
            queue_value(work, actor, number, action, value, had)
    if isinstance(happened, MessageHidden | MessageShown):
        hidden, message_id = isinstance(happened, MessageHidden), happened.message_id
        slot = f"{HIDDEN}:{message_id}"
        queue_value(work, actor, number, HIDDEN, hidden, not hidden, slot=slot, message_id=message_id)
    if isinstance(happened, events.MessageReceived):
        queue_creation(work, actor, number, MESSAGE, None, happened.message_id)


def outgoing(
    work: "Work", session: AgentSession, action: str, value: object, message_id: int | None
) -> Mapping[str, object] | None:
    """What the other system needs in order to do the action. None when the action's message is deleted."""
    if message_id is None:
        return {}
    message = work.use(MessageRepository).get(message_id)
    if message is None:
        return None
    return {"key": message.message_key, "contents": message.contents, "created_at": message.created_at}


def restored(work: "Work", session: AgentSession, action: str, value: Any, message_id: int | None) -> AgentSession:
    """The session with an action's value set back, where it is not the present one."""
    if action == ENABLED:
        return switched(session, enabled=bool(value))
    if action in _FIELDS:
        session = replace(session, **{_FIELDS[action]: value})
        return with_customer(work, session) if action == METADATA else session
    messages = work.use(MessageRepository)
    message = None if action != HIDDEN or message_id is None else messages.get(message_id)
    if message is not None:
        messages.save(message, replace(message, hidden=bool(value), updated_at=work.now))
    return session


def switched(session: AgentSession, *, enabled: bool) -> AgentSession:
    """The session with its agent working, or not. While a user holds the session, the agent stays off. An agent of
    another system continues beside the user, because nobody there knows of the user."""
    return replace(session, enabled=enabled, bot_active=enabled and (session.mirrored or session.assignee_id is None))


def customer_of(work: "Work", connection_id: int, metadata: str) -> int | None:
    """The surrogate of the customer that the metadata of a connection's session names. An unknown customer is
    created."""
    named = model.customer_key_of(metadata)
    if named is None or len(named) > _LONGEST_KEY:
        return None
    key = mirrored_key(connection_id, named)
    return directory.meet_customer(work, CONNECTION, NewCustomer(system=model.SYSTEM, customer_key=key)).id


def with_customer(work: "Work", session: AgentSession) -> AgentSession:
    """The session of another system with the customer that its metadata names."""
    place = work.use(OutboxRepository).key_of(session.id)
    if place is None:
        return session
    return replace(session, customer_id=customer_of(work, place[0], session.metadata))
