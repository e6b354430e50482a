"""The tables of connections, deliveries and mirrored interactions."""

from typing import Any

import sqlalchemy as sa

from app.connections.model.standing import MANY_TRIES
from app.interactions.remote import HINT
from app.storage.tables import BigId, JsonValue, Timestamp, metadata, surrogate_key, table

PENDING, PARKED, DONE = "PENDING", "PARKED", "DONE"
"""The state of a delivery."""


def in_state(state: str) -> sa.TextClause:
    """The condition on a delivery's state, spelled as in the partial indexes."""
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
    # For a system that is read and written: its address, the sealed token, and the names of the commands that it cannot
    # do, separated by spaces. Null for one that only sends deliveries.
    sa.Column("address", sa.Text),
    sa.Column("credential", sa.Text),
    sa.Column("cannot", sa.Text),
    # Why the latest attempt did not reach it.
    sa.Column("reach_fault", sa.Text),
    sa.Column("polled_at", Timestamp),
    # Where the next poll continues, in the connector's own form.
    sa.Column("poll_cursor", sa.Text),
    # The complete walk through its list: when the latest one ended, and how far the current one has come.
    sa.Column("walked_at", Timestamp),
    sa.Column("walk_began_at", Timestamp),
    sa.Column("walk_page", sa.Integer),
    sa.Column("walk_pages", sa.Integer),
    sa.Column("walk_after", sa.Text),
    # What the latest walk missed, if it was too much to be deleted here, and how much a human has confirmed.
    sa.Column("missing", sa.Integer),
    sa.Column("missing_allowed", sa.Integer),
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
    # The sender's id of the delivery, which identifies a repeat. It is kept for a while after the delivery was applied.
    sa.Column("event_key", sa.Text, nullable=False),
    sa.Column("received_at", Timestamp, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    # As received; null once it was applied.
    sa.Column("body", sa.Text),
    sa.Column("attempts", sa.SmallInteger, nullable=False),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("reason", sa.Text),
    # The customer it is about, by the sender's key and by ours: the customer's words are erased with the customer.
    sa.Column("about", sa.Text),
    sa.Column("customer_id", BigId, sa.ForeignKey("customer.id", ondelete="CASCADE")),
    sa.Index("uq_inbox_event_key", "connection_id", "event_key", unique=True),
    _partial("ix_inbox_pending", "connection_id", "id", "due_at", where=in_state(PENDING)),
    _partial("ix_inbox_parked", "connection_id", "id", where=in_state(PARKED)),
    _partial("ix_inbox_about", "connection_id", "about", where=sa.text("about IS NOT NULL")),
    _partial("ix_inbox_customer", "customer_id", where=sa.text("customer_id IS NOT NULL")),
    _partial("ix_inbox_done", "received_at", "id", where=in_state(DONE)),
)

