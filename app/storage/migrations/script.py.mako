"""${message}."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonText, JsonValue, Timestamp

revision = "${up_revision}"
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    op.create_table(
        "thing",
        sa.Column("id", BigId, sa.Identity(), primary_key=True),
        sa.Column("thing_key", sa.Text, nullable=False, unique=True),
        sa.Column("owner_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("metadata", JsonText, nullable=False),
        sa.Column("tags", JsonValue, nullable=False),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("thing")
