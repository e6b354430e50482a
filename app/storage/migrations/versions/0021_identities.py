"""People at identity providers, and the users that they sign in as."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, Timestamp, surrogate_key

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "user_identity",
        surrogate_key(),
        sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.UniqueConstraint("issuer", "subject", name="uq_user_identity_issuer_subject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_user_identity_user_id", "user_identity", ["user_id", "id"])


def downgrade() -> None:
    op.drop_table("user_identity")
