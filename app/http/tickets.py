"""Authenticates streams by the ticket in their address."""

import hashlib
from urllib.parse import parse_qs

from starlette.types import Scope

from app.core.actor import Actor
from app.core.credentials import Tickets
from app.core.errors import Unauthenticated, Unavailable
from app.http.authentication import presented_key, refused
from app.rest.errors import BadRequest, later
from app.rest.headers import Headers

PARAMETER = "ticket"
_MOST_FIELDS = 50


def presented_ticket(scope: Scope, headers: Headers) -> str | None:
    """The ticket in the address of a GET; None where there is none, or a key in the headers."""
    query: bytes = scope["query_string"]
    if scope["method"] != "GET" or b"ticket=" not in query or presented_key(headers):
        return None
    try:
        found = parse_qs(query.decode("latin-1"), max_num_fields=_MOST_FIELDS).get(PARAMETER)
    except ValueError:
        return None  # the request is refused where its other parameters are read
    return None if found is None else found[0]


async def admit(ticket: str, scope: Scope, tickets: Tickets) -> Actor:
    """Who begins or resumes a stream with the ticket. Raises BadRequest (401, or 503 while nobody can be asked).

    The address as a whole is what the ticket is good for: a browser sends it again letter for letter."""
    request = hashlib.sha256(scope["query_string"]).hexdigest()
    try:
        return await tickets.begin(ticket, request)
    except Unavailable as error:
        raise later(error) from None
    except Unauthenticated as error:
        raise refused(error.message) from None


def not_for_this() -> BadRequest:
    """The refusal of a request with a ticket that no stream of a subscription answers."""
    return BadRequest(400, "A ticket is for a subscription that is answered with text/event-stream.")
