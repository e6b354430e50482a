"""Maps the outbox, and what it says of interactions and messages."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.connections.model.outbox import ENTRY_PREFIX, EntryState, UpstreamState
from app.connections.tables import IS_ACTIVE, cannot_of, connected_system, is_down, mirrored, outbox
from app.interactions.reads.sight import seen_by_key
from app.selection.mapping import Column, FieldMap, Many, Mapped, OfInterface, One, Order, Scope, Sql, TypeMap, keyed

_OLDEST = {"OLDEST": Order(lambda scope: (scope.c.id,))}
_RANKS = {EntryState.REFUSED: 1, EntryState.UNCERTAIN: 2}
_NAMES = {1: UpstreamState.REFUSED, 2: UpstreamState.UNCERTAIN, 3: UpstreamState.PENDING}


CANNOT = OfInterface(cannot_of)
"""The commands that the connection of an interaction cannot do, read once for all kinds."""

IS_DOWN = OfInterface(is_down)
"""Whether the connection of an interaction cannot write now, read once for all kinds."""


def _literal(text: str) -> Sql:
    return sa.literal_column(f"'{text}'", sa.Text)


def _worst(*conditions: Any) -> Sql:
    """The most serious state of the entries with these conditions; null without such an entry."""
    rank = sa.case(
        *((outbox.c.state == _literal(state), sa.literal_column(str(rank))) for state, rank in _RANKS.items()),
        else_=sa.literal_column("3"),
    )
    found = sa.select(sa.func.min(rank)).select_from(outbox).where(*conditions).scalar_subquery()
    return sa.case(*((found == sa.literal_column(str(rank)), _literal(name)) for rank, name in _NAMES.items()))


def _state(scope: Scope) -> Sql:
    """The state of an interaction's changes, by its place in the other system."""
    return sa.func.coalesce(_worst(outbox.c.interaction_id == scope.c.id), _literal(UpstreamState.SYNCED))


def _pending(scope: Scope) -> Sql:
    found = sa.select(sa.func.count()).select_from(outbox).where(outbox.c.interaction_id == scope.c.id, IS_ACTIVE)
    return found.correlate(scope.c.id.table).scalar_subquery()


def _error(scope: Scope) -> Sql:
    troubled = outbox.c.state.in_([_literal(state) for state in _RANKS])
    found = sa.select(outbox.c.error).where(outbox.c.interaction_id == scope.c.id, troubled)
    return found.order_by(outbox.c.id).limit(1).correlate(scope.c.id.table).scalar_subquery()


def _of_message(scope: Scope) -> Sql:
    """The state of a message; null when nothing is written to the system that its interaction comes from."""
    own = (
        outbox.c.interaction_id == scope.c.interaction_id,
        outbox.c.message_id == scope.c.id,
        outbox.c.slot.is_(None),
    )
    written = (
        sa.select(_literal(UpstreamState.SYNCED))
        .select_from(mirrored.join(connected_system))
        .where(mirrored.c.id == scope.c.interaction_id, connected_system.c.cannot.is_not(None))
    )
    return sa.func.coalesce(_worst(*own), written.correlate(scope.c.id.table).scalar_subquery())


OUTBOX: tuple[Mapped, ...] = (
    TypeMap(
        "OutboxEntry",
        outbox,
        prefix=ENTRY_PREFIX,
        fields={
            "lastError": Column(lambda scope: scope.c.error),
            "aboutMessage": One("Message", lambda scope: scope.c.message_id),
            "user": One("User", lambda scope: scope.c.actor_id),
        },
        visible=lambda permissions, scope: seen_by_key(permissions, scope.c.interaction_id),
    ),
)

UPSTREAM_FIELDS: Mapping[str, FieldMap] = {
    "state": Column(_state),
    "pending": Column(_pending),
    "error": Column(_error),
    "entries": Many("OutboxEntry", keyed("interaction_id"), _OLDEST, "OLDEST", inherits=True),
    "lastSyncedAt": Column(lambda scope: scope.c.synced_at),
}
"""The outbox fields of an interaction's place in another system."""

MESSAGE_STATE = Column(_of_message)
