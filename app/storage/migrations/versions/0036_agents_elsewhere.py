"""AI agents of connected systems."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.add_column("ai_agent", sa.Column("connection_id", BigId))


def downgrade() -> None:
    op.drop_column("ai_agent", "connection_id")
