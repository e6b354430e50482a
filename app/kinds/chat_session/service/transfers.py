"""Transfers of a chat to another user, who must accept it."""

from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.ids import GlobalId
from app.core.numbers import LARGEST_INT
from app.directory.repository import UserRepository
from app.interactions.service.change import begin, write
from app.interactions.service.rights import may_join
from app.kinds.chat_session.events import TransferAccepted, TransferCancelled, Transferred, TransferRejected
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.refusals import may_respond
from app.kinds.chat_session.model.session import ChatMessageSpecialType, ChatSession
from app.kinds.chat_session.model.transitions import accepted, kept, offered
from app.kinds.chat_session.service.notices import notice, with_rank
from app.kinds.chat_session.service.presence import is_available

if TYPE_CHECKING:
    from app.storage.work import Work


def transfer_chat_session(
    work: "Work", actor: Actor, ref: GlobalId, to_user: int, *, if_version: int | None = None
) -> ChatSession:
    """Offer the chat to another user, who is present and may respond in its topic.

    Raises InvalidInput for the actor itself or the holder, NotFound for an unknown user, Conflict for a user who is not
    present or may not respond, Forbidden unless the actor holds the chat or is an admin, InvalidTransition while a
    transfer is pending, and the errors of `begin`."""
    before: ChatSession = begin(work, actor, ref, ChatCommand.TRANSFER, if_version=if_version)
    if to_user in (actor.user_id, before.assignee_id):
        raise InvalidInput(
            "A chat can only be transferred to a user other than you and its assignee.", path=("user_id",)
        )
    user = work.use(UserRepository).get(to_user, for_update=True)
    if user is None:
        raise NotFound("There is no such user.", path=("user_id",))
    if not is_available(user):
        raise Conflict("The user is not present.", path=("user_id",))
    if not may_join(user, before):
        # A user who cannot see the offer would never answer it.
        raise InvalidInput(
            "The user may not see and change the chat while it is only offered to them.", path=("user_id",)
        )
    if not may_respond(before.responders, to_user):
        raise Conflict("The user may not respond in the chat's topic.", path=("user_id",))
    return write(work, actor, before, offered(before, to_user), ChatCommand.TRANSFER, Transferred())


def find_associate(work: "Work", given: str) -> int | None:
    """The surrogate of the user with this login, or else with this number; None when there is none."""
    users = work.use(UserRepository)
    user = users.get_by_login(given)
    if user is None and given.isascii() and given.isdigit() and len(given) <= 10 and int(given) <= LARGEST_INT:
        user = users.get(int(given))
    return None if user is None else user.id


def cancel_chat_transfer(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> ChatSession:
    """Withdraw the offer. Raises Conflict when there is none, Forbidden unless the actor holds the chat or is an admin,
    and the errors of `begin`."""
    before: ChatSession = begin(work, actor, ref, ChatCommand.CANCEL_TRANSFER, if_version=if_version)
    return write(work, actor, before, kept(before), ChatCommand.CANCEL_TRANSFER, TransferCancelled())


def accept_chat_transfer(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> ChatSession:
    """Take the chat over. Raises Conflict when it is not being transferred, Forbidden when it is offered to somebody
    else, and the errors of `begin`."""
    before: ChatSession = begin(work, actor, ref, ChatCommand.ACCEPT_TRANSFER, if_version=if_version)
    taken = with_rank(work, accepted(before, actor.user_id, work.now))
    text = f"The chat was transferred to {actor.name}."
    after = notice(work, actor, taken, ChatMessageSpecialType.TRANSFERED_SESSION, text)
    return write(work, actor, before, after, ChatCommand.ACCEPT_TRANSFER, TransferAccepted())


def reject_chat_transfer(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> ChatSession:
    """Leave the chat with its holder. Raises the errors of `accept_chat_transfer`."""
    before: ChatSession = begin(work, actor, ref, ChatCommand.REJECT_TRANSFER, if_version=if_version)
    text = f"{actor.name} rejected the transfer."
    after = notice(work, actor, kept(before), ChatMessageSpecialType.TRANSFER_REJECTED, text)
    return write(work, actor, before, after, ChatCommand.REJECT_TRANSFER, TransferRejected())
