"""The keys that other systems gave to notes."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    op.create_table(
        "mirrored_note",
        sa.Column(
            "interaction_id",
            BigId,
            sa.ForeignKey("interaction.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("upstream_key", sa.Text, primary_key=True),
        sa.Column("note_id", BigId),
    )


def downgrade() -> None:
    op.drop_table("mirrored_note")
