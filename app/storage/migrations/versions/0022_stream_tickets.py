"""Tickets by which clients that send no headers begin and resume one stream."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonValue, Timestamp, surrogate_key

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "stream_ticket",
        surrogate_key(),
        sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
        sa.Column("key_id", BigId, sa.ForeignKey("api_key.id", ondelete="CASCADE")),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("permissions", JsonValue, nullable=False),
        sa.Column("is_admin", sa.Boolean, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("begins_before", Timestamp, nullable=False),
        sa.Column("ends_at", Timestamp, nullable=False),
        sa.Column("request", sa.Text),
        sa.UniqueConstraint("digest", name="uq_stream_ticket_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_stream_ticket_user_id", "stream_ticket", ["user_id"])
    op.create_index("ix_stream_ticket_key_id", "stream_ticket", ["key_id"])
    op.create_index("ix_stream_ticket_ends_at", "stream_ticket", ["ends_at"])


def downgrade() -> None:
    op.drop_table("stream_ticket")
