"""The event log and its lanes."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonText, Timestamp

revision = "0001"
down_revision = None

LANES = {"postgresql": 64, "sqlite": 1}


def upgrade() -> None:
    lane = op.create_table(
        "lane",
        sa.Column("id", BigId, primary_key=True, autoincrement=False),
        sa.Column("head", BigId, nullable=False),
        sa.Column("oldest", BigId, nullable=False),
    )
    op.create_table(
        "event_log",
        sa.Column("lane", BigId, primary_key=True, autoincrement=False),
        sa.Column("position", BigId, primary_key=True, autoincrement=False),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("kind", sa.Text),
        sa.Column("interaction_id", BigId),
        sa.Column("customer_id", BigId),
        sa.Column("assignee_id", BigId),
        sa.Column("actor_id", BigId),
        sa.Column("client_mutation_id", sa.Text),
        sa.Column("version", BigId),
        sa.Column("level_before", BigId),
        sa.Column("level_after", BigId),
        sa.Column("data", JsonText, nullable=False),
    )
    op.create_index("ix_event_log_interaction_id_position", "event_log", ["interaction_id", "position"])
    lanes = LANES[op.get_context().dialect.name]
    op.bulk_insert(lane, [{"id": number, "head": 0, "oldest": 1} for number in range(lanes)])


def downgrade() -> None:
    op.drop_table("event_log")
    op.drop_table("lane")
