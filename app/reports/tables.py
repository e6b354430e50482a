"""The figures of reports by period; private to the slice."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonText, Timestamp, metadata


def _figures(name: str, *more: sa.Column[int]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        # Stored twice: for all users together, and by user, which hours of the day are not.
        sa.Column("by_user", sa.Boolean, primary_key=True),
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("period", BigId, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        *more,
        # 0 for none.
        sa.Column("user_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("figures", JsonText, nullable=False),
        sqlite_with_rowid=False,
    )


# 0 for none.
cell = _figures("report_cell", sa.Column("team_id", BigId, primary_key=True, autoincrement=False))

# The same for all teams together, because most reports do not need the teams.
sum_of_teams = _figures("report_sum")

state = sa.Table(
    "report_state",
    metadata,
    # One row. The process that counts locks it.
    sa.Column("id", BigId, primary_key=True, autoincrement=False),
    sa.Column("counts_since", Timestamp, nullable=False),
    sqlite_with_rowid=False,
)
