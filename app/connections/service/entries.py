"""What a user can do about refused or uncertain entries."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from app.connections.events import WriteQueued
from app.connections.model.outbox import CREATING_LASTS, ENTRY_PREFIX, VALUE_LASTS, Entry, EntryState
from app.connections.repository.outbox import OutboxRepository
from app.connections.service.finding import managed
from app.connections.service.outbox import retroubled
from app.core.actor import CONNECTION, Actor
from app.core.errors import InvalidTransition, NotFound
from app.core.ids import GlobalId, require_id
from app.directory.service.editing import Ref
from app.interactions.claims import may_write, not_permitted
from app.interactions.events import SyncDropped, SyncRetried
from app.interactions.messages import MessageStatus
from app.interactions.model import Command, Interaction
from app.interactions.repository.interactions import InteractionRepository
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import is_seen, load, write
from app.interactions.service.failing import after_delivery
from app.interactions.waiting import Bearing
from app.storage.work import Work

MOST_LISTED = 1_000
"""How many entries are listed at once."""


class Handled(NamedTuple):
    """The surrogates of an entry and its interaction."""

    entry: int
    interaction: int


def retry_entry(work: Work, actor: Actor, ref: Ref) -> Handled:
    """Do a refused or uncertain entry once more. Until the result is known, its value is the one it was to set.

    Raises NotFound, Forbidden, InvalidTransition for an entry that is still worked on, or that has a newer value after
    it."""
    interaction, entry = _handled(work, actor, ref)
    entries = work.use(OutboxRepository)
    changed, confirmed = interaction, entry.confirmed
    if entry.slot is not None:
        if any(each.slot == entry.slot for each in entries.active(interaction.id)):
            raise InvalidTransition("A newer value is queued already. Drop this entry.")
        kind = work.kinds[interaction.kind]
        changed = kind.restored(work, interaction, entry.action, entry.value, entry.message_id)
    elif entry.message_id is not None:
        changed = _unfailed(work, interaction, entry.message_id)
    lasts = CREATING_LASTS if entry.slot is None else VALUE_LASTS
    again = replace(
        entry,
        state=EntryState.WAITING,
        attempts=entry.attempts + 1,
        confirmed=confirmed,
        actor_id=actor.user_id or None,
        due_at=work.now,
        deadline=work.now + lasts,
        tried_at=None,
        error=None,
    )
    entries.save(entry, again)
    work.record(WriteQueued(connection_id=entry.connection_id).record(actor_id=actor.user_id or None))
    told = SyncRetried(action=entry.action, entry_id=entry.id)
    write(work, actor, interaction, retroubled(work, changed), Command.UPDATE, told)
    return Handled(entry.id, interaction.id)


def drop_entry(work: Work, actor: Actor, ref: Ref) -> Handled:
    """Delete a refused or uncertain entry: the other system's present state is as it should be.

    Raises NotFound, Forbidden, InvalidTransition for an entry that is still worked on."""
    interaction, entry = _handled(work, actor, ref)
    work.use(OutboxRepository).remove(entry.id)
    told = SyncDropped(action=entry.action, entry_id=entry.id)
    write(work, actor, interaction, retroubled(work, interaction), Command.UPDATE, told)
    return Handled(entry.id, interaction.id)


def troubled_entries(work: Work, actor: Actor, ref: Ref) -> Sequence[tuple[Entry, str]]:
    """The entries of a connection that wait for a human, oldest first, each with the id of its interaction.

    Raises Forbidden, NotFound."""
    found = work.use(OutboxRepository).troubled_of(managed(work, actor, ref).id, MOST_LISTED)
    interactions = work.use(InteractionRepository)
    names = [(each, interactions.kind_of(each.interaction_id)) for each in found]
    return [
        (each, str(GlobalId(work.kinds[name].prefix, each.interaction_id))) for each, name in names if name is not None
    ]


def _handled(work: Work, actor: Actor, ref: Ref) -> tuple[Interaction, Entry]:
    entries = work.use(OutboxRepository)
    number = require_id(str(ref), ENTRY_PREFIX).number
    seen = entries.get(number)
    name = None if seen is None else work.use(InteractionRepository).kind_of(seen.interaction_id)
    missing = NotFound(f"There is no entry {ref}.", path=("id",))
    if seen is None or name is None:
        raise missing
    of = GlobalId(work.kinds[name].prefix, seen.interaction_id)
    if not is_seen(work, actor, of, name):
        raise missing
    interaction: Interaction = load(work, actor, of)
    if not may_write(interaction, actor):
        raise not_permitted(interaction, actor)
    entry = entries.get(number, for_update=True)
    if entry is None:
        raise missing
    if entry.state not in (EntryState.REFUSED, EntryState.UNCERTAIN):
        raise InvalidTransition("This entry is still being worked on.")
    return interaction, entry


def _unfailed(work: Work, interaction: Interaction, message_id: int) -> Interaction:
    """The interaction with a message that is sent once more, as if the message had not failed."""
    messages = work.use(MessageRepository)
    message = messages.get(message_id)
    if message is None or message.status is not MessageStatus.ERROR or message.bearing is not Bearing.ANSWERS:
        return interaction
    again = replace(message, status=MessageStatus.CREATED, updated_at=work.now)
    messages.save(message, again)
    return after_delivery(work, CONNECTION, interaction, again)
