"""What can be done with a conversation beyond the commands that all kinds share."""

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound
from app.core.ids import GlobalId
from app.directory.repository import UserRepository
from app.interactions.model import Command
from app.interactions.service.change import change, remove
from app.kinds.conversation.model.commands import refusal
from app.kinds.conversation.model.conversation import NAME, PREFIX, Conversation, Status, with_status
from app.kinds.conversation.repository import ConversationRepository

if TYPE_CHECKING:
    from app.storage.database import Work


class ConversationChanges(TypedDict, total=False):
    """What an update may carry; an absent key stays. `user_id` is a user's surrogate, None unassigns."""

    status: Status
    user_id: int | None


def update_conversation(
    work: "Work", actor: Actor, ref: GlobalId, given: ConversationChanges, *, if_version: int | None = None
) -> Conversation:
    """The conversation in another status, or with another user.

    Raises as `change` does; AlreadyClaimed for a user's change while somebody else holds the conversation; InvalidInput
    for a user who does not exist or is not active."""

    def changed(conversation: Conversation) -> Conversation:
        if "status" in given:
            conversation = with_status(conversation, given["status"])
        if "user_id" in given and given["user_id"] != conversation.assignee_id:
            refused = refusal(Command.ASSIGN, conversation, actor, work.now)
            if refused is not None:
                raise refused
            _require_user(work, given["user_id"])
            conversation = replace(conversation, assignee_id=given["user_id"], claimed_until=None)
        return conversation

    found: Conversation = change(work, actor, ref, Command.UPDATE, changed, if_version=if_version)
    return found


def delete_conversation(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> Conversation:
    """Erase the conversation with its messages and notes; what it was. Raises as `change` does."""
    gone: Conversation = remove(work, actor, ref, if_version=if_version)
    return gone


def conversation_ref(work: "Work", actor: Actor, conversation_id: int) -> GlobalId:
    """The id of the conversation with the contract's own key. Raises NotFound, also for who may not read it."""
    found = work.use(ConversationRepository).find_by_key(conversation_id) if actor.can_read(NAME) else None
    if found is None:
        raise NotFound(f"There is no conversation {conversation_id}.", path=("conversation_id",))
    return GlobalId(PREFIX, found.id)


def _require_user(work: "Work", user_id: int | None) -> None:
    if user_id is None:
        return
    user = work.use(UserRepository).get(user_id)
    if user is None or not user.active:
        raise InvalidInput(f"There is no active user usr_{user_id}.", path=("user_id",))
