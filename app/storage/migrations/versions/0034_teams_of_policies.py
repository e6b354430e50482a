"""The teams whose interactions a policy is about."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import JsonValue

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.add_column("policy", sa.Column("team_ids", JsonValue))


def downgrade() -> None:
    op.drop_column("policy", "team_ids")
