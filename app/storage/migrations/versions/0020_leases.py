"""Which process works on something that only one may work on at a time."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import Timestamp

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", Timestamp, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("lease")
