"""Begins and completes changes in other systems, each step a unit."""

from dataclasses import replace
from typing import Any, NamedTuple

from app.connections.model.outbox import (
    ACTIVE,
    CREATING_LASTS,
    IN_FLIGHT,
    NOTE,
    NOTE_GONE,
    Entry,
    EntryState,
    pause_after,
    pause_of_age,
)
from app.connections.repository import ConnectedSystemRepository, MirroredRepository
from app.connections.repository.notes import MirroredNoteRepository
from app.connections.repository.outbox import OutboxRepository
from app.connections.service.outbox import note_slot, queue_value, retroubled
from app.core.actor import CONNECTION, SYSTEM
from app.core.ids import GlobalId
from app.interactions.events import Synced, SyncRefused, SyncUncertain
from app.interactions.messages import Message, MessageAuthor, MessageError, MessageStatus
from app.interactions.model import Command, Interaction, State
from app.interactions.remote import Looked, Remote, Task
from app.interactions.repository.interactions import InteractionRepository
from app.interactions.repository.messages import MessageRepository, NoteRepository
from app.interactions.service.change import write
from app.interactions.service.deliveries import report_message_status
from app.storage.leases import holds_lease
from app.storage.work import Work

MOST_TRIES = 3
"""How often something is sent in order to create it, if a check after each try shows that it is certainly not there. A
try that certainly had no effect, such as one that was answered with 429, does not count."""

_TOO_LATE = "It was not done in time."
_NO_ANSWER_IN_TIME = "It was sent, but the other system did not confirm it in time."


class Begun(NamedTuple):
    """An entry that is in flight: what to do, or with `looks` what to look for."""

    entry: Entry
    task: Task
    looks: bool


def begin_entry(work: Work, remote: Remote, lease: str, holder: str, entry_id: int) -> Begun | None:
    """Mark an entry as in flight. Returns None when it is not its turn, or nothing is left to do.

    An entry that is due after its deadline is refused, or uncertain if it may have been done."""
    if not holds_lease(work, lease, holder):
        return None
    found = _locked(work, entry_id)
    if found is None:
        return None
    interaction, entry = found
    system = work.use(ConnectedSystemRepository).kept(entry.connection_id)
    if system is None or system.paused:
        return None
    entries = work.use(OutboxRepository)
    first = next(iter(entries.active(interaction.id)), None)
    if first is None or first.id != entry.id or entry.due_at > work.now:
        return None
    in_doubt = entry.action in remote.creating and entry.state is not EntryState.WAITING
    if entry.deadline <= work.now:
        if in_doubt:
            _uncertain(work, interaction, entry, _NO_ANSWER_IN_TIME)
        else:
            _refuse(work, interaction, entry, _TOO_LATE)
        return None
    place = entries.key_of(interaction.id)
    kind = work.kinds[interaction.kind]
    details = kind.outgoing(work, interaction, entry.action, entry.value, entry.message_id)
    if place is None or details is None:
        entries.remove(entry.id)
        return None
    if in_doubt:
        settled = (entry.tried_at or work.now) + remote.settles
        if work.now < settled:
            entries.save(entry, replace(entry, state=EntryState.LOOKING, due_at=settled))
            return None
        after = replace(entry, state=EntryState.LOOKING, due_at=work.now + IN_FLIGHT)
    else:
        after = replace(
            entry,
            state=EntryState.SENDING,
            attempts=entry.attempts + 1,
            tried_at=work.now,
            due_at=work.now + IN_FLIGHT,
        )
    entries.save(entry, after)
    task = Task(action=entry.action, key=place[1], value=entry.value, confirmed=entry.confirmed, details=details)
    return Begun(after, task, in_doubt)


def entry_done(work: Work, entry_id: int, attempts: int, key: str | None) -> None:
    """The other system has it. `key` is its key for the message that was created."""
    found = _in_flight(work, entry_id, attempts)
    if found is not None:
        _done(work, *found, key)


def entry_refused(work: Work, entry_id: int, attempts: int, reason: str) -> None:
    """The other system has not done it and will not. It is undone here where possible, and a human is asked."""
    found = _in_flight(work, entry_id, attempts)
    if found is None:
        return
    if found[1].state is EntryState.LOOKING:
        _uncertain(work, *found, reason)
    else:
        _refuse(work, *found, reason)


