"""Messages before they are stored, and the counters of their interaction."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.actor import Actor
from app.core.errors import AlreadyReceived, InvalidInput
from app.core.ids import GlobalId
from app.core.replacing import replace
from app.directory.model.checks import text
from app.interactions.claims import may_write, not_permitted
from app.interactions.contents import plain_text
from app.interactions.messages import Message, MessageAuthor
from app.interactions.model import Interaction
from app.interactions.repository.messages import MessageRepository

if TYPE_CHECKING:
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures

_MESSAGE_KEY = text(255, blank=False)


def draft_of(
    work: "Work",
    interaction: Interaction,
    contents: tuple[Mapping[str, object], ...],
    author: MessageAuthor,
    fields: Mapping[str, Any] | None,
) -> Message:
    """The message to be stored, with its key and the `fields`; it has no id yet."""
    draft = Message(
        interaction_id=interaction.id,
        kind=interaction.kind,
        channel_key=work.kinds[interaction.kind].channel_key(interaction),
        message_key="",
        author=author,
        contents=contents,
        text=plain_text(contents),
        sent_at=work.now,
        created_at=work.now,
        updated_at=work.now,
    )
    if fields is not None:
        draft = replace(draft, **fields)
    return replace(draft, message_key=draft.message_key or work.ids.uuid(), sent_at=min(draft.sent_at, work.now))


def checked_key(given: Any) -> str:
    """The key of a message, as its channel gave it. Raises InvalidInput and TooLong."""
    key: str = _MESSAGE_KEY(given, ("message_key",))
    return key


def require_new(work: "Work", actor: Actor, interaction: Interaction, fields: Mapping[str, Any] | None) -> None:
    """Raise AlreadyReceived when the interaction's channel has given out the message's key before.

    It is called before any other check, so that every repeat has the same answer."""
    given = None if fields is None else fields.get("message_key")
    if given is None:
        return
    key = checked_key(given)
    if not may_write(interaction, actor):
        raise not_permitted(interaction, actor)
    channel = work.kinds[interaction.kind].channel_key(interaction)
    known = work.use(MessageRepository).received(channel, key)
    if known is not None:
        raise AlreadyReceived(
            "The channel delivered a message with this key before.", message_id=known, path=("message_key",)
        )


def referred(work: "Work", interaction: Interaction, reference: GlobalId | None) -> int | None:
    """The surrogate of the message that a message refers to. Raises InvalidInput for one of another interaction."""
    if reference is None:
        return None
    found = work.use(MessageRepository).get(reference.number)
    if found is None or found.interaction_id != interaction.id:
        raise InvalidInput("A message can only refer to a message of the same interaction.", path=("reference_id",))
    return found.id


def counted(work: "Work", interaction: I, message: Message) -> I:
    """The interaction with the message as its latest one, unless a later one is there."""
    late = interaction.last_message_at is not None and message.sent_at < interaction.last_message_at
    if not late:
        interaction = replace(interaction, last_message_at=message.sent_at, latest_message_id=message.id)
    if message.author is not MessageAuthor.CUSTOMER:
        return interaction
    newest = work.use(MessageRepository).latest(interaction.id, of_customer=True) if late else None
    return replace(interaction, latest_customer_message_id=message.id if newest is None else newest.id)
