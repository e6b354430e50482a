"""A stream ticket: a stream's credential for clients that cannot send headers."""

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.actor import Actor
from app.directory.model.identity import actor_with
from app.directory.model.key import ApiKey, actor_of
from app.directory.model.user import User

BEGINS_WITHIN = timedelta(seconds=60)
MOST_TICKETS = 1_000
"""How many tickets of one user may be usable at once."""

_TICKET = re.compile(r"swx_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTicket:
    """A ticket of a user. The secret itself is not stored.

    `key_id` is the key that it was made with. If it was made with a token, `permissions`, `is_admin` and `team_ids` are
    what the token granted in addition to the user's own permissions. `request` is the digest of the only request that
    it is valid for, or None until that request begins."""

    id: int
    user_id: int
    key_id: int | None
    digest: str
    permissions: tuple[str, ...]
    is_admin: bool
    created_at: datetime
    begins_before: datetime
    ends_at: datetime
    request: str | None = None
    team_ids: tuple[int, ...] = ()


def new_ticket() -> str:
    """A new secret of 256 random bits."""
    return f"swx_{secrets.token_urlsafe(32)}"


def is_ticket(text: str) -> bool:
    """Whether the text has the form of a ticket."""
    return _TICKET.fullmatch(text) is not None


def ticket_digest(text: str) -> str:
    """What a ticket is found by. The ticket is random enough for a digest without a pepper."""
    return hashlib.sha256(text.encode()).hexdigest()


def actor_of_ticket(ticket: StreamTicket, user: User, key: ApiKey | None, all_permissions: Collection[str]) -> Actor:
    """The actor of a ticket of an active user: its maker, limited to what the maker may do today."""
    if key is not None:
        actor = actor_of(user, key, all_permissions)
    else:
        permissions, teams = frozenset(ticket.permissions), frozenset(ticket.team_ids)
        actor = actor_with(user, permissions, ticket.is_admin, teams, ticket.ends_at, all_permissions)
    return replace(actor, expires_at=ticket.ends_at, ticket_id=ticket.id)
