"""Which answer was the first since a claim with a lease: a lease runs again only when none of them stands."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Of a lease that was ended before, it is not known which answer did: it stays ended."""
    op.add_column("interaction", sa.Column("lease_answer_id", BigId))


def downgrade() -> None:
    op.drop_column("interaction", "lease_answer_id")
