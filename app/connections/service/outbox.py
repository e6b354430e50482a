"""Queues changes for other systems, in the unit that made them here."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.connections.events import WriteQueued
from app.connections.model.outbox import CREATING_LASTS, NOTE, VALUE_LASTS, Entry, EntryState
from app.connections.repository.outbox import OutboxRepository
from app.core.actor import CONNECTION, Actor
from app.interactions import events
from app.interactions.meaning import InteractionEvent
from app.interactions.messages import Message, MessageAuthor, MessageStatus
from app.interactions.model import I
from app.interactions.repository.messages import MessageRepository
from app.storage.work import Work

_OF_SYNC = (events.Synced, events.SyncRefused, events.SyncUncertain, events.SyncRetried, events.SyncDropped)
_SENT_BY = frozenset({MessageAuthor.USER, MessageAuthor.BOT, MessageAuthor.AI_AGENT})


def is_of_ours(actor: Actor, happened: InteractionEvent) -> bool:
    """Whether the event was caused here, so that the other system does not know of it."""
    return actor is not CONNECTION and not isinstance(happened, _OF_SYNC)


def sent_by(work: Work, happened: InteractionEvent) -> Message | None:
    """The message to the customer that the event is about, if the other system has to send it."""
    message = work.use(MessageRepository).get(happened.message_id) if isinstance(happened, events.MessageSent) else None
    if message is None or message.author not in _SENT_BY or message.status is not MessageStatus.CREATED:
        return None
    return message


def latest_there(work: Work, interaction_id: int) -> str | None:
    """The key of the newest message that the other system is known to have, if its keys are numbers. What is created
    now comes after it."""
    keys = work.use(MessageRepository).latest_keys(interaction_id)
    return next((key for key in keys if key.isdecimal()), None)


def queue_value(
    work: Work,
    actor: Actor,
    interaction_id: int,
    action: str,
    value: Any,
    confirmed: Any,
    *,
    slot: str | None = None,
    message_id: int | None = None,
) -> None:
    """Queue a value to set in the system that the interaction comes from. The newest value of a slot replaces a waiting
    one. `confirmed` is the value that the other system had before, unless an older entry knows better.

    An entry that may have been done already stays: it is set again first, so that the value before it stays known."""
    entries, slot = work.use(OutboxRepository), slot or action
    older = [each for each in entries.active(interaction_id) if each.slot == slot]
    if older:
        confirmed = older[-1].confirmed
    for each in older:
        if each.tried_at is None:
            entries.replace_waiting(each.id)
    _queue(work, actor, interaction_id, action, slot, value, confirmed, message_id)


def queue_creation(
    work: Work, actor: Actor, interaction_id: int, action: str, value: Any, message_id: int | None
) -> None:
    """Queue something to create in the system that the interaction comes from."""
    _queue(work, actor, interaction_id, action, None, value, None, message_id)


def note_slot(note_id: int) -> str:
    """The slot of what is still to be done to a note that exists."""
    return f"{NOTE}:{note_id}"


def overtaken(work: Work, interaction_id: int, slot: str) -> None:
    """Delete a value that waits: when it was set here, what happened in the other system meanwhile was not known."""
    entries = work.use(OutboxRepository)
    for each in entries.active(interaction_id):
        if each.slot == slot:
            entries.replace_waiting(each.id)


def drop_troubled(work: Work, interaction_id: int) -> None:
    """Delete the interaction's refused and uncertain entries: a human has seen them."""
    entries = work.use(OutboxRepository)
    for each in entries.troubled(interaction_id):
        entries.remove(each.id)


def retroubled(work: Work, interaction: I) -> I:
    """The interaction with the trouble of its entries that wait for a human."""
    return with_trouble(interaction, work.use(OutboxRepository).troubled(interaction.id))


def with_trouble(interaction: I, troubled: Sequence[Entry]) -> I:
    """The interaction with the most serious trouble of these entries: the oldest refusal, or else the oldest uncertain
    one."""
    worst = min(troubled, key=lambda each: (each.state is not EntryState.REFUSED, each.id), default=None)
    if worst is None:
        return replace(interaction, sync_trouble=None, sync_user_id=None)
    return replace(interaction, sync_trouble=worst.state.value, sync_user_id=worst.actor_id)


def _queue(
    work: Work,
    actor: Actor,
    interaction_id: int,
    action: str,
    slot: str | None,
    value: Any,
    confirmed: Any,
    message_id: int | None,
) -> None:
    entries = work.use(OutboxRepository)
    place = entries.key_of(interaction_id)
    if place is None:
        return
    entries.add(
        Entry(
            connection_id=place[0],
            interaction_id=interaction_id,
            action=action,
            slot=slot,
            value=value,
            confirmed=confirmed,
            message_id=message_id,
            actor_id=actor.user_id or None,
            created_at=work.now,
            due_at=work.now,
            deadline=work.now + (CREATING_LASTS if slot is None else VALUE_LASTS),
        )
    )
    work.record(WriteQueued(connection_id=place[0]).record(actor_id=actor.user_id or None))
