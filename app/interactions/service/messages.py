"""Use cases of messages: send, receive, mark as read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from app.core.actor import Actor
from app.core.errors import DomainError, NotFound
from app.core.ids import GlobalId
from app.interactions.contents import checked_content, checked_contents
from app.interactions.events import MessageReceived, MessageSent, Typing
from app.interactions.messages import Message, MessageAuthor, MessageStatus, answered_by
from app.interactions.model import Command, Interaction
from app.interactions.repository.messages import MessageRepository
from app.interactions.repository.waits import WaitRepository
from app.interactions.service.change import begin, check, is_out_of_sight, load, write
from app.interactions.service.drafting import counted, draft_of, referred, require_new
from app.interactions.service.past import store_past
from app.interactions.service.recording import record
from app.interactions.service.returning import without_lost_holder
from app.interactions.service.seeing import require_latest, require_own
from app.interactions.waiting import Bearing, answered, asked
from app.storage.idempotency import once

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures

Content = Mapping[str, Any]


class Posted(NamedTuple):
    """An interaction with the one of its messages that a command was about; surrogates."""

    interaction: int
    message: int


def send_message(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    content: Content,
    *,
    reference: GlobalId | None = None,
    author: MessageAuthor = MessageAuthor.USER,
    if_latest_message: GlobalId | None = None,
    override: bool = False,
    idempotency_key: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Posted:
    """Write one content to the interaction's customer; with `override` also where another user holds the interaction.

    `author` is who of ours wrote it; `fields` are further fields of the Message (the channel's key and time, a
    contract's columns). A `sent_at` in the future counts as now.
    A reply of the user who holds the interaction ends the lease, not the claim.
    Raises AlreadyReceived for a `message_key` that the channel gave out before, InvalidInput and TooLong (see
    `contents`; a key has at most 255 characters), AlreadyClaimed, NewerMessage when another message arrived than the
    latest that the caller saw, KeyReused, and what `begin` raises."""
    before = load(work, actor, ref)

    def send() -> tuple[int, int]:
        command = Command.REPLY if author is MessageAuthor.USER else Command.BOT_REPLY
        require_new(work, actor, before, fields)
        check(work, actor, before, command, override=override)
        require_latest(work, before, if_latest_message)
        contents = (checked_content(content, work.ids.uuid),)
        changed, message = _post(work, actor, before, contents, author, reference, fields)
        if author is MessageAuthor.USER:
            changed = acted(work, actor, before, changed, message)
        write(work, actor, before, changed, command, MessageSent(message_id=message.id))
        return before.id, message.id

    request = ["sendMessage", str(ref), content, reference, author, fields]
    return Posted(*once(work, actor, idempotency_key, request, send))


def post(
    work: "Work",
    actor: Actor,
    interaction: I,
    contents: Sequence[Content],
    *,
    author: MessageAuthor = MessageAuthor.SYSTEM,
    fields: Mapping[str, Any] | None = None,
) -> tuple[I, Message]:
    """Store a message that another command brings along (a welcome, a notice), with its event.

    The interaction is the locked one of that command, which saves what comes back."""
    checked = checked_contents(contents, work.ids.uuid)
    changed, message = _post(work, actor, interaction, checked, author, None, fields)
    record(work, actor, changed, changed, MessageSent(message_id=message.id))
    return changed, message


def receive_message(
    work: "Work",
    actor: Actor,
    target: Mapping[str, Any],
    contents: Sequence[Content],
    *,
    sent_at: datetime | None = None,
    imported: bool = False,
    reference: GlobalId | None = None,
    idempotency_key: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Posted:
    """Receive a message of the customer, with one or several contents.

    `target` is either `interaction` (a GlobalId), or `kind` (its name) with `customer_id` (a surrogate) and what that
    kind's `open_for` takes: then the interaction is found, or opened. A `sent_at` in the future counts as now.
    One that is `imported`, or older than the interaction's latest arrival by more than the session window, enters
    history quietly: read already, it asks nothing, opens nothing, and ends no snooze.
    Raises AlreadyReceived for a `message_key` that the channel gave out before, InvalidInput and TooLong (see
    `contents`; a key has at most 255 characters), KeyReused, what the kind's `open_for` raises, and what `begin`
    raises."""
    before = load(work, actor, target["interaction"]) if "interaction" in target else None

    def receive() -> tuple[int, int]:
        interaction = opened(work, actor, target, imported) if before is None else before
        require_new(work, actor, interaction, fields)
        at = work.now if sent_at is None else min(sent_at, work.now)
        old = imported or _is_old(work, interaction, at)
        check(work, actor, interaction, Command.IMPORT if old else Command.RECEIVE)
        message = replace(
            draft_of(work, interaction, checked_contents(contents, work.ids.uuid), MessageAuthor.CUSTOMER, fields),
            status=MessageStatus.READ if old else MessageStatus.DELIVERED,
            sent_at=at,
            delivered_at=work.now,
            reference_id=referred(work, interaction, reference),
            bearing=None if old else Bearing.ASKS,
        )
        if old:
            (stored,) = store_past(work, actor, interaction, [message])
            return interaction.id, stored.id
        stored = work.use(MessageRepository).add(work.kinds[interaction.kind].as_received(interaction, message))
        asking = replace(
            without_lost_holder(work, actor, counted(work, interaction, stored)),
            unread_customer_messages_count=interaction.unread_customer_messages_count + 1,
            waiting=asked(interaction.waiting, stored.created_at),
        )
        changed = work.kinds[interaction.kind].on_customer_message(work, asking, stored)
        happened = MessageReceived(message_id=stored.id)
        write(work, actor, interaction, changed, Command.RECEIVE, happened, renewed=True)
        return interaction.id, stored.id

    request = ["receiveMessage", target, contents, sent_at, reference, fields, *(["imported"] if imported else [])]
    return Posted(*once(work, actor, idempotency_key, request, receive))


def mark_read(work: "Work", actor: Actor, ref: GlobalId, *, up_to: GlobalId | None = None) -> Any:
    """Mark the customer's messages as read, or only those that arrived no later than the message `up_to`.

    Raises InvalidInput for a message of another interaction, and what `begin` raises."""
    before = begin(work, actor, ref, Command.MARK_READ)
    if up_to is not None:
        require_own(work, before, up_to, "up_to_message_id")
    unread = before.unread_customer_messages_count
    if unread:
        messages = work.use(MessageRepository)
        messages.mark_read(before.id, work.now, None if up_to is None else up_to.number)
        unread = 0 if up_to is None else messages.count_unread(before.id)
    return write(work, actor, before, replace(before, unread_customer_messages_count=unread), Command.MARK_READ)


def type_in(work: "Work", actor: Actor, ref: GlobalId) -> Any:
    """Tell viewers of the interaction that the actor is typing; nothing is stored."""
    before = begin(work, actor, ref, Command.TYPE)
    return write(work, actor, before, before, Command.TYPE, Typing(user_id=actor.user_id))


def _is_old(work: "Work", interaction: Interaction, sent_at: datetime) -> bool:
    """Whether a message of this time is older than the interaction's latest arrival by more than the session window."""
    if work.now - sent_at <= work.settings.session_window:
        return False
    arrival = work.use(WaitRepository).latest_arrival(interaction.id)
    return arrival is not None and arrival - sent_at > work.settings.session_window


def opened(work: "Work", actor: Actor, target: Mapping[str, Any], imported: bool) -> Any:
    """The interaction that the target names, or that its kind finds or opens for the customer.

    Raises NotFound for an interaction that the actor may not see."""
    if "interaction" in target:
        return load(work, actor, target["interaction"])
    kind = work.kinds[target["kind"]]
    actor.require_writing(kind.name)
    given = {name: value for name, value in target.items() if name != "kind"}
    try:
        found = kind.open_for(work, actor, {**given, "imported": True} if imported else given)
        if is_out_of_sight(actor, found):
            raise NotFound("You see no interaction with this customer.", path=("customer_id",))
        return found
    except DomainError as error:
        if error.path:
            error.path = ("target", "customer", *error.path)
        raise


def _post(
    work: "Work",
    actor: Actor,
    interaction: I,
    contents: tuple[Mapping[str, object], ...],
    author: MessageAuthor,
    reference: GlobalId | None,
    fields: Mapping[str, Any] | None,
) -> tuple[I, Message]:
    draft = draft_of(work, interaction, contents, author, fields)
    draft = replace(
        draft,
        user_id=actor.user_id if author is MessageAuthor.USER and draft.user_id is None else draft.user_id,
        reference_id=referred(work, interaction, reference),
    )
    kind: KindRules[I] = work.kinds[interaction.kind]
    changed, ready = kind.on_user_message(work, interaction, draft)
    answers = kind.answers(interaction, ready, work.settings)
    stored = work.use(MessageRepository).add(replace(ready, bearing=Bearing.ANSWERS) if answers else ready)
    if answers:
        delivered = stored.status is not MessageStatus.ERROR
        changed = replace(changed, waiting=answered(changed.waiting, answered_by(stored), delivered=delivered))
    return counted(work, changed, stored), stored


def acted(work: "Work", actor: Actor, before: Interaction, changed: I, answer: Message) -> I:
    """The interaction after a user's answer: once delivered, the customer's messages are read and the actor's lease has
    ended."""
    delivered = answer.status is not MessageStatus.ERROR
    if before.assignee_id == actor.user_id and before.claimed_until is not None:
        changed = replace(changed, lease_answer_id=before.lease_answer_id or answer.id)
        if delivered:
            changed = replace(changed, claimed_until=None, answered_lease=before.claimed_until)
    if before.unread_customer_messages_count == 0 or not delivered:
        return changed
    work.use(MessageRepository).mark_read(before.id, work.now)
    return replace(changed, unread_customer_messages_count=0)
