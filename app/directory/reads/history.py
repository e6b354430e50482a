"""Maps histories of users to their view of the event log."""

import sqlalchemy as sa

from app.core.actor import permission_name
from app.core.events import event_id, topic_name
from app.selection.mapping import Computed, Embedded, Many, ObjectMap, ObjectRef, One, TypeMap, both_ways, keyed
from app.storage.tables import JsonText, Timestamp

history = sa.Table(
    "user_history",
    # A view over the event log, so not a table of the one MetaData.
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("lane", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("at", Timestamp, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("actor_id", sa.BigInteger),
    sa.Column("client_mutation_id", sa.Text),
    sa.Column("version", sa.BigInteger),
    sa.Column("changes", JsonText),
    sa.Column("api_key_id", sa.BigInteger),
    sa.Column("identity_id", sa.BigInteger),
    sa.Column("team_id", sa.BigInteger),
    sa.Column("times", sa.BigInteger),
    sa.Column("issuer", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("permission", sa.Text),
)

# A user's events are all in one lane, so a position is one event.
_HAPPENED = both_ways("AT", lambda scope: (scope.c.position,))


def history_field(requires: str | None = None) -> Many:
    """The edge `history` of a user."""
    return Many("UserHistoryEntry", keyed("user_id"), _HAPPENED, "AT_DESC", inherits=True, requires=requires)


REFERENCES = ("usr", "cus", "top", "cha", "tea")
"""The prefixes of the ids that values of changes can be."""

MAPPINGS = (
    TypeMap(
        "UserHistoryEntry",
        history,
        fields={
            "id": Computed(("lane", "position"), lambda _, lane, position: event_id(None, position, lane)),
            "topic": Computed(("topic",), lambda _, topic: topic_name(topic)),
            "actor": One("User", lambda scope: scope.c.actor_id),
            "changes": Embedded("FieldChange", lambda scope: scope.c.changes, many=True),
            "apiKey": One("ApiKey", lambda scope: scope.c.api_key_id, inherits=True),
            "identity": One("UserIdentity", lambda scope: scope.c.identity_id, inherits=True),
            "team": One("Team", lambda scope: scope.c.team_id),
            "permission": Computed(
                ("permission",), lambda _, permission: None if permission is None else permission_name(permission)
            ),
        },
    ),
    ObjectMap(
        "FieldChange",
        {"beforeNode": ObjectRef("before", REFERENCES), "afterNode": ObjectRef("after", REFERENCES)},
    ),
)
"""Entries of users, and the changed fields of entries of all histories."""
