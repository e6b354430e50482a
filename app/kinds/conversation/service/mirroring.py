"""Sends a conversation's commands to the system it comes from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.connections.model import parsed_key
from app.connections.model.outbox import NOTE, NOTE_GONE, NOTE_TEXT
from app.connections.service.notes import note_details, note_restored, queue_note
from app.connections.service.outbox import (
    latest_there,
    queue_creation,
    queue_value,
    sent_by,
)
from app.core.actor import Actor
from app.directory.repository import CustomerRepository, UserRepository
from app.interactions import events
from app.interactions.meaning import InteractionEvent
from app.interactions.model import AnyCommand, Command
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.assigning import active_user
from app.kinds.conversation.events import Restarted
from app.kinds.conversation.model.conversation import Conversation, Status, with_status

if TYPE_CHECKING:
    from app.storage.work import Work

STATUS, ASSIGNEE, READ, REACTION, MESSAGE, RESTART = "STATUS", "ASSIGNEE", "READ", "REACTION", "MESSAGE", "RESTART"
"""The actions: the first four set a value, the others create a message."""

NOTES = frozenset({NOTE, NOTE_TEXT, NOTE_GONE})
"""The actions about notes."""


def queue_changes(
    work: "Work",
    actor: Actor,
    before: Conversation,
    after: Conversation,
    command: AnyCommand,
    happened: InteractionEvent,
) -> None:
    """Queue the parts of a change made here that the other system has to be told."""
    number = before.id
    if after.status is not before.status:
        queue_value(work, actor, number, STATUS, after.status.value, before.status.value)
    if after.assignee_id != before.assignee_id:
        queue_value(work, actor, number, ASSIGNEE, after.assignee_id, before.assignee_id)
    unread, left = before.unread_customer_messages_count, after.unread_customer_messages_count
    if command is Command.MARK_READ and unread and not left:
        queue_value(work, actor, number, READ, value=True, confirmed=False)
    if isinstance(happened, events.Reacted):
        message = work.use(MessageRepository).get(happened.message_id)
        if message is not None:
            slot = f"{REACTION}:{message.id}"
            said = message.agent_reaction
            queue_value(work, actor, number, REACTION, said, None, slot=slot, message_id=message.id)
    queue_note(work, actor, number, happened)
    sent = sent_by(work, happened)
    if sent is not None:
        queue_creation(work, actor, number, MESSAGE, latest_there(work, number), sent.id)
    if isinstance(happened, Restarted) and after.restart_message_ids:
        queue_creation(work, actor, number, RESTART, latest_there(work, number), after.restart_message_ids[-1])


def outgoing(
    work: "Work", conversation: Conversation, action: str, value: object, message_id: int | None
) -> Mapping[str, object] | None:
    """What the other system needs in order to do the action. None when its message or user is deleted."""
    if action == ASSIGNEE:
        return _assignee(work, conversation, value)
    if action in NOTES:
        return note_details(work, conversation.id, action, value)
    if message_id is None:
        return {}
    messages = work.use(MessageRepository)
    message = messages.get(message_id)
    if message is None:
        return None
    reference = None if message.reference_id is None else messages.get(message.reference_id)
    return {
        "key": message.message_key,
        "contents": message.contents,
        "text": message.text,
        "reference": None if reference is None else reference.message_key,
    }


def restored(work: "Work", conversation: Conversation, action: str, value: Any, message_id: int | None) -> Conversation:
    """The conversation with an action's value set back, where it is not the present one."""
    if action == STATUS:
        return with_status(conversation, Status(value))
    if action == ASSIGNEE:
        holder = active_user(work, value)
        return replace(conversation, assignee_id=holder, claimed_until=None, answered_lease=None, lease_answer_id=None)
    if action in NOTES:
        note_restored(work, conversation.id, action, value)
        return conversation
    messages = work.use(MessageRepository)
    message = None if action != REACTION or message_id is None else messages.get(message_id)
    if message is not None:
        messages.save(message, replace(message, agent_reaction=value, updated_at=work.now))
    return conversation


def _assignee(work: "Work", conversation: Conversation, user_id: object) -> Mapping[str, object] | None:
    customer = None if conversation.customer_id is None else work.use(CustomerRepository).get(conversation.customer_id)
    place = None if customer is None or customer.customer_key is None else parsed_key(customer.customer_key)
    found: dict[str, object] = {"customer": None if place is None else place[1], "user": None}
    if isinstance(user_id, int):
        user = work.use(UserRepository).get(user_id)
        if user is None:
            return None
        found["user"] = {"login": user.login, "name": user.name, "email": user.email}
    return found
