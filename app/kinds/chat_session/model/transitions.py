"""Every change of a chat's status, holder, transfer and rank."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from app.core.errors import InvalidTransition
from app.interactions.model import Turn
from app.kinds.chat_session.events import Erased
from app.kinds.chat_session.model.session import ACTIVE, ENDED, QUEUES, ChatSession, ChatSessionStatus

S = ChatSessionStatus
MESSAGE_COPY = 1024
"""How many characters of a message FirstMessage and LastMessage keep."""

CLEAN_UP_AFTER = timedelta(hours=24)
"""How long a deleted chat is kept; the contract says it is usually erased within 24 hours."""

_ENDINGS = frozenset({S.FINISHED, S.CLOSED, S.REQUEST_POSTED, S.DELETED})
_UPDATES: Mapping[ChatSessionStatus, frozenset[ChatSessionStatus]] = {
    S.INVALID: frozenset(S) - {S.INVALID},
    S.PRE_CHAT_FORM: frozenset({S.FAQ, S.IN_QUEUE, S.OFFLINE_FORM}) | _ENDINGS,
    S.FAQ: frozenset({S.PRE_CHAT_FORM, S.IN_QUEUE, S.OFFLINE_FORM}) | _ENDINGS,
    S.OFFLINE_FORM: frozenset({S.IN_QUEUE}) | _ENDINGS,
    S.IN_QUEUE: frozenset({S.OFFLINE_FORM, S.CLOSED_FROM_QUEUE}) | _ENDINGS,
    S.CUSTOMER_LAST: frozenset({S.USER_LAST, S.IN_QUEUE, S.OFFLINE_FORM}) | _ENDINGS,
    S.USER_LAST: frozenset({S.CUSTOMER_LAST, S.IN_QUEUE, S.OFFLINE_FORM}) | _ENDINGS,
    S.FINISHED: frozenset({S.USER_LAST, S.CUSTOMER_LAST}) | _ENDINGS,
    S.CLOSED: frozenset({S.USER_LAST, S.DELETED}),
    S.REQUEST_POSTED: frozenset({S.USER_LAST, S.CLOSED, S.DELETED}),
    S.CLOSED_FROM_QUEUE: frozenset({S.USER_LAST, S.DELETED}),
    S.DELETED: frozenset(),
}


def moved(session: ChatSession, status: ChatSessionStatus, now: datetime) -> ChatSession:
    """The chat in the status that an update asks for, with the consequences: asking for a human takes the chat from the
    bot.

    Raises InvalidTransition for a move that the state machine does not have. The same status is not a move."""
    if status is session.status:
        return session
    if status not in _UPDATES[session.status]:
        raise InvalidTransition(f"A chat that is {session.status} cannot become {status}.", path=("status",))
    if status in ACTIVE:
        return replace(session, status=status, when_ended=None)
    after = ended(session, status, now) if status in ENDED else waiting(session, status)
    return replace(after, bot_active=False) if status in QUEUES else after


def ended(session: ChatSession, status: ChatSessionStatus, now: datetime) -> ChatSession:
    """The chat, ended in one of the closed statuses. Closing a queued chat is ClosedFromQueue."""
    if status is S.CLOSED and session.status is S.IN_QUEUE:
        status = S.CLOSED_FROM_QUEUE
    return replace(
        session,
        status=status,
        when_ended=session.when_ended or now,
        claimed_until=None,
        answered_lease=None,
        lease_answer_id=None,
        transfer_to_id=None,
        customer_is_typing=False,
        user_is_typing=False,
    )


def erased_at(session: ChatSession) -> datetime | None:
    """When the chat is erased: a day after it was deleted. No later command changes that."""
    return session.updated_at + CLEAN_UP_AFTER if session.status is S.DELETED else None


def turn(session: ChatSession, now: datetime) -> Turn[ChatSession] | None:
    """What time has done to the chat: it was deleted long enough ago to be erased."""
    due = erased_at(session)
    return None if due is None or due > now else Turn(Erased(), None)


def reopened(session: ChatSession) -> ChatSession:
    """The chat, active again, as if the user had written last."""
    return replace(session, status=S.USER_LAST, when_ended=None)


def waiting(session: ChatSession, status: ChatSessionStatus) -> ChatSession:
    """The chat in the queue or before it, held by nobody."""
    return replace(
        session,
        status=status,
        assignee_id=None,
        claimed_until=None,
        transfer_to_id=None,
        user_is_typing=False,
        when_ended=None,
    )


def handed_off(session: ChatSession, somebody_is_there: bool) -> ChatSession:
    """The chat after a reset: without a bot, and queued, or with the offline form when no user is present."""
    return replace(waiting(session, S.IN_QUEUE if somebody_is_there else S.OFFLINE_FORM), bot_active=False)


def handed_back(session: ChatSession) -> ChatSession:
    """The chat, given back to its bot, out of the queue."""
    last = S.CUSTOMER_LAST if session.waiting.needed else S.USER_LAST
    return replace(waiting(session, last), bot_active=True)


def picked_up(session: ChatSession, user_id: int, now: datetime, *, welcomed: bool) -> ChatSession:
    """The chat, held by the user.

    Without a welcome message, the customer, if it wrote anything, is still the last writer."""
    waits = not welcomed and session.latest_customer_message_id is not None
    return replace(
        session,
        assignee_id=user_id,
        status=S.CUSTOMER_LAST if waits else S.USER_LAST,
        when_started=session.when_started or now,
        transfer_to_id=None,
        bot_active=False,
        when_ended=None,
    )


def taken_over(session: ChatSession, user_id: int, now: datetime) -> ChatSession:
    """The active chat, now held by another user."""
    return replace(
        session,
        assignee_id=user_id,
        when_started=session.when_started or now,
        transfer_to_id=None,
        bot_active=False,
        user_is_typing=False,
    )


def offered(session: ChatSession, user_id: int) -> ChatSession:
    """The chat with a pending transfer to the user."""
    return replace(session, transfer_to_id=user_id)


def accepted(session: ChatSession, user_id: int, now: datetime) -> ChatSession:
    """The chat, held by the user it was offered to. The former holder's lease ends."""
    return replace(taken_over(session, user_id, now), claimed_until=None)


