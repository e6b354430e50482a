"""Finds the user of a stream ticket."""

from collections.abc import Collection

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.errors import Unauthenticated
from app.core.fairness import SERVER
from app.directory.model import ApiKey, User
from app.directory.model.ticket import StreamTicket, actor_of_ticket, is_ticket, ticket_digest
from app.directory.repository import TicketLookup
from app.directory.service import begin_stream
from app.storage.database import Database

_Found = tuple[StreamTicket, User, ApiKey | None]


class StreamTickets:
    """Implements `core.credentials.Tickets`. `permissions` are all existing permissions; an admin holds them all."""

    def __init__(self, database: Database, clock: Clock, permissions: Collection[str]) -> None:
        self._database = database
        self._clock = clock
        self._permissions = frozenset(permissions)
        self._lookup = TicketLookup(database.dialect)

    async def begin(self, ticket: str, request: str) -> Actor:
        """The actor of a ticket that is valid for this request, to begin or to resume it. Raises Unauthenticated.

        Only the first request of a ticket writes anything, so a guess costs one look-up."""
        found = await self._found(ticket)
        if found is None:
            raise Unauthenticated("This ticket is not valid.")
        held = found[0].request
        if held is None:
            if self._clock() >= found[0].begins_before:
                raise Unauthenticated("This ticket was not used in time.")
            caller = found[1].id
            held = await self._database.command_of(caller, found[0].id, begin_stream, found[0].id, request)
        if held != request:
            raise Unauthenticated("This ticket is for another stream.")
        return self._actor(found)

    async def actor_of(self, ticket: str) -> Actor | None:
        """The actor of a ticket whose stream has begun; None when the stream may not continue."""
        found = await self._found(ticket)
        return None if found is None or found[0].request is None else self._actor(found)

    async def _found(self, text: str) -> _Found | None:
        """The ticket, if both it and the credential it was made with are valid now."""
        if not is_ticket(text):
            return None
        digest = ticket_digest(text)
        found = await self._database.plan(lambda: self._lookup.ticket(digest), snapshot=False, caller=SERVER)
        if found is None:
            return None
        ticket, user, key = found
        now = self._clock()
        is_valid = now < ticket.ends_at and user.active and (key is None or key.is_usable(now))
        return found if is_valid else None

    def _actor(self, found: _Found) -> Actor:
        return actor_of_ticket(*found, self._permissions)
