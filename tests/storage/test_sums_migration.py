"""The migrations that add up figures of reports, on figures as they were kept before them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.storage.migrations import migrate
from app.storage.tables import JsonText
from tests.conftest import empty_url
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


def kept(connection: sa.Connection, name: str, level: int, *whose: str) -> list[tuple[Any, ...]]:
    found = table(name, "by_user", "level", "period", *whose, "figures")
    keys = [found.c[each] for each in ("by_user", "period", *whose)]
    rows = connection.execute(
        sa.select(*keys, sa.cast(found.c.figures, sa.Text)).where(found.c.level == level).order_by(*keys)
    )
    return [(bool(row.by_user), *row[1:]) for row in rows]


def sums_of_hours(connection: sa.Connection) -> list[tuple[Any, ...]]:
    return kept(connection, "report_sum", 0, "kind", "user_id")


def hours_of_days(connection: sa.Connection) -> list[list[tuple[Any, ...]]]:
    return [
        kept(connection, "report_cell", 3, "kind", "team_id", "user_id"),
        kept(connection, "report_sum", 3, "kind", "user_id"),
    ]


def by_hour_of_day(hours: Sequence[int]) -> dict[int, list[int]]:
    """The hours by that of the day, for each month: its number, counted from 1970, times 24, and the hour."""
    found: dict[int, list[int]] = {}
    for hour in hours:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        found.setdefault(((at.year - 1970) * 12 + at.month - 1) * 24 + at.hour, []).append(hour)
    return dict(sorted(found.items()))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def older_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database from before both migrations."""
    with empty_url(request, lambda: tmp_path_factory.mktemp("sums")) as url:
        yield url


@pytest.fixture(scope="module")
async def upgraded(older_url: str) -> str:
    """The address, after the figures were stored and both migrations made."""
    await migrate(older_url, "0039")
    await on(older_url, fill)
    await migrate(older_url)
    return older_url


async def test_sums_of_teams_are_made_of_the_figures_that_are_kept(upgraded: str) -> None:
    assert await on(upgraded, sums_of_hours) == [
        (
            by_user,
            hour,
            kind,
            7 * by_user,
            f'{{"first":[6,10.5,0,1,1,1,2,1,9,3],"missed":{3 + hour % 5 * 3}}}',
        )
        for by_user in (False, True)
        for hour in range(490_000, 490_000 + HOURS)
        for kind in ("conversation", "session")
    ]


async def test_hours_of_days_are_made_of_the_hours_that_are_kept(upgraded: str) -> None:
    months = by_hour_of_day(range(490_000, 490_000 + HOURS))
    assert len({number // 24 for number in months}) == 2

    def figures(hours: Sequence[int], *teams: int) -> str:
        days, each = len(hours), len(hours) * len(teams)
        classes = ",".join(f"{team},{days}" for team in teams)
        missed = sum(1 + hour % 5 for hour in hours) * len(teams)
        return f'{{"first":[{2 * each},{3.5 * each},{classes},9,{each}],"missed":{missed}}}'

    whose = [(number, kind, hours) for number, hours in months.items() for kind in ("conversation", "session")]
    assert await on(upgraded, hours_of_days) == [
        [(False, number, kind, team, 0, figures(hours, team)) for number, kind, hours in whose for team in range(3)],
        [(False, number, kind, 0, figures(hours, 0, 1, 2)) for number, kind, hours in whose],
    ]
