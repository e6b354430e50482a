"""The tables of connections, deliveries and mirrored interactions; private to the slice."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonValue, Timestamp, metadata, surrogate_key, table

PENDING, PARKED, DONE = "PENDING", "PARKED", "DONE"
"""How far a delivery has come."""


def in_state(state: str) -> sa.TextClause:
    """The condition on a delivery's state, as the partial indexes spell it."""
    return sa.text(f"state = '{state}'")


def _partial(name: str, *columns: str, where: sa.TextClause, unique: bool = False) -> sa.Index:
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


connected_system = table(
    "connected_system",
    surrogate_key(),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("settings", JsonValue, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    # Sealed; null once the connection is deleted.
    sa.Column("secret", sa.Text),
    sa.Column("former_secret", sa.Text),
    sa.Column("former_until", Timestamp),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("fault", sa.Text),
    sa.Column("last_delivery_at", Timestamp),
    sa.Column("last_refused_at", Timestamp),
    sa.Column("refused_count", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Column("deleted_at", Timestamp),
    _partial("uq_connected_system_name", "name", where=sa.text("deleted_at IS NULL"), unique=True),
)

inbox = table(
    "inbox",
    surrogate_key(),
    sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), nullable=False),
    # The sender's id of the delivery, by which a repeat is known; kept for a while after it was applied.
    sa.Column("event_key", sa.Text, nullable=False),
    sa.Column("received_at", Timestamp, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    # As it came; null once it was applied.
    sa.Column("body", sa.Text),
    sa.Column("attempts", sa.SmallInteger, nullable=False),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("reason", sa.Text),
    # Whom it is about, as far as that is known of one that failed: what they wrote is erased with them.
    sa.Column("customer_id", BigId, sa.ForeignKey("customer.id", ondelete="CASCADE")),
    sa.Index("uq_inbox_event_key", "connection_id", "event_key", unique=True),
    _partial("ix_inbox_pending", "connection_id", "id", "due_at", where=in_state(PENDING)),
    _partial("ix_inbox_parked", "connection_id", "id", where=in_state(PARKED)),
    _partial("ix_inbox_customer", "customer_id", where=sa.text("customer_id IS NOT NULL")),
    _partial("ix_inbox_done", "received_at", "id", where=in_state(DONE)),
)

mirrored = sa.Table(
    "mirrored",
    metadata,
    # One row for each interaction that came from another system; all others are local.
    sa.Column("id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), nullable=False),
    sa.Column("upstream_key", sa.Text, nullable=False),
    sa.Column("synced_at", Timestamp, nullable=False),
    sa.Index("uq_mirrored_key", "connection_id", "upstream_key", unique=True),
)
