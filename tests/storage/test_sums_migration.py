"""The migration that adds up the figures of reports for all teams, on figures as they were kept before it."""

from typing import Any

import pytest
import sqlalchemy as sa

from app.storage.migrations import migrate
from app.storage.tables import JsonText
from tests.storage.test_migrations import on

pytestmark = pytest.mark.anyio

HOURS = 250
"""More periods than one transaction adds up."""


def table(name: str, *columns: str) -> sa.TableClause:
    """The table, as figures are stored in it."""
    return sa.table(name, *(sa.column(each, JsonText if each == "figures" else None) for each in columns))


def fill(connection: sa.Connection) -> None:
    """Keep figures of two teams and of none, by hour."""
    rows: list[dict[str, Any]] = [
        {"by_user": by_user, "level": 0, "period": hour, "kind": kind, "team_id": team, "user_id": 7 * by_user}
        for by_user in (False, True)
        for hour in range(490_000, 490_000 + HOURS)
        for kind in ("conversation", "session")
        for team in range(3)
    ]
    for row in rows:
        row["figures"] = f'{{"first":[2,3.5,{row["team_id"]},1,9,1],"missed":{1 + row["period"] % 5}}}'
    connection.execute(sa.insert(table("report_cell", *rows[0])), rows)


def kept(connection: sa.Connection) -> list[tuple[Any, ...]]:
    names = ("by_user", "level", "period", "kind", "user_id", "figures")
    sums = table("report_sum", *names)
    keys = [sums.c[name] for name in names[:-1]]
    rows = connection.execute(sa.select(*keys, sa.cast(sums.c.figures, sa.Text)).order_by(*keys))
    return [(bool(row.by_user), *row[1:]) for row in rows]


async def test_sums_of_teams_are_made_of_the_figures_that_are_kept(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0039")
    await on(empty_database_url, fill)
    await migrate(empty_database_url)
    assert await on(empty_database_url, kept) == [
        (
            by_user,
            0,
            hour,
            kind,
            7 * by_user,
            f'{{"first":[6,10.5,0,1,1,1,2,1,9,3],"missed":{3 + hour % 5 * 3}}}',
        )
        for by_user in (False, True)
        for hour in range(490_000, 490_000 + HOURS)
        for kind in ("conversation", "session")
    ]
