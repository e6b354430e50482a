"""Messages: written to the customer, received from it, read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from app.core.actor import Actor
from app.core.errors import AlreadyExists, DomainError, InvalidInput
from app.core.ids import GlobalId
from app.interactions.contents import checked_content, checked_contents, plain_text
from app.interactions.history import SIGN_OF_TYPING
from app.interactions.messages import Message, MessageAuthor, MessageStatus
from app.interactions.model import Command, Interaction
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import change, check, load, record, write
from app.storage.idempotency import once

if TYPE_CHECKING:
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
    idempotency_key: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Posted:
    """Write one content to the interaction's customer.

    `author` is who of ours wrote it; `fields` are further fields of the Message (a contract's own key or columns).
    A reply of the user who holds the interaction ends the lease, not the claim.
    Raises InvalidInput and TooLong (see `contents`), KeyReused, and what `change` raises."""
    before = load(work, actor, ref)

    def send() -> tuple[int, int]:
        command = Command.REPLY if author is MessageAuthor.USER else Command.BOT_REPLY
        check(work, actor, before, command)
        contents = (checked_content(content, work.ids.uuid),)
        interaction = before
        if author is MessageAuthor.USER and before.assignee_id == actor.user_id:
            interaction = replace(before, claimed_until=None)
        changed, message = _post(work, actor, interaction, contents, author, reference, fields)
        write(work, actor, before, changed, command, data={"message_id": message.id})
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
    record(work, actor, changed, changed, "message_sent", {"message_id": message.id})
    return changed, message


def receive_message(
    work: "Work",
    actor: Actor,
    target: Mapping[str, Any],
    contents: Sequence[Content],
    *,
    sent_at: datetime | None = None,
    reference: GlobalId | None = None,
    idempotency_key: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Posted:
    """Take in a message of the customer, in one or several contents.

    `target` is either `interaction` (a GlobalId), or `kind` (its name) with `customer_id` (a surrogate) and what that
    kind's `open_for` takes: then the interaction is found, or opened. A `sent_at` in the future counts as now.
    Raises AlreadyExists for a `message_key` that was taken in before, InvalidInput and TooLong (see `contents`),
    KeyReused, what the kind's `open_for` raises, and what `change` raises."""
    before = load(work, actor, target["interaction"]) if "interaction" in target else None

    def receive() -> tuple[int, int]:
        interaction = _opened(work, actor, target) if before is None else before
        check(work, actor, interaction, Command.RECEIVE)
        at = work.now if sent_at is None else min(sent_at, work.now)
        message = replace(
            _draft(work, interaction, checked_contents(contents, work.ids.uuid), MessageAuthor.CUSTOMER, fields),
            status=MessageStatus.DELIVERED,
            sent_at=at,
            delivered_at=work.now,
            reference_id=_reference(work, interaction, reference),
        )
        stored = _store(work, message)
        counted = replace(
            _counted(work, interaction, stored),
            unread_customer_messages_count=interaction.unread_customer_messages_count + 1,
        )
        changed = work.kinds[interaction.kind].on_customer_message(work, counted, stored)
        write(work, actor, interaction, changed, Command.RECEIVE, data={"message_id": stored.id})
        return interaction.id, stored.id

    request = ["receiveMessage", target, contents, sent_at, reference, fields]
    return Posted(*once(work, actor, idempotency_key, request, receive))


def mark_read(work: "Work", actor: Actor, ref: GlobalId) -> Any:
    """Every message of the customer has been read. Raises what `change` raises."""

    def read(before: Interaction) -> Interaction:
        if before.unread_customer_messages_count == 0:
            return before
        work.use(MessageRepository).mark_read(before.id, work.now)
        return replace(before, unread_customer_messages_count=0)

    return change(work, actor, ref, Command.MARK_READ, read)


def type_in(work: "Work", actor: Actor, ref: GlobalId) -> Any:
    """Tell those who look at the interaction that the actor is typing; nothing of it is stored."""
    data = {"user_id": actor.user_id}
    return change(work, actor, ref, Command.TYPE, lambda before: before, topic=SIGN_OF_TYPING, data=data)


def _opened(work: "Work", actor: Actor, target: Mapping[str, Any]) -> Any:
    kind = work.kinds[target["kind"]]
    actor.require(f"{kind.name}:write")
    try:
        return kind.open_for(work, actor, {name: value for name, value in target.items() if name != "kind"})
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
    draft = _draft(work, interaction, contents, author, fields)
    draft = replace(
        draft,
        user_id=actor.user_id if author is MessageAuthor.USER and draft.user_id is None else draft.user_id,
        reference_id=_reference(work, interaction, reference),
    )
    changed, ready = work.kinds[interaction.kind].on_user_message(work, interaction, draft)
    stored = _store(work, ready)
    return _counted(work, changed, stored), stored


def _draft(
    work: "Work",
    interaction: Interaction,
    contents: tuple[Mapping[str, object], ...],
    author: MessageAuthor,
    fields: Mapping[str, Any] | None,
) -> Message:
    draft = Message(
        interaction_id=interaction.id,
        kind=interaction.kind,
        message_key="",
        author=author,
        contents=contents,
        text=plain_text(contents),
        sent_at=work.now,
        created_at=work.now,
        updated_at=work.now,
    )
    return draft if fields is None else replace(draft, **fields)


def _store(work: "Work", message: Message) -> Message:
    messages = work.use(MessageRepository)
    if not message.message_key:
        return messages.add(replace(message, message_key=work.ids.uuid()))
    if messages.get_by_key(message.message_key) is not None:
        raise AlreadyExists("There is a message with this key already.", path=("message_key",))
    return messages.add(message)


def _reference(work: "Work", interaction: Interaction, reference: GlobalId | None) -> int | None:
    if reference is None:
        return None
    found = work.use(MessageRepository).get(reference.number)
    if found is None or found.interaction_id != interaction.id:
        raise InvalidInput("A message can only refer to one of the same interaction.", path=("reference_id",))
    return found.id


def _counted(work: "Work", interaction: I, message: Message) -> I:
    """The interaction with the message among its latest ones; one that arrives late may not be."""
    late = interaction.last_message_at is not None and message.sent_at < interaction.last_message_at
    if not late:
        interaction = replace(interaction, last_message_at=message.sent_at, latest_message_id=message.id)
    if message.author is not MessageAuthor.CUSTOMER:
        return interaction
    newest = work.use(MessageRepository).latest(interaction.id, of_customer=True) if late else None
    return replace(interaction, latest_customer_message_id=message.id if newest is None else newest.id)
