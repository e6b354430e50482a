"""What a ticket has beyond what all kinds share; private to the repository."""

import sqlalchemy as sa

from app.storage.tables import BigId, metadata

ticket = sa.Table(
    "ticket",
    metadata,
    sa.Column("id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("ticket_number", sa.Text, nullable=False, unique=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
)
