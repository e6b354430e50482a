"""The process that delivers to a destination."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.add_column("destination", sa.Column("holder", sa.Text))
    # Servers of the version before held these, and have stopped.
    op.execute("DELETE FROM lease WHERE name LIKE 'destination:%'")


def downgrade() -> None:
    op.drop_column("destination", "holder")
