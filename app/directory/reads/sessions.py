"""Maps open sessions to the tables."""

from app.directory.model.user import MANAGE
from app.directory.tables import open_session
from app.selection.mapping import Many, One, Order, TypeMap, keyed

_NEWEST = {"NEWEST": Order(lambda scope: (scope.c.began_at, scope.c.id), descending=True)}


def sessions_field(requires: str | None = None) -> Many:
    """The edge `openSessions` of a user."""
    return Many("OpenSession", keyed("user_id"), _NEWEST, "NEWEST", inherits=True, requires=requires)


MAPPING = TypeMap(
    "OpenSession",
    open_session,
    prefix="ops",
    # A user's own sessions are reached through `viewer`.
    node_requires=MANAGE,
    fields={
        "user": One("User", lambda scope: scope.c.user_id),
        "apiKey": One("ApiKey", lambda scope: scope.c.key_id, inherits=True),
    },
)
