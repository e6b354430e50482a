"""Which customer a delivery names, so that what waits is erased with the customer."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_OPEN = sa.text("about IS NOT NULL")


def upgrade() -> None:
    op.add_column("inbox", sa.Column("about", sa.Text))
    op.create_index("ix_inbox_about", "inbox", ["connection_id", "about"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def downgrade() -> None:
    op.drop_index("ix_inbox_about", "inbox")
    with op.batch_alter_table("inbox", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_column("about")
