"""Which pepper an API key is digested with, and which bootstrap keys there have been."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, Timestamp, surrogate_key

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "key_pepper",
        surrogate_key(),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("is_current", sa.Boolean, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("ended_at", Timestamp),
        sa.UniqueConstraint("fingerprint", name="uq_key_pepper_fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "bootstrap_key",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("api_key_id", BigId, sa.ForeignKey("api_key.id"), nullable=False),
    )
    with op.batch_alter_table("api_key") as batch:
        batch.add_column(sa.Column("pepper_id", BigId))
        batch.create_foreign_key("fk_api_key_pepper_id_key_pepper", "key_pepper", ["pepper_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("api_key") as batch:
        batch.drop_constraint("fk_api_key_pepper_id_key_pepper", type_="foreignkey")
        batch.drop_column("pepper_id")
    op.drop_table("bootstrap_key")
    op.drop_table("key_pepper")