def entry_unanswered(
    work: Work, remote: Remote, entry_id: int, attempts: int, reason: str, *, arrived: bool, wait: float | None
) -> None:
    """There was no usable answer. It is done again later, or looked for if it may have created something."""
    found = _in_flight(work, entry_id, attempts)
    if found is None:
        return
    _, entry = found
    looks = entry.state is EntryState.LOOKING
    again = replace(entry, state=EntryState.WAITING, due_at=work.now + pause_after(attempts, wait), error=reason)
    if entry.action not in remote.creating:
        # A try that certainly had no effect does not count as one.
        again = again if arrived else replace(again, tried_at=None)
    elif looks or arrived:
        due_at = again.due_at if looks else max(again.due_at, work.now + remote.settles)
        again = replace(again, state=EntryState.LOOKING, due_at=due_at)
    else:
        pause = pause_of_age(work.now - (entry.deadline - CREATING_LASTS), wait)
        again = replace(again, due_at=work.now + pause, attempts=attempts - 1, tried_at=None)
    work.use(OutboxRepository).save(entry, again)


def entry_looked(work: Work, remote: Remote, entry_id: int, attempts: int, looked: Looked) -> None:
    """The other system was asked whether it has what the entry was to create. Adopt that, create it, or ask a human."""
    found = _in_flight(work, entry_id, attempts)
    if found is None:
        return
    interaction, entry = found
    own = next((key for key in looked.keys if not _is_known(work, interaction, entry, key)), None)
    if own is not None:
        _done(work, interaction, entry, own)
    elif looked.whole and entry.action not in remote.costly and entry.attempts < MOST_TRIES:
        again = replace(entry, state=EntryState.WAITING, due_at=work.now, tried_at=None)
        work.use(OutboxRepository).save(entry, again)
    else:
        _uncertain(work, interaction, entry, entry.error or _NO_ANSWER_IN_TIME)


def adopt_message(work: Work, interaction: Interaction, text: str | None, key: str) -> bool:
    """Whether a message that the other system has is one of ours with an uncertain outcome. If so, the two are the same
    from now on."""
    messages = work.use(MessageRepository)
    for entry in work.use(OutboxRepository).troubled(interaction.id):
        if entry.state is EntryState.UNCERTAIN and entry.message_id is not None and text is not None:
            message = messages.get(entry.message_id)
            if message is not None and message.text == text:
                _done(work, interaction, entry, key)
                return True
    return False


def adopt_note(work: Work, interaction: Interaction, text: str, key: str) -> bool:
    """The same for a note."""
    for entry in work.use(OutboxRepository).troubled(interaction.id):
        if entry.state is EntryState.UNCERTAIN and entry.action == NOTE and entry.value["text"] == text:
            _done(work, interaction, entry, key)
            return True
    return False


def _is_known(work: Work, interaction: Interaction, entry: Entry, key: str) -> bool:
    """Whether what has this key there is here already, and so is not what the entry was to create."""
    if entry.action == NOTE:
        return key in work.use(MirroredNoteRepository).known(interaction.id)
    channel = work.kinds[interaction.kind].channel_key(interaction)
    return work.use(MessageRepository).received(channel, key) is not None


def _done(work: Work, interaction: Interaction, entry: Entry, key: str | None) -> None:
    entries = work.use(OutboxRepository)
    entries.remove(entry.id)
    if entry.slot is not None:
        for later in entries.active(interaction.id):
            if later.slot == entry.slot:
                entries.save(later, replace(later, confirmed=entry.value))
        for stale in entries.troubled(interaction.id):
            if stale.slot == entry.slot:
                entries.remove(stale.id)
    if entry.action == NOTE and key is not None:
        _note_made(work, entry, key)
    message = None if entry.message_id is None or entry.slot is not None else _named(work, entry.message_id, key)
    if message is not None and message.author is not MessageAuthor.CUSTOMER:
        report_message_status(work, CONNECTION, GlobalId("msg", message.id), MessageStatus.SENT)
        interaction = _loaded(work, interaction)
    _tell(work, interaction, retroubled(work, interaction), Synced(action=entry.action))


