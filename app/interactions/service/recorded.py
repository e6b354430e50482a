"""Messages to customers that another system has sent already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.core.actor import Actor
from app.interactions.contents import checked_contents
from app.interactions.events import MessageImported, MessageSent
from app.interactions.messages import Message, MessageAuthor, MessageError, MessageStatus, answered_by
from app.interactions.model import Command, Interaction
from app.interactions.repository.messages import MessageRepository, Place
from app.interactions.repository.waits import WaitRepository
from app.interactions.service.change import check, write
from app.interactions.service.drafting import counted, draft_of, require_new
from app.interactions.service.messages import Content, Posted, acted, opened, receive_message
from app.interactions.service.returning import unopened
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
    own = {"message_key": message.key, "sent_at": message.sent_at, "user_id": message.user_id}
    fields = {**message.fields, **own, "event_type": message.event_type}
    require_new(work, actor, interaction, fields)
    check(work, actor, interaction, Command.IMPORT)
    draft = draft_of(work, interaction, checked_contents(contents, work.ids.uuid), message.author, fields)
    arrived = message.status in (MessageStatus.DELIVERED, MessageStatus.READ)
    draft = replace(draft, status=message.status, error=message.error, delivered_at=draft.sent_at if arrived else None)
    changed, draft = _answering(work, interaction, draft, imported)
    stored = work.use(MessageRepository).add(draft)
    changed = counted(work, changed, stored)
    if stored.bearing is Bearing.ANSWERS and stored.author is MessageAuthor.USER:
        changed = acted(work, replace(actor, user_id=stored.user_id or 0), interaction, changed, stored)
    if imported:
        changed = unopened(work, interaction, changed)
    told = MessageImported(message_id=stored.id) if imported else MessageSent(message_id=stored.id)
    write(work, actor, interaction, changed, Command.IMPORT, told)
    return Posted(interaction.id, stored.id)


def after_latest(latest: Place | None, sent_at: datetime) -> datetime:
    """The time of a message that arrived after the latest one: other systems give whole seconds, ours has
    microseconds."""
    if latest is None or not timedelta(0) <= latest.sent_at - sent_at < timedelta(seconds=1):
        return sent_at
    return latest.sent_at + timedelta(microseconds=1)


def _answering(work: "Work", interaction: Interaction, draft: Message, imported: bool) -> tuple[Interaction, Message]:
    """The interaction and the message; the message is an answer unless the customer has written since."""
    kind: KindRules[Interaction] = work.kinds[interaction.kind]
    newest = work.use(MessageRepository).latest(interaction.id, of_customer=True)
    overtaken = newest is not None and newest.sent_at > draft.sent_at
    if imported or overtaken or not kind.answers(interaction, draft, work.settings):
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
