"""The tables of chat topics, their members and chats."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonValue, Timestamp, metadata, surrogate_key, table

chat_topic = table(
    "chat_topic",
    surrogate_key(),
    sa.Column("topic_id", sa.Integer, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("welcome_message", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("bot_enabled", sa.Boolean, nullable=False),
    sa.Column("initial_status", sa.Text, nullable=False),
    sa.Column("opening_hours", JsonValue, nullable=False),
    sa.Column("time_zone", sa.Text),
    sa.Column("offline_message", sa.Text),
    sa.Column("ticket_enabled", sa.Boolean, nullable=False),
    sa.Column("ticket_category_id", sa.Integer),
    sa.Column("ticket_priority_id", sa.Integer),
    # A copy of the members who may respond: every row of a list needs them to say what may be done to a chat.
    sa.Column("responders", JsonValue, nullable=False),
    # For a topic of another system: its key there, with the connection's surrogate.
    sa.Column("upstream_key", sa.Text),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Index(
        "uq_chat_topic_upstream_key",
        "upstream_key",
        unique=True,
        sqlite_where=sa.text("upstream_key IS NOT NULL"),
        postgresql_where=sa.text("upstream_key IS NOT NULL"),
    ),
)

chat_topic_member = table(
    "chat_topic_member",
    surrogate_key(),
    sa.Column("topic_id", BigId, sa.ForeignKey("chat_topic.id", ondelete="CASCADE"), nullable=False),
    sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("can_respond", sa.Boolean, nullable=False),
    sa.Column("can_listen", sa.Boolean, nullable=False),
    sa.Column("can_manage", sa.Boolean, nullable=False),
    sa.Column("can_notify", sa.Boolean, nullable=False),
    sa.UniqueConstraint("topic_id", "user_id"),
)

chat_session = sa.Table(
    "chat_session",
    metadata,
    sa.Column("id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("chat_session_id", sa.Integer, nullable=False, unique=True),
    sa.Column("topic_id", BigId, sa.ForeignKey("chat_topic.id"), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("person", JsonValue),
    sa.Column("contact", JsonValue),
    sa.Column("project", JsonValue),
    sa.Column("sale", JsonValue),
    sa.Column("ticket", JsonValue),
    sa.Column("customer_alias", sa.Text),
    sa.Column("customer_host", sa.Text),
    sa.Column("customer_name", sa.Text),
    sa.Column("customer_email", sa.Text),
    sa.Column("customer_phone", sa.Text),
    sa.Column("customer_company_name", sa.Text),
    sa.Column("customer_consented", sa.Boolean, nullable=False),
    sa.Column("first_message", sa.Text),
    sa.Column("last_message", sa.Text),
    sa.Column("when_requested", Timestamp),
    sa.Column("when_started", Timestamp),
    sa.Column("when_ended", Timestamp),
    sa.Column("when_idle", Timestamp),
    sa.Column("when_fetched", Timestamp),
    sa.Column("session_key_digest", sa.Text, nullable=False),
    sa.Column("initial_queue_pos", sa.Integer, nullable=False),
    sa.Column("alert_level", sa.Integer, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("rank_user_id", BigId, sa.ForeignKey("app_user.id")),
    sa.Column("customer_is_typing", sa.Boolean, nullable=False),
    sa.Column("user_is_typing", sa.Boolean, nullable=False),
    sa.Column("transfer_to_id", BigId, sa.ForeignKey("app_user.id")),
    sa.Column("rating", sa.Integer),
    # NULL, the rank's holder of an inactive chat, does not clash.
    sa.UniqueConstraint("rank_user_id", "rank"),
    sa.Index("ix_chat_session_topic", "topic_id", "status", "id"),
    sa.Index(
        "ix_chat_session_transfer",
        "transfer_to_id",
        sqlite_where=sa.text("transfer_to_id IS NOT NULL"),
        postgresql_where=sa.text("transfer_to_id IS NOT NULL"),
    ),
)

# The contract's keys are int32 and given out by us, unless an import brings its own.
chat_number = sa.Table(
    "chat_number",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("head", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
