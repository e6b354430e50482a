"""The tables of Sessions and their suggested messages."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonValue, metadata, surrogate_key, table

session = sa.Table(
    "session",
    metadata,
    sa.Column("id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("session_key", sa.Text, nullable=False, unique=True),
    sa.Column("need_attention", sa.Boolean, nullable=False),
    sa.Column("tags", JsonValue, nullable=False),
    sa.Column("topics", JsonValue, nullable=False),
)

suggested_message = table(
    "suggested_message",
    surrogate_key(),
    sa.Column("session_id", BigId, sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    # Its place in the list, from 0.
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("suggestion_key", sa.Text, nullable=False, unique=True),
    sa.Column("remote_id", sa.Text),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("selected_count", sa.Integer, nullable=False),
    sa.Index("ix_suggested_message_session", "session_id", "place", "id"),
)