def _note_made(work: Work, entry: Entry, key: str) -> None:
    """The other system has the note under this key. If it was deleted here meanwhile, it is to go there too."""
    number = entry.value["note"]
    is_here = work.use(NoteRepository).get(number) is not None
    work.use(MirroredNoteRepository).note(entry.interaction_id, key, number if is_here else None)
    if not is_here:
        queue_value(work, SYSTEM, entry.interaction_id, NOTE_GONE, key, key, slot=note_slot(number))


def _named(work: Work, message_id: int, key: str | None) -> Message | None:
    """The message, with the key that the other system gave it."""
    messages = work.use(MessageRepository)
    message = messages.get(message_id)
    if message is None or key is None or messages.received(message.channel_key, key) is not None:
        return message
    named = replace(message, message_key=key, updated_at=work.now)
    messages.save(message, named)
    return named


def _refuse(work: Work, interaction: Interaction, entry: Entry, reason: str) -> None:
    entries = work.use(OutboxRepository)
    entries.save(entry, replace(entry, state=EntryState.REFUSED, error=reason))
    changed = interaction
    if entry.slot is not None:
        if all(each.slot != entry.slot for each in entries.active(interaction.id)):
            kind = work.kinds[interaction.kind]
            changed = kind.restored(work, interaction, entry.action, entry.confirmed, entry.message_id)
    elif entry.message_id is not None and _is_answer(work, entry.message_id):
        error = MessageError(original_message=reason)
        ref = GlobalId("msg", entry.message_id)
        report_message_status(work, CONNECTION, ref, MessageStatus.ERROR, error=error)
        interaction = changed = _loaded(work, interaction)
    told = SyncRefused(action=entry.action, entry_id=entry.id)
    _tell(work, interaction, retroubled(work, changed), told)


def _is_answer(work: Work, message_id: int) -> bool:
    """Whether the message goes to the customer, on a way that can fail."""
    message = work.use(MessageRepository).get(message_id)
    return message is not None and message.author is not MessageAuthor.CUSTOMER


def _uncertain(work: Work, interaction: Interaction, entry: Entry, reason: str) -> None:
    work.use(OutboxRepository).save(entry, replace(entry, state=EntryState.UNCERTAIN, error=reason))
    if interaction.state is State.CLOSED:
        # It was closed on the assumption that this was done. Somebody must see that it may not be.
        opened = work.kinds[interaction.kind].on_reopen(work, SYSTEM, interaction)
        interaction = write(work, SYSTEM, interaction, opened, Command.REOPEN)
    _tell(work, interaction, retroubled(work, interaction), SyncUncertain(action=entry.action, entry_id=entry.id))


def _tell(work: Work, before: Interaction, after: Interaction, told: Any) -> None:
    # A read tells what was undone, or was set there by somebody else meanwhile.
    work.use(MirroredRepository).note_written(before.id, work.now)
    write(work, CONNECTION, before, after, Command.UPDATE, told)


def _in_flight(work: Work, entry_id: int, attempts: int) -> tuple[Interaction, Entry] | None:
    """The locked interaction and entry, while this same attempt is in flight."""
    found = _locked(work, entry_id)
    if found is None or found[1].attempts != attempts or found[1].state is EntryState.WAITING:
        return None
    return found


def _locked(work: Work, entry_id: int) -> tuple[Interaction, Entry] | None:
    """The interaction and its entry, locked in this order. None when the entry is no longer worked on."""
    entries = work.use(OutboxRepository)
    seen = entries.get(entry_id)
    if seen is None:
        return None
    name = work.use(InteractionRepository).kind_of(seen.interaction_id)
    if name is None:
        return None
    interaction = work.kinds[name].load(work, seen.interaction_id)
    entry = entries.get(entry_id, for_update=True)
    if interaction is None or entry is None or entry.state not in ACTIVE:
        return None
    return interaction, entry


def _loaded(work: Work, interaction: Interaction) -> Interaction:
    found: Interaction | None = work.kinds[interaction.kind].load(work, interaction.id)
    assert found is not None
    return found
