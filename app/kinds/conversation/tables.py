"""The tables of conversations and channel agents."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonValue, Timestamp, metadata, surrogate_key, table

channel_agent = table(
    "channel_agent",
    surrogate_key(),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("display_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("in_sync", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.UniqueConstraint("channel", "display_id"),
)

conversation = sa.Table(
    "conversation",
    metadata,
    sa.Column("id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("conversation_id", sa.Integer, nullable=False, unique=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("channel_agent_id", BigId, sa.ForeignKey("channel_agent.id"), nullable=False),
    # A copy of the interaction's customer, for the unique constraint: one conversation per customer and channel agent.
    sa.Column("customer_id", BigId, sa.ForeignKey("customer.id", ondelete="CASCADE"), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("snooze_until", Timestamp),
    sa.Column("last_customer_reply_from", Timestamp),
    sa.Column("reply_until", Timestamp),
    sa.Column("customer_interaction_required", sa.Boolean, nullable=False),
    sa.Column("woken", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("restart_message_ids", JsonValue, nullable=False, server_default=sa.text("'[]'")),
    sa.UniqueConstraint("channel_agent_id", "customer_id"),
    sa.Index("ix_conversation_customer_id", "customer_id"),
)

# The last number given out. A number is never given out again. A unit that takes one delays every other unit that
# opens a conversation, until its own conversation is visible.
conversation_counter = sa.Table(
    "conversation_counter",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=False),
    sa.Column("last", sa.Integer, nullable=False),
)
