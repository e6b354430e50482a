"""Changes of chats when a user's presence or rights change."""

from collections.abc import Collection, Iterable
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
from app.interactions.service.rights import may_join, works_on
from app.kinds.chat_session.events import Offered, Queued, TransferCancelled
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.refusals import may_respond
from app.kinds.chat_session.model.session import KIND, ChatSession, ChatSessionStatus
from app.kinds.chat_session.model.transitions import kept, waiting
from app.kinds.chat_session.repository import ChatSessionRepository

if TYPE_CHECKING:
    from app.storage.work import Work

MOST_OFFERED = 200
"""How many missed chats are offered when a member becomes available. The others stay MISSED."""


def follow_presence(work: "Work", actor: Actor, before: User, after: User) -> None:
    """Withdraw the offers that the user can no longer accept, and offer missed chats to a user who became available."""
    chats = work.use(ChatSessionRepository)
    was, now = is_available(before), is_available(after)
    if was:
        offered = _loaded(work, chats.offered_to(after.id))
        _withdraw(work, actor, [chat for chat in offered if not (now and may_join(after, chat))])
    elif now:
        _offer(work, actor, chats.missed_by(after.id, MOST_OFFERED))


def of_user(work: "Work", user_id: int) -> Collection[int]:
    """The surrogates of the chats that `follow_presence` may change: offered to the user, or missed."""
    chats = work.use(ChatSessionRepository)
    return {*chats.offered_to(user_id), *chats.missed_by(user_id, MOST_OFFERED)}


def with_offer_of_team(work: "Work", chat: ChatSession) -> ChatSession:
    """The chat after it moved to another team. An offer is withdrawn if its user may not see or change the chat
    there."""
    if chat.transfer_to_id is None or not _can_cancel(chat):
        return chat
    user = work.use(UserRepository).get(chat.transfer_to_id)
    return chat if user is not None and may_join(user, chat) else kept(chat)


def follow_role(work: "Work", actor: Actor, before: User, after: User) -> None:
    """Release the chats that the user held only as an admin, when it is no longer one: others respond in their
    topics."""
    if not before.is_admin or after.is_admin:
        return
    kind = work.kinds[KIND]
    held = _loaded(work, work.use(HoldingRepository).held(KIND, after.id))
    release(work, actor, kind, [chat.id for chat in held if not kind.may_hold(chat, after)])


def follow_rights(work: "Work", actor: Actor, topic: int, user_id: int, *, responds: bool) -> None:
    """Release the chats of the topic that the user may no longer respond to. Or, when it now `responds` and is present,
    offer it the missed chats.

    The first responder ends a topic's being open to everybody: other users' chats of it are released. After the last
    responder, the topic is open to everybody again: missed chats are offered to whoever is present."""
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
    if user is not None and is_available(user):
        _offer(work, actor, chats.missed_by(user_id, MOST_OFFERED, topic))


def _take(work: "Work", actor: Actor, topic: int, user_id: int) -> None:
    """Release the chats of the topic that the user holds, and withdraw offers of them, unless it may respond."""
    chats = work.use(ChatSessionRepository)
    user = work.use(UserRepository).get(user_id)
    if user is None or user.is_admin or may_respond(chats.responders(topic), user_id):
        return
    release(work, actor, work.kinds[KIND], chats.held_in(topic, user_id))
    _withdraw(work, actor, _loaded(work, chats.offered_to(user_id, topic)))


def is_available(user: User) -> bool:
    """Whether chats may be offered to the user: present, active and with a permission to change chats."""
    return user.present and works_on(user, KIND)


def _can_cancel(chat: ChatSession) -> bool:
    return refused_by(ChatCommand.CANCEL_TRANSFER, chat.cannot) is None


def _withdraw(work: "Work", actor: Actor, chats: Iterable[ChatSession]) -> None:
    for chat in chats:
        if chat.transfer_to_id is not None and _can_cancel(chat):
            write(work, actor, chat, kept(chat), ChatCommand.CANCEL_TRANSFER, TransferCancelled())


def _offer(work: "Work", actor: Actor, chats: Iterable[int]) -> None:
    for chat in _loaded(work, chats):
        if chat.cannot is not None:
            continue  # its own system has the queue
        if chat.status is ChatSessionStatus.OFFLINE_FORM:
            queued = replace(waiting(chat, ChatSessionStatus.IN_QUEUE), bot_active=False)
            write(work, actor, chat, queued, Command.UPDATE, Queued())
        elif chat.status is ChatSessionStatus.REQUEST_POSTED:
            # The customer has left, so the chat stays as it is. Subscribers are told of it again.
            write(work, actor, chat, chat, Command.UPDATE, Offered(), renewed=True)


def _loaded(work: "Work", chats: Iterable[int]) -> Iterable[ChatSession]:
    found = (work.use(ChatSessionRepository).load(number) for number in chats)
    return [chat for chat in found if chat is not None]
