"""The teams that a ticket's token granted."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import JsonValue

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.add_column("stream_ticket", sa.Column("team_ids", JsonValue, nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    op.drop_column("stream_ticket", "team_ids")
