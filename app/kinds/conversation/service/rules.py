"""The rules of a conversation for the shared commands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from app.connections.service import MirroredRules
from app.core.actor import Actor
from app.core.errors import DomainError, InvalidInput
from app.core.ids import GlobalId
from app.interactions.meaning import InteractionEvent
from app.interactions.messages import (
    Message,
    MessageAuthor,
    MessageError,
    MessageSource,
    MessageStatus,
    is_answer,
)
from app.interactions.model import AnyCommand, Cause, State, Turn
from app.kinds.conversation.model.commands import Subject, refusal
from app.kinds.conversation.model.conversation import (
    NAME,
    PREFIX,
    REASONS,
    Conversation,
    Status,
    awake_at,
    causes,
    next_turn,
    received,
    state,
    taken,
    turn,
    undelivered_message,
    with_status,
)
from app.kinds.conversation.repository import ConversationRepository
from app.kinds.conversation.service.mirroring import outgoing, queue_changes, restored
from app.kinds.conversation.service.opening import open_for
from app.kinds.conversation.service.restarting import after_delivery
from app.kinds.conversation.settings import ConversationSettings

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.database import Work


class Rules(MirroredRules[Conversation]):
    """The rules of the kind, for the registry."""

    name = NAME
    prefix = PREFIX
    reasons: Mapping[str, str] = REASONS
    repository = ConversationRepository

    def channel_key(self, interaction: Conversation) -> str:
        return str(GlobalId("cha", interaction.channel_agent_id))

    def state(self, interaction: Conversation, now: datetime, settings: "Settings") -> State:
        return state(interaction, now)

    def causes(self, interaction: Conversation, now: datetime, settings: "Settings") -> Sequence[Cause]:
        return causes(interaction, now, settings.of(ConversationSettings).reply_window_warning)

    def refusal(
        self, command: AnyCommand, subject: object, actor: Actor, now: datetime, settings: "Settings"
    ) -> DomainError | None:
        return refusal(command, cast("Subject", subject), actor, now)

    def on_customer_message(self, work: "Work", interaction: Conversation, message: Message) -> Conversation:
        return received(interaction, message.sent_at)

    def on_user_message(
        self, work: "Work", interaction: Conversation, message: Message
    ) -> tuple[Conversation, Message]:
        if message.author is MessageAuthor.SYSTEM:
            return interaction, message  # a notice that the channel never sees
        template = message.source is MessageSource.WHATSAPP_CAMPAIGN
        fault = undelivered_message(interaction, work.now, template=template)
        if fault is None:
            return replace(interaction, woken=False), message
        error = MessageError(original_message=fault)
        return interaction, replace(message, status=MessageStatus.ERROR, error=error)

    def answers(self, interaction: Conversation, message: Message, settings: "Settings") -> bool:
        return is_answer(message, interaction, asked=True)

    def on_delivery(self, work: "Work", interaction: Conversation, message: Message) -> Conversation:
        after = after_delivery(work, interaction, message)
        if after.snooze_until is None:
            return after
        return replace(after, snooze_until=_awake_at(work, after, after.snooze_until))

    def on_assign(self, work: "Work", actor: Actor, interaction: Conversation, user_id: int | None) -> Conversation:
        return taken(interaction) if user_id is not None and user_id == actor.user_id else interaction

    def on_close(self, work: "Work", actor: Actor, interaction: Conversation) -> Conversation:
        return with_status(interaction, Status.DONE)

    def on_reopen(self, work: "Work", actor: Actor, interaction: Conversation) -> Conversation:
        return with_status(interaction, Status.IN_PROGRESS)

    def on_snooze(self, work: "Work", actor: Actor, interaction: Conversation, until: datetime | None) -> Conversation:
        if until is not None:
            until = _awake_at(work, interaction, until)
        return replace(interaction, snooze_until=until, woken=False)

    def on_clear(self, work: "Work", actor: Actor, interaction: Conversation) -> Conversation:
        return replace(interaction, woken=False)

    def next_turn(self, interaction: Conversation, now: datetime, settings: "Settings") -> datetime | None:
        return next_turn(interaction, now, settings.of(ConversationSettings).reply_window_warning)

    def turn(self, interaction: Conversation, now: datetime, settings: "Settings") -> Turn[Conversation] | None:
        return turn(interaction, now)

    def queue_changes(
        self,
        work: "Work",
        actor: Actor,
        before: Conversation,
        after: Conversation,
        command: AnyCommand,
        happened: InteractionEvent,
    ) -> None:
        queue_changes(work, actor, before, after, command, happened)

    def outgoing(
        self, work: "Work", interaction: Conversation, action: str, value: object, message_id: int | None
    ) -> Mapping[str, object] | None:
        return outgoing(work, interaction, action, value, message_id)

    def restored(
        self, work: "Work", interaction: Conversation, action: str, value: object, message_id: int | None
    ) -> Conversation:
        return restored(work, interaction, action, value, message_id)

    def open_for(self, work: "Work", actor: Actor, target: Mapping[str, Any]) -> Conversation:
        partners = _given(target, "customer_id"), _given(target, "channel_agent_id")
        return open_for(work, actor, *partners, imported=bool(target.get("imported")))


def _awake_at(work: "Work", conversation: Conversation, until: datetime) -> datetime:
    return awake_at(conversation, until, work.now, work.settings.of(ConversationSettings).reply_window_warning)


def _given(target: Mapping[str, Any], name: str) -> int:
    found: int | None = target.get(name)
    if found is None:
        raise InvalidInput("A conversation needs a customer and a channel agent.", path=(name,))
    return found
