"""Sends a Session's commands to the system it comes from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.connections.service.outbox import queue_creation, queue_value, sent_by
from app.core.actor import Actor
from app.interactions.meaning import InteractionEvent
from app.interactions.model import AnyCommand
from app.interactions.repository.messages import MessageRepository
from app.kinds.session import model
from app.kinds.session.model import Session

if TYPE_CHECKING:
    from app.storage.work import Work

FLAG, TAGS, TOPICS, SUGGESTIONS, MESSAGE = "NEED_ATTENTION", "TAGS", "TOPICS", "SUGGESTED_MESSAGES", "MESSAGE"
"""The actions. All but the last set a value."""


def queue_changes(
    work: "Work", actor: Actor, before: Session, after: Session, command: AnyCommand, happened: InteractionEvent
) -> None:
    """Queue the parts of a change made here that the other system has to be told."""
    number = before.id
    if after.need_attention is not before.need_attention:
        queue_value(work, actor, number, FLAG, after.need_attention, before.need_attention)
    for action, value, had in ((TAGS, after.tags, before.tags), (TOPICS, after.topics, before.topics)):
        if value != had:
            queue_value(work, actor, number, action, list(value), list(had))
    if after.suggested_messages is not None:
        wanted = [{"id": each.remote_id, "content": each.content} for each in after.suggested_messages]
        queue_value(work, actor, number, SUGGESTIONS, wanted, None)
    sent = sent_by(work, happened)
    if sent is not None:
        queue_creation(work, actor, number, MESSAGE, None, sent.id)


def outgoing(
    work: "Work", session: Session, action: str, value: object, message_id: int | None
) -> Mapping[str, object] | None:
    """What the other system needs in order to do the action. None when the action's message is deleted."""
    if message_id is None:
        return {}
    message = work.use(MessageRepository).get(message_id)
    if message is None:
        return None
    return {"contents": message.contents, "author": message.author, "sent_at": message.sent_at}


def restored(session: Session, action: str, value: Any) -> Session:
    """The session with an action's value set back, where it is not the present one. The earlier suggestions are not
    known any more: the next read brings them."""
    if action == FLAG:
        return model.flagged(session, bool(value))
    if action == TAGS:
        return replace(session, tags=tuple(value))
    return replace(session, topics=tuple(value)) if action == TOPICS else session
