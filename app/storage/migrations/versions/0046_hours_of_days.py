"""The figures of reports by hour of the day, for each month."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.figures import add_figures, stored_figures
from app.storage.migrations.steps import Steps
from app.storage.tables import JsonText

revision = "0046"
down_revision = "0045"

_HOUR, _HOUR_OF_DAY = 0, 3
_WHOSE = {"report_cell": ("kind", "team_id", "user_id"), "report_sum": ("kind", "user_id")}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    steps = Steps()
    for name in _WHOSE:
        steps.batches(f"hours of days {name}", partial(_add_hour, _table(name)))


def downgrade() -> None:
    for name in _WHOSE:
        table = _table(name)
        op.execute(sa.delete(table).where(table.c.level == _HOUR_OF_DAY))


def _table(name: str) -> sa.TableClause:
    return sa.table(
        name,
        sa.column("by_user", sa.Boolean),
        sa.column("level", sa.SmallInteger),
        sa.column("period", sa.BigInteger),
        *(sa.column(each) for each in _WHOSE[name]),
        sa.column("figures", JsonText),
    )


def _add_hour(table: sa.TableClause, number: int) -> int | None:
    """Add up one hour of the day of one month, the first that has figures from this number on; where to go on.

    The number is that of the month, counted from 1970, times 24, and the hour."""
    connection, whose = op.get_bind(), _WHOSE[table.name]
    of_hours = (table.c.by_user == sa.false(), table.c.level == _HOUR)
    later = table.c.period >= _first_hour(number // 24)
    first = connection.scalar(sa.select(table.c.period).where(*of_hours, later).order_by(table.c.period).limit(1))
    if first is None:
        return None
    month = max(number // 24, _month(first))
    hour = number % 24 if month == number // 24 else 0
    hours = list(range(_first_hour(month) + hour, _first_hour(month + 1), 24))
    rows = connection.execute(
        sa.select(*(table.c[name] for name in whose), sa.cast(table.c.figures, sa.Text)).where(
            *of_hours, table.c.period.in_(hours)
        )
    )
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for *key, figures in rows:
        add_figures(sums.setdefault(tuple(key), {}), figures)
    given = {"by_user": False, "level": _HOUR_OF_DAY, "period": month * 24 + hour}
    new = [
        {**given, **dict(zip(whose, key, strict=True)), "figures": stored_figures(each)} for key, each in sums.items()
    ]
    if new:
        connection.execute(sa.insert(table), new)
    return month * 24 + hour + 1


def _first_hour(month: int) -> int:
    return (datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(hours=1)


def _month(hour: int) -> int:
    at = _EPOCH + timedelta(hours=hour)
    return (at.year - 1970) * 12 + at.month - 1