mirrored = sa.Table(
    "mirrored",
    metadata,
    # One row for each interaction that came from another system. All other interactions are local.
    sa.Column("id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), nullable=False),
    sa.Column("upstream_key", sa.Text, nullable=False),
    sa.Column("synced_at", Timestamp, nullable=False),
    # A digest of its content there when it was last read, and the URL where people see it there.
    sa.Column("fingerprint", sa.Text),
    sa.Column("url", sa.Text),
    # When the latest write was confirmed: an earlier read does not show it.
    sa.Column("written_at", Timestamp),
    sa.Index("uq_mirrored_key", "connection_id", "upstream_key", unique=True),
)

mirrored_note = sa.Table(
    "mirrored_note",
    metadata,
    # The notes of mirrored interactions that the other system has too, by its keys.
    sa.Column(
        "interaction_id",
        BigId,
        sa.ForeignKey("interaction.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("upstream_key", sa.Text, primary_key=True),
    # Null for a note that was deleted here.
    sa.Column("note_id", BigId),
)

IS_FAILING = sa.text(f"attempts >= {MANY_TRIES}")
"""That a mark has failed many times, as the partial index spells it."""

dirty = table(
    "dirty",
    # What must be read again from another system. Many reasons to read the same thing become one mark.
    surrogate_key(),
    sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), nullable=False),
    sa.Column("upstream_key", sa.Text, nullable=False),
    # The fingerprint in the list when the mark was set.
    sa.Column("fingerprint", sa.Text),
    # History is read after everything else.
    sa.Column("quiet", sa.Boolean, nullable=False),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Index("uq_dirty_key", "connection_id", "upstream_key", unique=True),
    sa.Index("ix_dirty_due", "connection_id", "quiet", "due_at"),
    _partial("ix_dirty_failing", "connection_id", "id", where=IS_FAILING),
)

MISSING, AGAIN = f"{HINT}missing", f"{HINT}again"
"""The fingerprints of special marks: of what a complete walk did not find, and of what is read again after a while."""

forgotten = sa.Table(
    "forgotten",
    metadata,
    # What was erased here and may still be there: nothing of it from before the erasure comes back.
    sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), primary_key=True, autoincrement=False),
    sa.Column("upstream_key", sa.Text, primary_key=True),
    sa.Column("forgotten_at", Timestamp, nullable=False),
    # Its content there when it was last read without being taken in.
    sa.Column("fingerprint", sa.Text),
)

IS_ACTIVE = sa.text("state IN ('WAITING', 'SENDING', 'LOOKING')")
"""That an entry of the outbox is still worked on, as the partial index spells it."""

outbox = table(
    "outbox",
    surrogate_key(),
    sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), nullable=False),
    sa.Column("interaction_id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    # What a value is set of, so that a newer value takes the place of an older one; null for what creates something.
    sa.Column("slot", sa.Text),
    sa.Column("value", JsonValue),
    # What the other system had before, as far as is known: a refusal brings it back.
    sa.Column("confirmed", JsonValue),
    sa.Column("message_id", BigId),
    sa.Column("actor_id", BigId),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("deadline", Timestamp, nullable=False),
    sa.Column("tried_at", Timestamp),
    sa.Column("error", sa.Text),
    sa.Index("ix_outbox_interaction", "interaction_id", "id"),
    _partial("ix_outbox_active", "connection_id", "interaction_id", "id", where=IS_ACTIVE),
    sa.Index("ix_outbox_connection", "connection_id", "state"),
)


def is_mirrored(scope: Any) -> sa.ColumnElement[bool]:
    """Whether an interaction came from another system, even one that is no longer connected."""
    return sa.exists().where(mirrored.c.id == scope.c.id).correlate(scope.c.id.table)


def connection_of(scope: Any) -> sa.ColumnElement[Any]:
    """The surrogate of the connection that an interaction came through; null for one of ours."""
    found = sa.select(mirrored.c.connection_id).where(mirrored.c.id == scope.c.id)
    return found.correlate(scope.c.id.table).scalar_subquery()


def is_down(scope: Any) -> sa.ColumnElement[bool]:
    """Whether the connection of an interaction cannot write to its system now: it is paused or deleted, cannot read its
    token, or did not get through. That the system sends no deliveries stops no write."""
    of = connected_system.c
    unreached = of.reach_fault != sa.literal_column("'HOOK'", sa.Text)
    stopped = sa.or_(of.paused, of.fault.is_not(None), unreached)
    return (
        sa.exists()
        .select_from(mirrored.join(connected_system))
        .where(mirrored.c.id == scope.c.id, of.address.is_not(None), stopped)
        .correlate(scope.c.id.table)
    )


def cannot_of(scope: Any) -> sa.ColumnElement[Any]:
    """The commands that the connection of an interaction cannot do; null for one to which nothing is written."""
    found = (
        sa.select(connected_system.c.cannot)
        .select_from(mirrored.join(connected_system))
        .where(mirrored.c.id == scope.c.id)
    )
    return found.correlate(scope.c.id.table).scalar_subquery()
