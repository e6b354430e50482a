"""Commands on sessions: what users have open, and ending it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from app.core.actor import Actor
from app.core.errors import Forbidden, InvalidInput, NotFound, TooLong, Unauthenticated
from app.core.ids import require_id
from app.core.sessions import OpenSession
from app.directory.events import SessionEnded, SessionsEnded
from app.directory.model import User
from app.directory.model.user import MANAGE
from app.directory.repository import SessionRepository, TicketRepository, UserRepository
from app.directory.service.editing import Ref, found, number, tell
from app.storage.work import Work

MOST_NAMED = 100
"""How many sessions one command may name."""

LEASE = timedelta(seconds=150)
"""How long a session is known after the last sign of life of its process, which gives one each minute."""


def end_sessions(work: Work, actor: Actor, *, user: Ref | None = None, sessions: Sequence[Ref] | None = None) -> User:
    """Close what the user has open, and refuse the tokens and tickets that were given to it before now. With
    `sessions`, close only these, and refuse only their tickets.

    Users may do it to themselves, but not with a narrowed key. With `users:manage` they may do it to others, but only
    an admin may do it to an admin. API keys stay valid, and so do the tokens of single sessions. Raises Forbidden and
    NotFound, and for `sessions` InvalidInput and TooLong too."""
    ref = f"usr_{actor.user_id}" if user is None else user
    user_id = number(ref, "usr", "user_id")
    if user_id != actor.user_id or actor.is_narrowed:
        actor.require(MANAGE)
    users = work.use(UserRepository)
    before = found(users.get(user_id, for_update=True), ref, "user_id")
    if before.is_admin and user_id != actor.user_id and not actor.is_admin:
        raise Forbidden("Only an admin may end an admin's sessions.", path=("user_id",))
    if sessions is not None:
        _end_some(work, actor, before, sessions)
        return before
    after = users.end_sessions(before, work.now)
    work.use(TicketRepository).erase_of(user_id)
    tell(work, actor, SessionsEnded(user_id=user_id), after)
    return after


def _end_some(work: Work, actor: Actor, user: User, refs: Sequence[Ref]) -> None:
    if not refs:
        raise InvalidInput("Name at least one session, or leave this out to end all.", path=("session_ids",))
    if len(refs) > MOST_NAMED:
        raise TooLong(f"This takes at most {MOST_NAMED} ids.", path=("session_ids",))
    named = [require_id(str(ref), "ops", path=("session_ids", place)).number for place, ref in enumerate(refs)]
    sessions = work.use(SessionRepository)
    tickets = sessions.named(user.id, named, work.now)
    for place, each in enumerate(named):
        if each not in tickets:
            raise NotFound(f"The user has no session {refs[place]} open.", path=("session_ids", place))
    work.use(TicketRepository).erase([ticket for ticket in tickets.values() if ticket is not None])
    # Whoever looks does not find them any more; the process that has one closes it when it hears of this.
    sessions.erase(tickets.keys())
    for each in tickets:
        tell(work, actor, SessionEnded(user_id=user.id, session_id=each), user)


def require_unended(actor: Actor, user: User | None) -> None:
    """Raise Unauthenticated when the sessions of the actor's user were ended meanwhile: an actor is remembered for a
    moment after that."""
    if user is not None and user.sessions_ended_at != actor.sessions_ended_at:
        raise Unauthenticated("The sessions of this user were ended. Sign in again.")


def note_sessions(
    work: Work, holder: str, held: Mapping[tuple[OpenSession, int], int], let_go: Collection[tuple[OpenSession, int]]
) -> None:
    """Begin or renew the holder's leases on the sessions `held`, and end those on `let_go`."""
    sessions = work.use(SessionRepository)
    if held:
        sessions.hold(holder, held, work.now + LEASE)
    if let_go:
        sessions.let_go(holder, [session.id for session, _ in let_go])


def forget_sessions(work: Work) -> bool:
    """Delete the sessions of processes that crashed. Returns False: none of them are left then."""
    work.use(SessionRepository).forget(work.now)
    return False
