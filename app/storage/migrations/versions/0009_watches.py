"""Who watches what: a lease of each process, in place of one of each viewer that no process could end for itself."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, Timestamp

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.drop_table("viewer")
    op.create_table(
        "watch",
        sa.Column("subject", BigId, primary_key=True, autoincrement=False),
        sa.Column("user_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("holder", sa.Text, primary_key=True),
        sa.Column("listeners", sa.Integer, nullable=False),
        sa.Column("until", Timestamp, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("watch")
    op.create_table(
        "viewer",
        sa.Column("interaction_id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("until", Timestamp, nullable=False),
        sqlite_with_rowid=False,
    )
