"""Commands on a conversation beyond the shared ones."""

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

from app.core.actor import Actor
from app.core.errors import NotFound
from app.core.ids import GlobalId, require_id
from app.directory.model import checks
from app.directory.service.editing import Ref, number
from app.interactions.contents import LONGEST_TEXT, text_content
from app.interactions.messages import MessageAuthor
from app.interactions.model import Command
from app.interactions.service.assigning import require_assignable
from app.interactions.service.change import begin, check, is_seen, load, remove, require_allowed, write
from app.interactions.service.messages import Posted, acted, post
from app.kinds.conversation.events import Restarted
from app.kinds.conversation.model.commands import ConversationCommand, refusal
from app.kinds.conversation.model.conversation import NAME, PREFIX, Conversation, Status, restarted, with_status
from app.kinds.conversation.repository import ConversationRepository
from app.kinds.conversation.service.restarting import after_restart
from app.storage.idempotency import once

if TYPE_CHECKING:
    from app.storage.database import Work


RESTART_TEXT = "Hello! We would like to go on with our conversation. Please answer this message to continue."
"""The text of a restart that has no text of its own."""


_TEXT = checks.text(LONGEST_TEXT, blank=False)


class ConversationChanges(TypedDict, total=False):
    """The fields of an update. An absent key leaves the field unchanged. `user_id` is a user's global id or surrogate;
    None unassigns."""

    status: Status
    user_id: str | int | None


def update_conversation(
    work: "Work", actor: Actor, ref: Ref, given: ConversationChanges, *, if_version: int | None = None
) -> Conversation:
    """Change the conversation's status or user.

    Raises the errors of `begin`; AlreadyClaimed for a change of the user while somebody else holds the conversation;
    InvalidInput for a user who does not exist or is not active."""
    before: Conversation = begin(work, actor, _ref(ref), Command.UPDATE, if_version=if_version)
    after = with_status(before, given["status"]) if "status" in given else before
    user_id = _user(given["user_id"]) if "user_id" in given else after.assignee_id
    if user_id != after.assignee_id:
        require_allowed(work, refusal(Command.ASSIGN, after, actor, work.now))
        if user_id is not None:
            require_assignable(work, after, user_id)
        after = replace(after, assignee_id=user_id, claimed_until=None)
    return write(work, actor, before, after, Command.UPDATE)


def restart_conversation(
    work: "Work",
    actor: Actor,
    ref: Ref,
    *,
    text: str | None = None,
    override: bool = False,
    if_version: int | None = None,
    idempotency_key: str | None = None,
) -> Posted:
    """Write to a customer on WhatsApp after the reply window has closed. The customer then has to write first.

    The message is delivered as a template that the channel has approved; without `text` it is RESTART_TEXT. It is a
    reply like any other: with `override` it is sent even when another user holds the conversation. Raises NotSupported
    on other channels, InvalidTransition while the window is open, Unreachable for a blocked profile, AlreadyClaimed,
    InvalidInput and TooLong for an invalid text, KeyReused, and the errors of `begin`."""
    contents = text_content(RESTART_TEXT if text is None else _TEXT(text, ("text",)))

    def restart() -> tuple[int, int]:
        before: Conversation = load(work, actor, _ref(ref))
        check(work, actor, before, ConversationCommand.RESTART, if_version, override=override)
        free = replace(restarted(before, work.now), customer_interaction_required=False)
        after, message = post(work, actor, free, contents, author=MessageAuthor.USER)
        after = after_restart(work, after, message)
        write(work, actor, before, acted(work, actor, before, after, message), ConversationCommand.RESTART, Restarted())
        return before.id, message.id

    request = ["restartConversation", str(_ref(ref)), text, if_version]
    return Posted(*once(work, actor, idempotency_key, request, restart))


def delete_conversation(work: "Work", actor: Actor, ref: Ref, *, if_version: int | None = None) -> Conversation:
    """Erase the conversation with its messages and notes. Returns what it was. Raises the errors of `begin`."""
    gone: Conversation = remove(work, actor, _ref(ref), if_version=if_version)
    return gone


def conversation_ref(work: "Work", actor: Actor, conversation_id: int) -> GlobalId:
    """The id of the conversation with the contract's own key. Raises NotFound, also for an actor who may not read
    it."""
    found = work.use(ConversationRepository).find_by_key(conversation_id)
    ref = None if found is None else GlobalId(PREFIX, found.id)
    if ref is None or not is_seen(work, actor, ref, NAME):
        raise NotFound(f"There is no conversation {conversation_id}.", path=("conversation_id",))
    return ref


def _ref(ref: Ref) -> GlobalId:
    return require_id(str(ref), PREFIX)


def _user(given: str | int | None) -> int | None:
    """The surrogate of a user. Raises InvalidInput, or NotFound for a text that is not an id."""
    if given is None:
        return None
    return given if isinstance(given, int) else number(given, "usr", "user_id")
