"""Deadlines: one column says when time alone has something to do, in place of one for each cause; chores that recur."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import Timestamp

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("interaction", sa.Column("due_at", Timestamp))
    failures = sa.Column("due_failures", sa.SmallInteger, nullable=False, server_default=sa.text("0"))
    op.add_column("interaction", failures)
    # Early is right: what is not due yet when it comes up is set to its time.
    for kind, source in (
        ("conversation", "(SELECT turns_at FROM conversation WHERE conversation.id = interaction.id)"),
        ("agent_session", "(SELECT expires_at FROM agent_session WHERE agent_session.id = interaction.id)"),
        ("chat_session", "(SELECT when_ended FROM chat_session WHERE chat_session.id = interaction.id)"),
        ("session", "CASE WHEN state = 'OPEN' THEN active_at END"),
    ):
        op.execute(f"UPDATE interaction SET due_at = {source} WHERE kind = '{kind}'")
    op.execute("UPDATE interaction SET due_at = claimed_until WHERE due_at > claimed_until OR due_at IS NULL")
    op.drop_index("ix_interaction_claim", "interaction")
    _partial("ix_interaction_due", "interaction", ["due_at", "id"], "due_at IS NOT NULL")
    op.drop_index("ix_conversation_turns_at", "conversation")
    op.drop_column("conversation", "turns_at")
    op.drop_index("ix_agent_session_expires", "agent_session")
    op.drop_column("agent_session", "expires_at")
    op.drop_index("ix_chat_session_deleted", "chat_session")
    op.create_table(
        "chore",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("due_at", Timestamp, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("chore")
    _partial("ix_chat_session_deleted", "chat_session", ["when_ended", "id"], "status = 'DELETED'")
    op.add_column("agent_session", sa.Column("expires_at", Timestamp))
    _partial("ix_agent_session_expires", "agent_session", ["expires_at"], "expires_at IS NOT NULL")
    op.add_column("conversation", sa.Column("turns_at", Timestamp))
    _partial("ix_conversation_turns_at", "conversation", ["turns_at"], "turns_at IS NOT NULL")
    op.drop_index("ix_interaction_due", "interaction")
    _partial("ix_interaction_claim", "interaction", ["claimed_until"], "claimed_until IS NOT NULL")
    op.drop_column("interaction", "due_failures")
    op.drop_column("interaction", "due_at")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
