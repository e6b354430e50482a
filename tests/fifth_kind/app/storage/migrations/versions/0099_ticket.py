"""Tickets."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId

revision = "0099"
down_revision = "{newest}"


def upgrade() -> None:
    op.create_table(
        "ticket",
        sa.Column(
            "id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("ticket_number", sa.Text, nullable=False, unique=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("ticket")
