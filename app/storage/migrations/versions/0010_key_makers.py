"""Which key made an API key."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("api_key") as batch:
        batch.add_column(sa.Column("made_by_id", BigId))
        batch.create_foreign_key(
            "fk_api_key_made_by_id_api_key", "api_key", ["made_by_id"], ["id"], ondelete="SET NULL"
        )
        batch.create_index("ix_api_key_made_by_id", ["made_by_id"])


def downgrade() -> None:
    with op.batch_alter_table("api_key") as batch:
        batch.drop_index("ix_api_key_made_by_id")
        batch.drop_constraint("fk_api_key_made_by_id_api_key", type_="foreignkey")
        batch.drop_column("made_by_id")
