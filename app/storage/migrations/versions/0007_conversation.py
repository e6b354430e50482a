"""Conversations, and the channel agents through which they are held."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, Timestamp

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "channel_agent",
        sa.Column("id", BigId, sa.Identity(), primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("display_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("in_sync", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
        sa.UniqueConstraint("channel", "display_id", name="uq_channel_agent_channel_display_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "conversation",
        sa.Column("id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("conversation_id", sa.Integer, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("channel_agent_id", BigId, sa.ForeignKey("channel_agent.id"), nullable=False),
        sa.Column("customer_id", BigId, sa.ForeignKey("customer.id", ondelete="CASCADE"), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("snooze_until", Timestamp),
        sa.Column("last_customer_reply_from", Timestamp),
        sa.Column("reply_until", Timestamp),
        sa.Column("customer_interaction_required", sa.Boolean, nullable=False),
        sa.Column("turns_at", Timestamp),
        sa.UniqueConstraint("conversation_id", name="uq_conversation_conversation_id"),
        sa.UniqueConstraint("channel_agent_id", "customer_id", name="uq_conversation_channel_agent_id_customer_id"),
    )
    op.create_index("ix_conversation_customer_id", "conversation", ["customer_id"])
    op.create_index(
        "ix_conversation_turns_at",
        "conversation",
        ["turns_at"],
        sqlite_where=sa.text("turns_at IS NOT NULL"),
        postgresql_where=sa.text("turns_at IS NOT NULL"),
    )
    unread = sa.text("kind = 'conversation' AND unread_customer_messages_count > 0")
    op.create_index(
        "ix_interaction_unread_conversation", "interaction", ["id"], sqlite_where=unread, postgresql_where=unread
    )
    counter = op.create_table(
        "conversation_counter",
        sa.Column("id", BigId, primary_key=True, autoincrement=False),
        sa.Column("last", sa.Integer, nullable=False),
    )
    op.bulk_insert(counter, [{"id": 1, "last": 0}])


def downgrade() -> None:
    op.drop_index("ix_interaction_unread_conversation", "interaction")
    for name in ("conversation_counter", "conversation", "channel_agent"):
        op.drop_table(name)
