"""What is still to be done in connected systems, and what is to be read from them again."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonValue, Timestamp, surrogate_key

revision = "0032"
down_revision = "0031"

_SYSTEM = ("address", "credential", "cannot", "reach_fault")
_ACTIVE = sa.text("state IN ('WAITING', 'SENDING', 'LOOKING')")


def upgrade() -> None:
    for name in _SYSTEM:
        op.add_column("connected_system", sa.Column(name, sa.Text))
    for name in ("polled_at", "walked_at", "walk_began_at"):
        op.add_column("connected_system", sa.Column(name, Timestamp))
    for name in ("walk_page", "walk_pages"):
        op.add_column("connected_system", sa.Column(name, sa.Integer))
    op.add_column("mirrored", sa.Column("fingerprint", sa.Text))
    op.add_column("mirrored", sa.Column("url", sa.Text))
    op.add_column("mirrored", sa.Column("written_at", Timestamp))
    op.add_column("interaction", sa.Column("sync_trouble", sa.Text))
    op.add_column("interaction", sa.Column("sync_user_id", BigId))
    op.create_table(
        "dirty",
        sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), primary_key=True, autoincrement=False),
        sa.Column("upstream_key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text),
        sa.Column("quiet", sa.Boolean, nullable=False),
        sa.Column("due_at", Timestamp, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_index("ix_dirty_due", "dirty", ["connection_id", "quiet", "due_at"])
    op.create_table(
        "forgotten",
        sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), primary_key=True, autoincrement=False),
        sa.Column("upstream_key", sa.Text, primary_key=True),
        sa.Column("forgotten_at", Timestamp, nullable=False),
        sa.Column("fingerprint", sa.Text),
    )
    op.create_table(
        "outbox",
        surrogate_key(),
        sa.Column("connection_id", BigId, sa.ForeignKey("connected_system.id"), nullable=False),
        sa.Column("interaction_id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("slot", sa.Text),
        sa.Column("value", JsonValue),
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
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_interaction", "outbox", ["interaction_id", "id"])
    op.create_index(
        "ix_outbox_active",
        "outbox",
        ["connection_id", "interaction_id", "id"],
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    )
    op.create_index("ix_outbox_connection", "outbox", ["connection_id", "state"])


def downgrade() -> None:
    for name in ("outbox", "forgotten", "dirty"):
        op.drop_table(name)
    for table, names in (
        ("interaction", ("sync_trouble", "sync_user_id")),
        ("mirrored", ("fingerprint", "url", "written_at")),
        ("connected_system", (*_SYSTEM, "polled_at", "walked_at", "walk_began_at", "walk_page", "walk_pages")),
    ):
        for name in names:
            op.drop_column(table, name)
