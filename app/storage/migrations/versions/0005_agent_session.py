"""AI agents and their sessions."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonText, JsonValue, Timestamp

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "ai_agent",
        sa.Column("id", BigId, sa.Identity(), primary_key=True),
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
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "agent_session",
        sa.Column(
            "id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("agent_id", BigId, sa.ForeignKey("ai_agent.id"), nullable=False),
        sa.Column("agent_session_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("metadata", JsonText, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("tti_minutes", sa.BigInteger, nullable=False),
        sa.Column("expires_at", Timestamp),
        sa.Column("current_step_name", sa.Text),
        sa.Column("session_context_usage", JsonValue),
        sa.Column("effective_compaction", JsonValue),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_by_agent_key", sa.Text),
        sa.Column("created_by_session_key", sa.Text),
        sa.Column("alias_key", sa.Text),
        sa.Column("secrets", JsonValue, nullable=False),
        sa.UniqueConstraint("agent_id", "agent_session_key"),
    )
    op.create_index(
        "ix_agent_session_expires",
        "agent_session",
        ["expires_at"],
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("agent_session")
    op.drop_table("ai_agent")
