"""Marks of what changes add to reports, and the figures that are made of them."""

import sqlalchemy as sa
from alembic import op

from app.core.clock import utc_now
from app.storage.migrations.steps import ROWS, Steps
from app.storage.tables import BigId, JsonText, Timestamp

revision = "0037"
down_revision = "0036"

_ANSWERS = (
    "FROM message WHERE message.interaction_id = interaction.id AND bearing = 'ANSWERS' AND author = 'USER'"
    " AND status <> 'ERROR'"
)
_WAITS, _DUE = sa.text("waited_since IS NOT NULL"), sa.text("due")


def upgrade() -> None:
    steps = Steps()
    steps.once("tables", _add_tables)
    steps.once("columns", _add_columns)
    # Without it, the next answer in an old interaction would count as its first.
    steps.rows(
        "first answers",
        "interaction",
        f"UPDATE interaction SET first_waited_since = (SELECT min(created_at) {_ANSWERS}) WHERE {ROWS}"
        f" AND EXISTS (SELECT 1 {_ANSWERS})",
    )


def downgrade() -> None:
    for name in ("first_waited_since", "opened_at"):
        op.drop_column("interaction", name)
    for name in ("report_cell", "report_state", "mark"):
        op.drop_table(name)


def _add_tables() -> None:
    op.create_table(
        "mark",
        sa.Column("id", BigId, sa.Identity(), primary_key=True),
        sa.Column("interaction_id", BigId, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("team_id", BigId, nullable=False),
        sa.Column("user_id", BigId),
        sa.Column("account", sa.Text),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("waited_since", Timestamp),
        sa.Column("outcome", sa.Text),
        sa.Column("is_first", sa.Boolean, nullable=False),
        sa.Column("opened_at", Timestamp),
        sa.Column("reopened", sa.Boolean, nullable=False),
        sa.Column("missed", sa.Boolean, nullable=False),
        sa.Column("stands", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("due", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("counted", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("waited_ms", BigId),
        sa.Column("within_target", sa.Boolean),
        sqlite_autoincrement=True,
    )
    columns = ["interaction_id", "waited_since"]
    op.create_index("ix_mark_wait", "mark", columns, sqlite_where=_WAITS, postgresql_where=_WAITS)
    op.create_index("ix_mark_due", "mark", ["id"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_table(
        "report_cell",
        sa.Column("by_user", sa.Boolean, primary_key=True),
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("period", BigId, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("team_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("user_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("figures", JsonText, nullable=False),
        sqlite_with_rowid=False,
    )
    state = op.create_table(
        "report_state",
        sa.Column("id", BigId, primary_key=True, autoincrement=False),
        sa.Column("counts_since", Timestamp, nullable=False),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(state, [{"id": 0, "counts_since": utc_now()}])


def _add_columns() -> None:
    op.add_column("interaction", sa.Column("opened_at", Timestamp))
    op.add_column("interaction", sa.Column("first_waited_since", Timestamp))
