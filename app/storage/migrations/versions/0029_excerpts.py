"""Which interaction an excerpt of an answer is about, so that it is erased with it."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

_WITH_EXCERPT = sa.text("excerpt IS NOT NULL")


def upgrade() -> None:
    # Whose interaction was erased before this, nothing would erase any more.
    op.execute(
        "UPDATE delivery SET excerpt = NULL WHERE interaction_id IS NOT NULL AND excerpt IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM interaction WHERE interaction.id = delivery.interaction_id)"
    )
    op.create_index(
        "ix_delivery_excerpt",
        "delivery",
        ["interaction_id"],
        sqlite_where=_WITH_EXCERPT,
        postgresql_where=_WITH_EXCERPT,
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_excerpt", "delivery")
