"""An identity: a person at an identity provider, linked to a user."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.actor import Actor
from app.core.clock import rfc3339
from app.directory.model.user import User
from app.openid import Person

LONGEST_LOGIN = 64
PREFIX = "idn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person, who is `subject` at `issuer`, and the user that the person signs in as.

    A sign-in is a token that is newer than all before it. `groups` are those of the latest token, each with the time
    since when all tokens have had it. `token_ends_at` is the end of that token."""

    id: int
    user_id: int
    issuer: str
    subject: str
    created_at: datetime
    first_signed_in_at: datetime | None = None
    signed_in_at: datetime | None = None
    token_ends_at: datetime | None = None
    groups: tuple[tuple[str, str], ...] = ()

    def is_older_than(self, person: Person) -> bool:
        """Whether the person shows a token that is newer than any before it."""
        return self.token_ends_at is None or self.token_ends_at < person.ends

    def signed_in(self, person: Person, now: datetime) -> "Identity":
        """The identity after a sign-in with a token of this person."""
        known = dict(self.groups)
        return replace(
            self,
            first_signed_in_at=self.first_signed_in_at or now,
            signed_in_at=now,
            token_ends_at=person.ends,
            groups=tuple((group, known.get(group, rfc3339(now))) for group in person.groups),
        )


def actor_of_person(user: User, person: Person, all_permissions: Collection[str]) -> Actor:
    """The actor of an active user's token: the user's permissions, and those that the token's groups grant."""
    return actor_with(user, person.permissions, person.is_admin, person.teams, person.ends, all_permissions)


def actor_with(
    user: User,
    permissions: frozenset[str],
    is_admin: bool,
    teams: frozenset[int],
    ends: datetime,
    all_permissions: Collection[str],
) -> Actor:
    """The actor of an active user until `ends`, with additional permissions and teams, or as an admin."""
    is_admin = user.is_admin or is_admin
    held = frozenset(all_permissions) if is_admin else frozenset(user.permissions) | permissions
    return Actor(
        user_id=user.id,
        name=user.name,
        permissions=held,
        is_admin=is_admin,
        expires_at=ends,
        teams=teams | frozenset(user.team_ids),
        sessions_ended_at=user.sessions_ended_at,
    )


def logins_of(person: Person) -> list[str]:
    """The possible logins for a new user of the person, best first."""
    wanted = (person.login, person.email, person.subject)
    return [
        login
        for login in wanted
        if login is not None
        and len(login) <= LONGEST_LOGIN
        and login.isprintable()
        and not any(character.isspace() for character in login)
    ]
