"""Use cases of stored messages: status, reactions, deletion."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound
from app.core.ids import GlobalId
from app.directory.model.checks import text
from app.interactions.contents import require_emoji
from app.interactions.events import MessageDeleted, MessageStatusReported, Reacted
from app.interactions.meaning import InteractionEvent
from app.interactions.messages import Message, MessageAuthor, MessageError, MessageStatus
from app.interactions.model import Command, Interaction
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import begin, is_seen, write
from app.interactions.service.failing import after_delivery, rederived
from app.interactions.service.messages import Posted
from app.interactions.waiting import Bearing

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

# The channel may report an error too early: the message may still arrive.
_PROGRESS = (
    MessageStatus.CREATED,
    MessageStatus.SENT,
    MessageStatus.ERROR,
    MessageStatus.DELIVERED,
    MessageStatus.READ,
)
_LONGEST_ERROR = 4_096
_ERROR_TEXT = text(_LONGEST_ERROR, blank=False)


def report_message_status(
    work: "Work", actor: Actor, message_ref: GlobalId, status: MessageStatus, *, error: MessageError | None = None
) -> Posted:
    """Take in how far a message came on its channel, or with ERROR why it did not.

    A status only moves forward, from CREATED over SENT, ERROR and DELIVERED to READ; one that the message has passed
    already changes nothing. Each error of a message that has not arrived is kept, the newest is the latest; a text of
    over 4,096 characters is cut.
    Raises InvalidInput for an error without its MessageError or the other way round, NotFound, and what `begin`
    raises."""
    if (error is not None) != (status is MessageStatus.ERROR):
        raise InvalidInput("Give error with the status ERROR, and with no other status.", path=("error",))

    def reported(interaction: Interaction, message: Message) -> tuple[Interaction, Message]:
        after = _at_status(work, message, status)
        arrived = status is MessageStatus.ERROR and after.status is not status
        if after.status is MessageStatus.READ and _unread(message):
            left = max(interaction.unread_customer_messages_count - 1, 0)
            interaction = replace(interaction, unread_customer_messages_count=left)
        if error is not None and not arrived:
            said = _ERROR_TEXT(error.original_message[:_LONGEST_ERROR], ("error", "original_message"))
            after = work.use(MessageRepository).add_error(after, replace(error, original_message=said))
        return interaction, after

    return _change_message(work, actor, message_ref, Command.REPORT_STATUS, reported, MessageStatusReported)


def message_by_key(work: "Work", actor: Actor, channel_key: str, message_key: str) -> GlobalId:
    """The message to which a channel gave this key. Raises NotFound, also for one that the actor may not see."""
    found = work.use(MessageRepository).get_by_key(channel_key, message_key)
    if found is None or not is_seen(
        work, actor, GlobalId(work.kinds[found.kind].prefix, found.interaction_id), found.kind
    ):
        raise NotFound("The channel has delivered no message with this key.", path=("key", "message_key"))
    return GlobalId("msg", found.id)


def set_reaction(
    work: "Work", actor: Actor, message_ref: GlobalId, reaction: str | None, *, of_customer: bool = False
) -> Posted:
    """Set one emoji as the reaction to a message, or remove it with None.

    Raises InvalidInput for anything but one emoji, NotFound, and what `begin` raises."""
    emoji = None if reaction is None else require_emoji(reaction)
    field = "customer_reaction" if of_customer else "agent_reaction"

    def reacted(interaction: Interaction, message: Message) -> tuple[Interaction, Message]:
        if getattr(message, field) == emoji:
            return interaction, message
        changed: dict[str, Any] = {field: emoji}
        return interaction, replace(message, updated_at=work.now, **changed)

    return _change_message(work, actor, message_ref, Command.REACT, reacted, Reacted)


def delete_message(work: "Work", actor: Actor, message_ref: GlobalId) -> Posted:
    """Erase a message. The interaction's latest messages and unread count follow from the remaining ones.

    Raises NotFound, and what `begin` raises."""
    ref, _ = _find(work, actor, message_ref)
    messages = work.use(MessageRepository)
    before: Interaction = begin(work, actor, ref, Command.UPDATE)
    message = _require(work, message_ref)
    messages.delete(message)
    newest = messages.latest(before.id)
    of_customer = messages.latest(before.id, of_customer=True)
    left = before.unread_customer_messages_count - 1 if _unread(message) else before.unread_customer_messages_count
    after = replace(
        before,
        last_message_at=None if newest is None else newest.sent_at,
        latest_message_id=None if newest is None else newest.id,
        latest_customer_message_id=None if of_customer is None else of_customer.id,
        unread_customer_messages_count=max(left, 0),
    )
    after = rederived(work, after)
    if message.bearing is Bearing.ANSWERS:
        kind: KindRules[Interaction] = work.kinds[before.kind]
        after = kind.on_delivery(work, after, message)
    write(work, actor, before, after, Command.UPDATE, MessageDeleted(message_id=message_ref.number))
    return Posted(ref.number, message_ref.number)


class _OfMessage(Protocol):
    """An event that is told of one message."""

    def __call__(self, *, message_id: int) -> InteractionEvent: ...


def change_message(
    work: "Work",
    actor: Actor,
    message_ref: GlobalId,
    command: Command,
    f: Callable[[Message], Message],
    happened: _OfMessage,
) -> Posted:
    """Change fields of a message that only its kind knows. Raises NotFound, and what `begin` raises."""
    return _change_message(
        work, actor, message_ref, command, lambda interaction, message: (interaction, f(message)), happened
    )


def _change_message(
    work: "Work",
    actor: Actor,
    message_ref: GlobalId,
    command: Command,
    f: Callable[[Interaction, Message], tuple[Interaction, Message]],
    happened: _OfMessage,
) -> Posted:
    ref, _ = _find(work, actor, message_ref)
    before = begin(work, actor, ref, command)
    # Read again under the interaction's lock: what was found before it may have changed or gone.
    message = _require(work, message_ref)
    after, new = f(before, message)
    if new != message:
        work.use(MessageRepository).save(message, new)
        if new.bearing is Bearing.ANSWERS and MessageStatus.ERROR in (message.status, new.status):
            after = after_delivery(work, actor, after, new)
        write(work, actor, before, after, command, happened(message_id=message.id))
    return Posted(ref.number, message_ref.number)


def _at_status(work: "Work", message: Message, status: MessageStatus) -> Message:
    if status is message.status is MessageStatus.ERROR:
        return replace(message, updated_at=work.now)
    if _PROGRESS.index(status) <= _PROGRESS.index(message.status):
        return message
    arrived = status in (MessageStatus.DELIVERED, MessageStatus.READ) and message.delivered_at is None
    return replace(
        message,
        status=status,
        delivered_at=work.now if arrived else message.delivered_at,
        updated_at=work.now,
    )


def _unread(message: Message) -> bool:
    return message.author is MessageAuthor.CUSTOMER and message.status is not MessageStatus.READ


def _find(work: "Work", actor: Actor, message_ref: GlobalId) -> tuple[GlobalId, Message]:
    message = _require(work, message_ref)
    ref = GlobalId(work.kinds[message.kind].prefix, message.interaction_id)
    if not is_seen(work, actor, ref, message.kind):
        raise _missing(message_ref)
    return ref, message


def _require(work: "Work", message_ref: GlobalId) -> Message:
    message = work.use(MessageRepository).get(message_ref.number)
    if message is None:
        raise _missing(message_ref)
    return message


def _missing(message_ref: GlobalId) -> NotFound:
    return NotFound(f"There is no message {message_ref}.", path=("id",))
