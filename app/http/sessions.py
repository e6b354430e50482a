"""What is told of an admitted socket or stream."""

import secrets

from starlette.types import Scope

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.sessions import Credential, OpenSession, Transport
from app.http.services import address_of


def session_of(scope: Scope, clock: Clock, actor: Actor, transport: Transport, client: str | None) -> OpenSession:
    """The session that begins now; `client` is what the client calls itself."""
    credential = Credential.ACCESS_TOKEN if actor.key_id is None else Credential.API_KEY
    return OpenSession(
        id=secrets.randbelow(2**62) + 1,
        transport=transport,
        credential=credential if actor.ticket_id is None else Credential.TICKET,
        key_id=actor.key_id,
        client=client,
        address=address_of(scope) or None,
        began_at=clock(),
        ticket_id=actor.ticket_id,
    )
