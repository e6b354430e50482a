"""The figures of reports by period; private to the slice."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonText, Timestamp, metadata

cell = sa.Table(
    "report_cell",
    metadata,
    # Twice: by team alone, and by team and user.
    sa.Column("by_user", sa.Boolean, primary_key=True),
    sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("period", BigId, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    # 0 for none.
    sa.Column("team_id", BigId, primary_key=True, autoincrement=False),
    sa.Column("user_id", BigId, primary_key=True, autoincrement=False),
    sa.Column("figures", JsonText, nullable=False),
    sqlite_with_rowid=False,
)

state = sa.Table(
    "report_state",
    metadata,
    # One row, which whoever counts holds.
    sa.Column("id", BigId, primary_key=True, autoincrement=False),
    sa.Column("counts_since", Timestamp, nullable=False),
    sqlite_with_rowid=False,
)
