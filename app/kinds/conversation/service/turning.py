"""What time alone does to conversations: a snooze ends, a reply window is about to close, and closes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.ids import GlobalId
from app.interactions.model import Command
from app.interactions.service.change import write
from app.kinds.conversation.model.conversation import PREFIX, Conversation, next_turn
from app.kinds.conversation.repository import ConversationRepository

if TYPE_CHECKING:
    from app.storage.database import Work


def due_conversations(work: "Work", most: int) -> Sequence[GlobalId]:
    """The conversations that time has turned and that nobody has told yet, the longest due first."""
    return [GlobalId(PREFIX, key) for key in work.use(ConversationRepository).list_due(work.now, most)]


def turn_conversation(work: "Work", actor: Actor, ref: GlobalId) -> Conversation | None:
    """Tell what time has done to the conversation; None when there is none any more.

    Whoever comes second finds nothing left to do, so it is told once."""
    conversations = work.use(ConversationRepository)
    before = conversations.load(ref.number)
    if before is None or before.turns_at is None or before.turns_at > work.now:
        return before
    topic, changed = "reply_window_closing", before
    if before.snooze_until is not None and before.snooze_until <= work.now:
        topic, changed = "snooze_ended", replace(before, snooze_until=None)
    elif before.reply_until is not None and before.reply_until <= work.now:
        topic = "reply_window_closed"
    after = write(work, actor, before, changed, Command.UNSNOOZE, topic=topic)
    if after is before:
        turns_at = next_turn(before, work.now, work.settings.reply_window_warning)
        conversations.save(before, replace(before, turns_at=turns_at))
    return after
