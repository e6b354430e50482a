"""Policies: which attention is told to which destinations, when, and how often."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonValue, Timestamp

revision = "0030"
down_revision = "0029"

_DUE = sa.text("due_at IS NOT NULL")
# SQLite copies the table, which would forget that ids are never given out again.
_COPIED = {"sqlite_autoincrement": True}


def upgrade() -> None:
    with op.batch_alter_table("destination", table_kwargs=_COPIED) as batch:
        batch.alter_column("document", existing_type=sa.Text(), nullable=True)
        batch.alter_column("secret", existing_type=sa.Text(), nullable=True)
    op.add_column("delivery", sa.Column("policy_id", BigId))
    op.create_table(
        "policy",
        sa.Column("id", BigId, sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("kinds", JsonValue),
        sa.Column("levels", JsonValue),
        sa.Column("reasons", JsonValue),
        sa.Column("destination_ids", JsonValue, nullable=False),
        sa.Column("after_minutes", sa.Integer, nullable=False),
        sa.Column("again_minutes", sa.Integer),
        sa.Column("quiet_from", sa.Text),
        sa.Column("quiet_to", sa.Text),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alert",
        sa.Column("id", BigId, sa.Identity(), primary_key=True),
        sa.Column("policy_id", BigId, nullable=False),
        sa.Column("interaction_id", BigId, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("told_to", JsonValue, nullable=False),
        sa.Column("level", sa.SmallInteger),
        sa.Column("team_id", BigId, nullable=False),
        sa.Column("due_at", Timestamp),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_alert_of", "alert", ["interaction_id", "policy_id"], unique=True)
    op.create_index("ix_alert_policy_id", "alert", ["policy_id"])
    op.create_index("ix_alert_due", "alert", ["due_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_table(
        "alerting",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("sweep_after", BigId),
    )


def downgrade() -> None:
    op.drop_table("alerting")
    op.drop_table("alert")
    op.drop_table("policy")
    op.drop_column("delivery", "policy_id")
    op.execute("DELETE FROM destination WHERE document IS NULL OR secret IS NULL")
    with op.batch_alter_table("destination", table_kwargs=_COPIED) as batch:
        batch.alter_column("secret", existing_type=sa.Text(), nullable=False)
        batch.alter_column("document", existing_type=sa.Text(), nullable=False)
