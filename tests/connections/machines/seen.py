"""What a life of an outbox has come to: the conversations as they are here, and what was done to them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.connections.model.outbox import Entry, EntryState
from app.connections.repository.mirrored import Mark
from app.connections.repository.outbox import OutboxRepository
from app.connections.sender import Sender
from app.connections.tables import AGAIN, dirty, mirrored, outbox
from app.interactions.model import State
from app.interactions.remote import Snapshot
from app.interactions.repository.messages import MessageRepository
from app.interactions.tables import message
from app.kinds.conversation.repository import ConversationRepository
from app.storage.database import Work
from tests.connections.machines.platform import Flight, Talk


@dataclass
class Here:
    """A conversation as it is here, with what is left to be done for it."""

    id: int
    status: str
    state: State
    assignee_id: int | None
    customer_id: int | None
    trouble: str | None
    reasons: frozenset[str]
    messages: list[Any]
    entries: list[Entry]

    def about(self, text: str) -> list[Entry]:
        """The entries that are to send this message."""
        numbers = {each.id for each in self.messages if each.text == text}
        return [each for each in self.entries if each.message_id in numbers]


@dataclass
class Story:
    """What was done here to a conversation. `wish` is the status that was set last, as long as nothing came between;
    `faults` says that something of it went wrong since its outbox was last empty."""

    talk: Talk
    said: list[str] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    repeated: Counter[str] = field(default_factory=Counter)
    again: set[str] = field(default_factory=set)
    read: int = 0
    wish: str | None = None
    faults: bool = False
    erased: frozenset[str] | None = None


@dataclass
class Process:
    """A process of ours, with what was due when it looked last, and what it is about to do."""

    name: str
    sender: Sender
    seen: Sequence[int] = ()
    tasks: dict[int, tuple["asyncio.Task[bool]", Flight]] = field(default_factory=dict)


@dataclass
class Read:
    """What a process has read and not applied yet; `changes` is how much had been applied and settled when it began."""

    mark: Mark
    found: Snapshot
    began_at: datetime
    changes: int
    foreign: int


def is_active(entry: Entry) -> bool:
    """Whether an entry is still worked on."""
    return entry.state not in (EntryState.REFUSED, EntryState.UNCERTAIN)


def conversations(work: Work, connection: int, keys: list[str]) -> dict[int, Here]:
    """The conversations with these keys that are here, by their numbers there."""
    asked = mirrored.select().where(mirrored.c.connection_id == connection, mirrored.c.upstream_key.in_(keys))
    found = {}
    for row in work.connection.execute(asked).all():
        conversation = work.use(ConversationRepository).load(row.id)
        assert conversation is not None
        messages = [work.use(MessageRepository).get(each) for each in _numbers(work, message, row.id)]
        entries = [work.use(OutboxRepository).get(each) for each in _numbers(work, outbox, row.id)]
        found[int(row.upstream_key)] = Here(
            row.id,
            conversation.status.value,
            conversation.state,
            conversation.assignee_id,
            conversation.customer_id,
            conversation.sync_trouble,
            frozenset(conversation.attention.reasons),
            messages,
            [each for each in entries if each is not None],
        )
    return found


def key_of(work: Work, number: int) -> str | None:
    """The key of the conversation of an entry."""
    entry = work.use(OutboxRepository).get(number)
    place = None if entry is None else work.use(OutboxRepository).key_of(entry.interaction_id)
    return None if place is None else place[1]


def is_settled(work: Work, number: int) -> bool:
    """Whether nothing more is done about an entry."""
    entry = work.use(OutboxRepository).get(number)
    return entry is None or not is_active(entry)


def _numbers(work: Work, table: Any, interaction: int) -> list[int]:
    asked = table.select().with_only_columns(table.c.id).where(table.c.interaction_id == interaction)
    return list(work.connection.execute(asked.order_by(table.c.id)).scalars())


def marks_of(work: Work, connection: int) -> list[str]:
    """The keys of what is still to be read."""
    asked = dirty.select().with_only_columns(dirty.c.upstream_key).where(dirty.c.connection_id == connection)
    return list(work.connection.execute(asked.where(dirty.c.fingerprint.is_distinct_from(AGAIN))).scalars())
