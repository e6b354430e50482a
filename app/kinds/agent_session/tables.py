"""The tables of AI agents and AgentSessions."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonText, JsonValue, Timestamp, metadata, surrogate_key, table

ai_agent = table(
    "ai_agent",
    surrogate_key(),
    sa.Column("agent_key", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("metadata", JsonText, nullable=False),
    sa.Column("tool_configurations", JsonText, nullable=False),
    sa.Column("model", JsonText, nullable=False),
    sa.Column("first_step", JsonText, nullable=False),
    sa.Column("first_step_name", sa.Text),
    sa.Column("steps", JsonText, nullable=False),
    sa.Column("skills", JsonText, nullable=False),
    sa.Column("compaction", JsonText),
    sa.Column("enabled", sa.Boolean, nullable=False),
    # For an agent of a connected system, which creates its sessions.
    sa.Column("connection_id", BigId),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

agent_session = sa.Table(
    "agent_session",
    metadata,
    sa.Column("id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("agent_id", BigId, sa.ForeignKey("ai_agent.id"), nullable=False),
    sa.Column("agent_session_key", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    # The caller's own text: key order, spelling of numbers and white space are kept.
    sa.Column("metadata", JsonText, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("tti_minutes", sa.BigInteger, nullable=False),
    sa.Column("current_step_name", sa.Text),
    sa.Column("session_context_usage", JsonValue),
    sa.Column("effective_compaction", JsonValue),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_by_agent_key", sa.Text),
    sa.Column("created_by_session_key", sa.Text),
    sa.Column("alias_key", sa.Text),
    # Only names: a value that is not stored cannot leak.
    sa.Column("secrets", JsonValue, nullable=False),
    sa.UniqueConstraint("agent_id", "agent_session_key"),
)
