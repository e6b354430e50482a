"""Sessions and the messages suggested in them."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonValue

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "session",
        sa.Column(
            "id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("session_key", sa.Text, nullable=False, unique=True),
        sa.Column("need_attention", sa.Boolean, nullable=False),
        sa.Column("tags", JsonValue, nullable=False),
        sa.Column("topics", JsonValue, nullable=False),
    )
    op.create_table(
        "suggested_message",
        sa.Column("id", BigId, sa.Identity(), primary_key=True),
        sa.Column("session_id", BigId, sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("suggestion_key", sa.Text, nullable=False, unique=True),
        sa.Column("remote_id", sa.Text),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("selected_count", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_suggested_message_session", "suggested_message", ["session_id", "place", "id"])


def downgrade() -> None:
    op.drop_table("suggested_message")
    op.drop_table("session")
