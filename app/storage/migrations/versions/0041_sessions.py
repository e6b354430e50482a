"""The sessions that are open, and when a user's were ended."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, Timestamp

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.add_column("app_user", sa.Column("sessions_ended_at", Timestamp))
    op.create_table(
        "open_session",
        sa.Column("id", BigId, primary_key=True, autoincrement=False),
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("key_id", BigId),
        sa.Column("transport", sa.Text, nullable=False),
        sa.Column("credential", sa.Text, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("began_at", Timestamp, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", Timestamp, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_open_session_user_id", "open_session", ["user_id", "id"])
    op.create_index("ix_open_session_until", "open_session", ["until"])


def downgrade() -> None:
    op.drop_table("open_session")
    op.drop_column("app_user", "sessions_ended_at")
