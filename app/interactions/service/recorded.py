"""Messages to customers that another system has sent already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.core.replacing import replace
from app.interactions.contents import checked_contents
from app.interactions.events import MessageSent
from app.interactions.messages import Message, MessageAuthor, MessageError, MessageStatus, answered_by
from app.interactions.model import Command, Interaction
from app.interactions.repository.messages import MessageRepository, Place
from app.interactions.repository.waits import WaitRepository
from app.interactions.service.change import check, write
from app.interactions.service.drafting import checked_key, counted, draft_of, require_new
from app.interactions.service.messages import Content, Posted, acted, opened, receive_message
from app.interactions.service.past import store_past
from app.interactions.waiting import Bearing, answered

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A message as another system has it: its key there, author, time, and delivery status.

    `user_id` is the surrogate of the user who wrote it, if known; `error` comes with the status ERROR. `event_type` is
    its name in a contract, `fields` are further columns of its kind's contract."""

    key: str
    author: MessageAuthor
    sent_at: datetime
    status: MessageStatus = MessageStatus.SENT
    user_id: int | None = None
    error: MessageError | None = None
    event_type: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def record_message(
    work: "Work",
    actor: Actor,
    target: Mapping[str, Any],
    contents: Sequence[Content],
    message: Elsewhere,
    *,
    imported: bool = False,
) -> Posted:
    """Take in a message that was sent or received elsewhere; nothing is sent by that.

    `target` is as that of `receive_message`. A message to a customer without an interaction opens one that is over, as
    it asks for no human. What is `imported`, or was answered or overtaken by a newer message before it arrived here,
    changes no wait.
    Raises AlreadyReceived for a key that came before, and otherwise as `receive_message`."""
    if message.author is MessageAuthor.CUSTOMER:
        return _of_customer(work, actor, target, contents, message, imported)
    interaction = opened(work, actor, target, imported=True)
    require_new(work, actor, interaction, {"message_key": message.key})
    check(work, actor, interaction, Command.IMPORT)
    draft = _draft(work, interaction, contents, message)
    if imported:
        (stored,) = store_past(work, actor, interaction, [draft])
        return Posted(interaction.id, stored.id)
    changed, draft = _answering(work, interaction, draft)
    stored = work.use(MessageRepository).add(draft)
    changed = counted(work, changed, stored)
    if stored.bearing is Bearing.ANSWERS and stored.author is MessageAuthor.USER:
        changed = acted(work, replace(actor, user_id=stored.user_id or 0), interaction, changed, stored)
    write(work, actor, interaction, changed, Command.IMPORT, MessageSent(message_id=stored.id))
    return Posted(interaction.id, stored.id)


def record_history(
    work: "Work", actor: Actor, interaction: Interaction, given: Sequence[tuple[Sequence[Content], Elsewhere]]
) -> None:
    """Take in messages from the past of the locked interaction together, at least one, in the order in which they were
    said. None of their keys may be taken. One that comes in the second of the one before it stays behind that.

    Raises InvalidInput and TooLong as `receive_message` does, with the message's key first in the path, and what the
    kind refuses."""
    check(work, actor, interaction, Command.IMPORT)
    latest, drafts = work.use(MessageRepository).latest(interaction.id), list[Message]()
    for contents, message in given:
        try:
            draft = _draft(work, interaction, contents, message)
        except InvalidInput as error:
            error.path = (message.key, *error.path)
            raise
        draft = replace(draft, sent_at=after_latest(latest, draft.sent_at))
        if latest is None or draft.sent_at >= latest.sent_at:
            latest = Place(0, draft.sent_at)
        drafts.append(draft)
    store_past(work, actor, interaction, drafts)


def _draft(work: "Work", interaction: Interaction, contents: Sequence[Content], message: Elsewhere) -> Message:
    """The message as it is stored here, apart from what it means to the customer's wait."""
    given = {**message.fields, "message_key": checked_key(message.key), "sent_at": message.sent_at}
    is_heard = message.author is MessageAuthor.CUSTOMER
    if not is_heard:
        given |= {"user_id": message.user_id, "event_type": message.event_type, "error": message.error}
    draft = draft_of(work, interaction, checked_contents(contents, work.ids.uuid), message.author, given)
    if is_heard:
        return replace(draft, status=MessageStatus.READ, delivered_at=work.now)
    arrived = message.status in (MessageStatus.DELIVERED, MessageStatus.READ)
    return replace(draft, status=message.status, delivered_at=draft.sent_at if arrived else None)


def after_latest(latest: Place | None, sent_at: datetime) -> datetime:
    """The time of a message that arrived after the latest one: other systems give whole seconds, ours has
    microseconds."""
    if latest is None or not timedelta(0) <= latest.sent_at - sent_at < timedelta(seconds=1):
        return sent_at
    return latest.sent_at + timedelta(microseconds=1)


def _answering(work: "Work", interaction: Interaction, draft: Message) -> tuple[Interaction, Message]:
    """The interaction and the message; the message is an answer unless the customer has written since."""
    kind: KindRules[Interaction] = work.kinds[interaction.kind]
    newest = work.use(MessageRepository).latest(interaction.id, of_customer=True)
    overtaken = newest is not None and newest.sent_at > draft.sent_at
    if overtaken or not kind.answers(interaction, draft, work.settings):
        return interaction, draft
    delivered = draft.status is not MessageStatus.ERROR
    # What it means to its kind beyond that; whether it would be delivered now does not matter any more.
    changed, _ = kind.on_user_message(work, interaction, draft)
    changed = replace(changed, waiting=answered(changed.waiting, answered_by(draft), delivered=delivered))
    return changed, replace(draft, bearing=Bearing.ANSWERS)


def _of_customer(
    work: "Work",
    actor: Actor,
    target: Mapping[str, Any],
    contents: Sequence[Content],
    message: Elsewhere,
    imported: bool,
) -> Posted:
    interaction = opened(work, actor, target, imported)
    answered_at = work.use(WaitRepository).answered_at(interaction.id)
    is_answered = answered_at is not None and answered_at >= message.sent_at
    return receive_message(
        work,
        actor,
        target,
        contents,
        sent_at=message.sent_at,
        imported=imported or is_answered,
        fields={**message.fields, "message_key": message.key},
    )
