"""The figures of reports for all teams together."""

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.figures import add_figures, stored_figures
from app.storage.migrations.steps import Steps
from app.storage.tables import BigId, JsonText

revision = "0040"
down_revision = "0039"

_LEVELS = (0, 1, 2)
_PERIODS = 100
"""The periods that one transaction adds up."""

_WHOSE = ("period", "kind", "user_id")
_GROUPS = [(by_user, level) for by_user in (False, True) for level in _LEVELS]


def upgrade() -> None:
    steps = Steps()
    steps.once("table", _add_table)
    for by_user, level in _GROUPS:
        steps.batches(f"sums {by_user} {level}", partial(_add_sums, by_user, level))


def downgrade() -> None:
    op.drop_table("report_sum")


def _add_table() -> None:
    op.create_table(
        "report_sum",
        sa.Column("by_user", sa.Boolean, primary_key=True),
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("period", BigId, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("user_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("figures", JsonText, nullable=False),
        sqlite_with_rowid=False,
    )


def _table(name: str) -> sa.TableClause:
    return sa.table(
        name,
        sa.column("by_user", sa.Boolean),
        sa.column("level", sa.SmallInteger),
        *(sa.column(each) for each in _WHOSE),
        sa.column("figures", JsonText),
    )


def _add_sums(by_user: bool, level: int, after: int) -> int | None:
    """Add up the periods of a level from `after` on, which are never before 1970; where to go on."""
    connection, cell = op.get_bind(), _table("report_cell")
    of = (cell.c.by_user == by_user, cell.c.level == level)
    periods = sa.select(cell.c.period).where(*of, cell.c.period >= after).distinct().order_by(cell.c.period)
    found = connection.execute(periods.limit(_PERIODS)).scalars().all()
    if not found:
        return None
    rows = connection.execute(
        sa.select(*(cell.c[name] for name in _WHOSE), sa.cast(cell.c.figures, sa.Text)).where(
            *of, cell.c.period >= found[0], cell.c.period <= found[-1]
        )
    )
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for *whose, figures in rows:
        add_figures(sums.setdefault(tuple(whose), {}), figures)
    new = [
        {"by_user": by_user, "level": level, **dict(zip(_WHOSE, key, strict=True)), "figures": stored_figures(figures)}
        for key, figures in sums.items()
    ]
    connection.execute(sa.insert(_table("report_sum")), new)
    return int(found[-1]) + 1
