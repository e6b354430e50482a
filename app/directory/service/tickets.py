"""Commands on stream tickets."""

from app.core.actor import Actor
from app.core.errors import Forbidden, TooMany
from app.directory.model.key import earliest
from app.directory.model.ticket import BEGINS_WITHIN, MOST_TICKETS, StreamTicket, new_ticket, ticket_digest
from app.directory.repository import TicketRepository, UserRepository
from app.directory.service.sessions import require_unended
from app.storage.work import Work


def create_stream_ticket(work: Work, actor: Actor) -> tuple[StreamTicket, str]:
    """Create a ticket for one stream of the actor. Returns it with its secret, which is never returned again.

    It ends with the actor's own credential; if that has no end, after the setting `stream_ticket_lifetime`. When the
    user has 1,000 usable tickets, the ticket of the oldest stream is deleted. Raises Forbidden for an anonymous actor,
    Unauthenticated when the user's sessions were ended meanwhile, and TooMany when none of the tickets has begun a
    stream."""
    # The lock makes units count the tickets of one user one after the other.
    user = work.use(UserRepository).get(actor.user_id, for_update=True)
    if user is None:
        raise Forbidden("Tickets are only for users.")
    require_unended(actor, user)
    tickets = work.use(TicketRepository)
    if tickets.count_usable(user.id, work.now) >= MOST_TICKETS and not tickets.drop_oldest_begun(user.id):
        raise TooMany(f"The user has {MOST_TICKETS:,} unused tickets, which is the limit.")
    secret = new_ticket()
    of_token = actor.key_id is None
    limit = work.now + work.settings.stream_ticket_lifetime
    ticket = tickets.add(
        StreamTicket(
            id=0,
            user_id=user.id,
            key_id=actor.key_id,
            digest=ticket_digest(secret),
            permissions=tuple(sorted(actor.permissions - frozenset(user.permissions))) if of_token else (),
            is_admin=of_token and actor.is_admin and not user.is_admin,
            created_at=work.now,
            begins_before=work.now + BEGINS_WITHIN,
            ends_at=earliest(limit, actor.expires_at) or limit,
            team_ids=tuple(sorted(actor.teams - frozenset(user.team_ids))) if of_token else (),
        )
    )
    return ticket, secret


def begin_stream(work: Work, ticket_id: int, request: str) -> str | None:
    """The digest of the request that a ticket is valid for: this request, if it is the first. None without a ticket."""
    return work.use(TicketRepository).begin(ticket_id, request)


def forget_tickets(work: Work) -> bool:
    """Delete tickets that can no longer be used. Returns whether more of them may be left."""
    return work.use(TicketRepository).forget(work.now)
