"""Whom a delivery that failed is about, so that it is erased with its customer."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId

revision = "0026"
down_revision = "0025"

_KNOWN = sa.text("customer_id IS NOT NULL")
_FOREIGN_KEY = "fk_inbox_customer_id_customer"
# SQLite copies the table, which would forget that ids are never given out again.
_COPIED = {"sqlite_autoincrement": True}


def upgrade() -> None:
    with op.batch_alter_table("inbox", table_kwargs=_COPIED) as batch:
        batch.add_column(sa.Column("customer_id", BigId))
        batch.create_foreign_key(_FOREIGN_KEY, "customer", ["customer_id"], ["id"], ondelete="CASCADE")
    op.create_index("ix_inbox_customer", "inbox", ["customer_id"], sqlite_where=_KNOWN, postgresql_where=_KNOWN)


def downgrade() -> None:
    op.drop_index("ix_inbox_customer", "inbox")
    with op.batch_alter_table("inbox", table_kwargs=_COPIED) as batch:
        batch.drop_constraint(_FOREIGN_KEY, type_="foreignkey")
        batch.drop_column("customer_id")
