"""Events of customers, profiles, users, keys and teams.

Those with a `user_id` are about that user: they are in its history."""

from app.core.events import Event, event


@event("customer.created")
class CustomerCreated(Event):
    """A customer was created."""


@event("customer.updated")
class CustomerUpdated(Event):
    """A customer's fields were changed."""


@event("customer.deleted")
class CustomerDeleted(Event):
    """A customer was deleted."""


@event("customer.linked")
class CustomerLinked(Event):
    """A customer was linked to a profile."""


@event("customer.unlinked")
class CustomerUnlinked(Event):
    """A customer was unlinked from a profile."""


@event("customer.subscribed")
class CustomerSubscribed(Event):
    """A customer subscribed again."""


@event("customer.unsubscribed")
class CustomerUnsubscribed(Event):
    """A customer unsubscribed."""


@event("profile.created")
class ProfileCreated(Event):
    """A profile was created."""

    profile_id: int


@event("profile.updated")
class ProfileUpdated(Event):
    """A profile's fields were changed."""

    profile_id: int


@event("profile.deleted")
class ProfileDeleted(Event):
    """A profile was deleted."""

    profile_id: int


@event("profile.blocked")
class ProfileBlocked(Event):
    """A profile was blocked."""

    profile_id: int


@event("profile.unblocked")
class ProfileUnblocked(Event):
    """A profile was unblocked."""

    profile_id: int


@event("user.created")
class UserCreated(Event):
    """A user was created."""

    concerns_keys = True

    user_id: int


@event("user.updated")
class UserUpdated(Event):
    """A user's fields were changed."""

    concerns_keys = True

    user_id: int


@event("user.activated")
class UserActivated(Event):
    """A user was activated."""

    concerns_keys = True

    user_id: int


@event("user.deactivated")
class UserDeactivated(Event):
    """A user was deactivated."""

    concerns_keys = True

    user_id: int


@event("user.sessions_ended")
class SessionsEnded(Event):
    """A user's sessions were ended, and earlier tokens are refused."""

    concerns_keys = True

    user_id: int


@event("user.session_ended")
class SessionEnded(Event):
    """One session of a user was ended, and its ticket, if it had one, is refused."""

    ends_session = True

    user_id: int
    session_id: int


@event("user.presence_changed")
class PresenceChanged(Event):
    """A user became present or absent."""

    user_id: int
    present: bool


@event("user.identity_linked")
class IdentityLinked(Event):
    """A person at an identity provider was linked to a user."""

    user_id: int
    identity_id: int
    issuer: str


@event("user.identity_unlinked")
class IdentityUnlinked(Event):
    """A person at an identity provider was unlinked from a user."""

    concerns_keys = True

    user_id: int
    identity_id: int
    issuer: str


@event("user.signed_in")
class UserSignedIn(Event):
    """A person at an identity provider signed in as a user: the first use of a new token."""

    is_audit = True

    user_id: int
    identity_id: int
    issuer: str


@event("user.refused")
class UserRefused(Event):
    """A credential of a user was refused, or something that the user lacked the permission for."""

    is_audit = True

    user_id: int
    reason: str
    permission: str | None
    api_key_id: int | None
    times: int


@event("user.team_joined")
class TeamJoined(Event):
    """A user became a member of a team."""

    user_id: int
    team_id: int


@event("user.team_left")
class TeamLeft(Event):
    """A user is no longer a member of a team."""

    user_id: int
    team_id: int


@event("api_key.created")
class ApiKeyCreated(Event):
    """An API key was created."""

    concerns_keys = True

    api_key_id: int
    user_id: int


@event("api_key.revoked")
class ApiKeyRevoked(Event):
    """An API key was revoked."""

    concerns_keys = True

    api_key_id: int
    user_id: int


@event("team.created")
class TeamCreated(Event):
    """A team was created."""

    concerns_keys = True

    team_id: int


@event("team.updated")
class TeamUpdated(Event):
    """A team's name, members or borders were changed."""

    concerns_keys = True

    team_id: int


@event("team.deleted")
class TeamDeleted(Event):
    """A team was deleted."""

    concerns_keys = True

    team_id: int