def kept(session: ChatSession) -> ChatSession:
    """The chat with its transfer cancelled or rejected."""
    return replace(session, transfer_to_id=None)


def customer_wrote(session: ChatSession) -> ChatSession:
    """The chat after a message of the customer. A chat that asked for a human keeps asking until somebody takes it."""
    status = session.status if session.status in QUEUES else S.CUSTOMER_LAST
    return replace(session, status=status, customer_is_typing=False, when_ended=None)


def user_wrote(session: ChatSession, user_id: int | None, now: datetime) -> ChatSession:
    """The chat after a message to the customer; `user_id` is None when a bot wrote it.

    A user who answers a chat that nobody holds gets it, as if picked up. A bot that is in charge takes the chat off the
    queue. A bot that is not in charge changes nothing in a chat that asked for a human."""
    if user_id is None and session.status in QUEUES and not session.bot_active:
        return session
    after = replace(session, status=S.USER_LAST, user_is_typing=False, when_ended=None)
    if user_id is None or session.assignee_id is not None:
        return after
    return replace(taken_over(after, user_id, now), transfer_to_id=None)


def with_copies(session: ChatSession, text: str | None, sent_at: datetime) -> ChatSession:
    """The chat with FirstMessage, LastMessage and WhenIdle updated by the newest message."""
    copy = None if text is None else text[:MESSAGE_COPY]
    latest = session.when_idle is None or sent_at >= session.when_idle
    return replace(
        session,
        first_message=copy if session.first_message is None else session.first_message,
        last_message=copy if latest and copy is not None else session.last_message,
        when_idle=sent_at if latest else session.when_idle,
    )


def ranked(session: ChatSession, taken: Callable[[int], Iterable[int]]) -> ChatSession:
    """The chat with the lowest rank that its holder's other active chats do not use.

    `taken(user)` returns the ranks of that user's active chats. It is only called when the chat becomes one of them."""
    owner = session.assignee_id if session.status in ACTIVE else None
    if owner == session.rank_user_id:
        return session
    if owner is None:
        return replace(session, rank_user_id=None)
    return replace(session, rank_user_id=owner, rank=lowest_free(taken(owner)))


def lowest_free(taken: Iterable[int]) -> int:
    """The lowest number from 1 that is not in `taken`."""
    numbers = set(taken)
    return next(number for number in range(1, len(numbers) + 2) if number not in numbers)
