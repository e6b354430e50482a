"""Since when permissions are held, and the sign-ins of people."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import JsonText, Timestamp

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    op.add_column("app_user", sa.Column("granted_at", JsonText, nullable=False, server_default=sa.text("'{}'")))
    for name in ("first_signed_in_at", "signed_in_at", "token_ends_at"):
        op.add_column("user_identity", sa.Column(name, Timestamp))
    op.add_column("user_identity", sa.Column("groups", JsonText, nullable=False, server_default=sa.text("'{}'")))


def downgrade() -> None:
    for name in ("groups", "token_ends_at", "signed_in_at", "first_signed_in_at"):
        op.drop_column("user_identity", name)
    op.drop_column("app_user", "granted_at")
