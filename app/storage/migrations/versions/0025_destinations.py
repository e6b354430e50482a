"""Where alerts are delivered to, and what came of it."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonValue, Timestamp

revision = "0025"
down_revision = "0024"

_ERASABLE = sa.text("behind")


def upgrade() -> None:
    op.create_table(
        "destination",
        sa.Column("id", BigId, sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("owner_id", BigId, sa.ForeignKey("app_user.id"), nullable=False),
        sa.Column("permissions", JsonValue),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("operation_name", sa.Text),
        sa.Column("variables", JsonValue, nullable=False),
        sa.Column("most_in_flight", sa.Integer, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("former_secret", sa.Text),
        sa.Column("former_until", Timestamp),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("state_changed_at", Timestamp, nullable=False),
        sa.Column("failing_since", Timestamp),
        sa.Column("delivered_at", Timestamp),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "delivery",
        sa.Column("id", BigId, sa.Identity(), primary_key=True),
        sa.Column("destination_id", BigId, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("lane", sa.Integer),
        sa.Column("position", BigId),
        sa.Column("webhook_id", sa.Text, nullable=False),
        sa.Column("topic", sa.Text),
        sa.Column("interaction_id", BigId),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_attempt_at", Timestamp, nullable=False),
        sa.Column("attempted_at", Timestamp, nullable=False),
        sa.Column("next_attempt_at", Timestamp),
        sa.Column("latency_ms", sa.Integer, nullable=False),
        sa.Column("http_status", sa.Integer),
        sa.Column("fault", sa.Text),
        sa.Column("excerpt", sa.Text),
        sa.Column("behind", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_delivery_place", "delivery", ["destination_id", "run", "lane", "position"], unique=True)
    op.create_index("ix_delivery_destination_id", "delivery", ["destination_id", "id"])
    op.create_index(
        "ix_delivery_erasable",
        "delivery",
        ["attempted_at"],
        sqlite_where=_ERASABLE,
        postgresql_where=_ERASABLE,
    )


def downgrade() -> None:
    op.drop_table("delivery")
    op.drop_table("destination")
