"""The tickets of open sessions, which end with them."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.add_column("open_session", sa.Column("ticket_id", BigId))


def downgrade() -> None:
    op.drop_column("open_session", "ticket_id")
