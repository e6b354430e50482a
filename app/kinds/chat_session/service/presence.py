"""What follows for chats when a user comes, goes, or loses a right in a topic."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.connections.model.outbox import refused_by
from app.core.actor import Actor
from app.directory.model import User
from app.directory.repository import UserRepository
from app.interactions.model import Command
from app.interactions.repository.holdings import HoldingRepository
from app.interactions.service.change import write
from app.interactions.service.leaving import release
from app.interactions.service.rights import works_on
from app.kinds.chat_session.events import Offered, Queued, TransferCancelled
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.refusals import may_respond
from app.kinds.chat_session.model.session import KIND, ChatSession, ChatSessionStatus
from app.kinds.chat_session.model.transitions import kept, waiting
from app.kinds.chat_session.repository import ChatSessionRepository

if TYPE_CHECKING:
    from app.storage.work import Work

MOST_OFFERED = 200
"""How many of the chats that nobody was there for are offered when a member comes; the others stay MISSED."""


def follow_presence(work: "Work", actor: Actor, before: User, after: User) -> None:
    """Withdraw offers to a user who has gone, and offer what was missed to one who has come."""
    chats = work.use(ChatSessionRepository)
    was, now = _is_there(before), _is_there(after)
    if was and not now:
        withdraw(work, actor, chats.offered_to(after.id))
    elif now and not was:
        _offer(work, actor, chats.missed_by(after.id, MOST_OFFERED))


def follow_role(work: "Work", actor: Actor, before: User, after: User) -> None:
    """Release the chats that the user held as an admin alone, who is none any more: others respond in their topics."""
    if not before.is_admin or after.is_admin:
        return
    kind = work.kinds[KIND]
    held = _loaded(work, work.use(HoldingRepository).held(KIND, after.id))
    release(work, actor, kind, [chat.id for chat in held if not kind.may_hold(chat, after)])


def follow_rights(work: "Work", actor: Actor, topic: int, user_id: int, *, responds: bool) -> None:
    """Take from the user the chats of the topic that it may not respond to any more; or offer what was missed to one
    who `responds` from now on, and is there.

    The first who responds makes a topic its own that was everybody's: what others have of it is taken from them. After
    the last one it is everybody's again: what was missed is offered to whoever is there."""
    chats = work.use(ChatSessionRepository)
    if not responds:
        _take(work, actor, topic, user_id)
        there = None if chats.responders(topic) else chats.present_for(topic)
        if there is not None:
            _offer(work, actor, chats.missed_by(there, MOST_OFFERED, topic))
        return
    if chats.responders(topic) == (user_id,):
        for other in chats.users_in(topic):
            _take(work, actor, topic, other)
    user = work.use(UserRepository).get(user_id)
    if user is not None and _is_there(user):
        _offer(work, actor, chats.missed_by(user_id, MOST_OFFERED, topic))


def _take(work: "Work", actor: Actor, topic: int, user_id: int) -> None:
    """Release the chats of the topic that the user holds, and withdraw offers of them, unless it may respond."""
    chats = work.use(ChatSessionRepository)
    user = work.use(UserRepository).get(user_id)
    if user is None or user.is_admin or may_respond(chats.responders(topic), user_id):
        return
    release(work, actor, work.kinds[KIND], chats.held_in(topic, user_id))
    withdraw(work, actor, chats.offered_to(user_id, topic))


def withdraw(work: "Work", actor: Actor, chats: Iterable[int]) -> None:
    """Take back the offers of the chats."""
    for chat in _loaded(work, chats):
        if chat.transfer_to_id is not None and refused_by(ChatCommand.CANCEL_TRANSFER, chat.cannot) is None:
            write(work, actor, chat, kept(chat), ChatCommand.CANCEL_TRANSFER, TransferCancelled())


def _offer(work: "Work", actor: Actor, chats: Iterable[int]) -> None:
    for chat in _loaded(work, chats):
        if chat.cannot is not None:
            continue  # its own system has the queue
        if chat.status is ChatSessionStatus.OFFLINE_FORM:
            queued = replace(waiting(chat, ChatSessionStatus.IN_QUEUE), bot_active=False)
            write(work, actor, chat, queued, Command.UPDATE, Queued())
        elif chat.status is ChatSessionStatus.REQUEST_POSTED:
            # The customer has gone, so the chat stays what it is; who listens is told of it again.
            write(work, actor, chat, chat, Command.UPDATE, Offered(), renewed=True)


def _loaded(work: "Work", chats: Iterable[int]) -> Iterable[ChatSession]:
    found = (work.use(ChatSessionRepository).load(number) for number in chats)
    return [chat for chat in found if chat is not None]


def _is_there(user: User) -> bool:
    return user.present and works_on(user, KIND)
