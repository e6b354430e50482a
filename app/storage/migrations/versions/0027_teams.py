"""Teams, their members and borders, the team of an interaction, and indexes of it for each order of lists."""

from functools import partial

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.steps import Steps
from app.storage.tables import BigId, JsonValue, Timestamp

revision = "0027"
down_revision = "0026"

_ORDERS = ("active", "created", "updated")
_QUEUED = sa.text("attention_level IS NOT NULL")


def upgrade() -> None:
    steps = Steps()
    steps.once("teams", _add_tables)
    steps.once("team of interactions", _add_columns)
    for order in _ORDERS:
        steps.once(f"team index {order}", partial(_add_index, order))
    steps.once("team index queue", _add_queue_index)


def downgrade() -> None:
    for name in (*_ORDERS, "queue"):
        op.drop_index(f"ix_interaction_team_{name}", "interaction")
    for name in ("team_id", "team_fixed"):
        op.drop_column("interaction", name)
    for name in ("team_border", "team_member", "team"):
        op.drop_table(name)


def _add_tables() -> None:
    op.create_table(
        "team",
        sa.Column("id", BigId, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False, unique=True),
        sa.Column("account_ids", JsonValue, nullable=False),
        sa.Column("labels", JsonValue, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", BigId, sa.ForeignKey("team.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_team_member_user", "team_member", ["user_id", "team_id"])
    op.create_table(
        "team_border",
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("team_id", BigId, sa.ForeignKey("team.id", ondelete="CASCADE"), nullable=False, index=True),
        sqlite_with_rowid=False,
    )


def _add_columns() -> None:
    op.add_column("interaction", sa.Column("team_id", BigId, nullable=False, server_default=sa.text("0")))
    op.add_column("interaction", sa.Column("team_fixed", sa.Boolean, nullable=False, server_default=sa.false()))


def _add_index(order: str) -> None:
    op.create_index(f"ix_interaction_team_{order}", "interaction", ["team_id", "kind", "state", f"{order}_at", "id"])


def _add_queue_index() -> None:
    columns = ["team_id", "kind", "attention_level", "attention_since", "id"]
    op.create_index("ix_interaction_team_queue", "interaction", columns, sqlite_where=_QUEUED, postgresql_where=_QUEUED)
