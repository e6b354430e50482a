"""Stores messages from the past, which ask nobody for anything."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from app.core.actor import Actor
from app.interactions.events import MessageImported
from app.interactions.messages import Message, MessageAuthor
from app.interactions.model import Command, Interaction
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import write
from app.interactions.service.drafting import counted
from app.interactions.service.recording import record
from app.interactions.service.returning import unopened

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


def store_past(work: "Work", actor: Actor, before: I, drafts: Sequence[Message]) -> Sequence[Message]:
    """Store messages of the locked interaction, at least one, as history. Returns them with their surrogates.

    The interaction is written once, for all of them together."""
    kind: KindRules[I] = work.kinds[before.kind]
    stored = work.use(MessageRepository).add_many(
        [kind.as_received(before, each) if each.author is MessageAuthor.CUSTOMER else each for each in drafts]
    )
    after = before
    for each in stored:
        after = unopened(work, after, counted(work, after, each))
    *others, last = stored
    for each in others:
        record(work, actor, before, before, MessageImported(message_id=each.id))
    write(work, actor, before, after, Command.IMPORT, MessageImported(message_id=last.id))
    return stored
