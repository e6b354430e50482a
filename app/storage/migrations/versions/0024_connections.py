"""Connections to other systems, what they delivered, and which interactions came by them."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonValue, Timestamp, surrogate_key

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "connected_system",
        surrogate_key(),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("settings", JsonValue, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
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
        sqlite_autoincrement=True,
    )
    _index("uq_connected_system_name", "connected_system", "name", where="deleted_at IS NULL", unique=True)
    op.create_table(
        "inbox",
        surrogate_key(),
        sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), nullable=False),
        sa.Column("event_key", sa.Text, nullable=False),
        sa.Column("received_at", Timestamp, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("due_at", Timestamp, nullable=False),
        sa.Column("reason", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_inbox_event_key", "inbox", ["connection_id", "event_key"], unique=True)
    _index("ix_inbox_pending", "inbox", "connection_id", "id", "due_at", where="state = 'PENDING'")
    _index("ix_inbox_parked", "inbox", "connection_id", "id", where="state = 'PARKED'")
    _index("ix_inbox_done", "inbox", "received_at", "id", where="state = 'DONE'")
    op.create_table(
        "mirrored",
        sa.Column(
            "id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), nullable=False),
        sa.Column("upstream_key", sa.Text, nullable=False),
        sa.Column("synced_at", Timestamp, nullable=False),
    )
    op.create_index("uq_mirrored_key", "mirrored", ["connection_id", "upstream_key"], unique=True)


def downgrade() -> None:
    for name in ("mirrored", "inbox", "connected_system"):
        op.drop_table(name)


def _index(name: str, table: str, *columns: str, where: str, unique: bool = False) -> None:
    on = sa.text(where)
    op.create_index(name, table, list(columns), unique=unique, sqlite_where=on, postgresql_where=on)
