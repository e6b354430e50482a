"""Asking for reports, and comparing them with the reference."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.core.actor import Actor
from app.core.clock import rfc3339
from app.reports.service import count_marks
from tests.graph.running import ADMIN, Graph
from tests.reports.reference import Fact, Open, assert_same, expected

DURATIONS = "{ count averageSeconds p50Seconds p90Seconds p95Seconds }"
FIGURES = f"""{{ firstResponse {DURATIONS} nextResponse {DURATIONS} waiting {DURATIONS} botResponse {DURATIONS}
  resolution {DURATIONS} answeredCount targetedCount withinTargetCount unansweredCount missedCount reopenedCount }}"""
REPORT = f"""query($since: DateTime!, $until: DateTime!, $by: ReportGrouping, $filter: ReportFilter, $zone: String!)
  {{ report(since: $since, until: $until, groupBy: $by, filter: $filter, timeZone: $zone) {{
    since until countsSince csv total {FIGURES}
    groups {{ kind team {{ id }} user {{ id }} start hour figures {FIGURES} }} }} }}"""
HOUR = timedelta(hours=1)
EMPTY = ("DAY", "MONTH", "HOUR_OF_DAY")
"""The groupings that show what is empty too."""


async def count_all(graph: Graph) -> None:
    """Count everything that commands have marked."""
    while await graph.database.command(count_marks):
        pass


async def report(graph: Graph, since: datetime, until: datetime, actor: Actor = ADMIN, /, **given: Any) -> Any:
    """The report, with its groups."""
    times = {"since": rfc3339(since), "until": rfc3339(until)}
    return (await graph.read(REPORT, actor, **{"zone": "UTC", **times, **given}))["report"]


def full_hour(at: datetime) -> datetime:
    """The first hour that does not begin before the moment."""
    rest = timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
    return at if not rest else at - rest + HOUR


def group_of(by: str, zone: str, since: datetime) -> Callable[[Fact], object]:
    """What a fact's group is called in `named`. A fact counts with the hour in which it happened."""

    def local(fact: Fact) -> datetime:
        return fact.at.replace(minute=0, second=0, microsecond=0).astimezone(ZoneInfo(zone))

    def start(fact: Fact) -> datetime:
        at = local(fact)
        day = datetime(at.year, at.month, 1 if by == "MONTH" else at.day, tzinfo=ZoneInfo(zone))
        return max(full_hour(day.astimezone(UTC)), since)

    return {
        "KIND": lambda fact: fact.kind.upper(),
        "TEAM": lambda fact: fact.team and f"tea_{fact.team}",
        "USER": lambda fact: fact.user and f"usr_{fact.user}",
        "HOUR_OF_DAY": lambda fact: local(fact).hour,
        "DAY": start,
        "MONTH": start,
    }[by]


def named(by: str, group: Mapping[str, Any]) -> object:
    """The group of a report."""
    match by:
        case "KIND":
            return group["kind"]
        case "TEAM" | "USER":
            return group[by.lower()] and group[by.lower()]["id"]
        case "HOUR_OF_DAY":
            return group["hour"]
        case _:
            return datetime.fromisoformat(group["start"])


async def assert_agrees(
    graph: Graph,
    facts: Sequence[Fact],
    open_: Open,
    since: datetime,
    until: datetime,
    by: str | None = None,
    zone: str = "UTC",
    actor: Actor = ADMIN,
    **filter_: Any,
) -> Any:
    """The report says what the facts say of the hours that begin in its time."""
    found = await report(graph, since, until, actor, by=by, zone=zone, filter=filter_ or None)
    assert_says(found, facts, open_, graph.settings.response_targets, since, until, by, zone)
    return found


def assert_says(
    found: Any,
    facts: Sequence[Fact],
    open_: Open,
    targets: Mapping[str, timedelta],
    since: datetime,
    until: datetime,
    by: str | None,
    zone: str,
) -> None:
    """The report is what the facts say of the hours that begin in its time."""
    first, end = full_hour(since), full_hour(until)
    assert [datetime.fromisoformat(found[name]) for name in ("since", "until")] == [first, end]
    within = [fact for fact in facts if first <= fact.at < end]
    assert_same(found["total"], expected(within, open_, targets))
    if by is None:
        assert found["groups"] == []
        return
    wanted: defaultdict[object, list[Fact]] = defaultdict(list)
    group = group_of(by, zone, first)
    for fact in within:
        wanted[group(fact)].append(fact)
    groups = {named(by, each): each["figures"] for each in found["groups"]}
    assert len(groups) == len(found["groups"])
    assert set(wanted) <= set(groups)
    assert by in EMPTY or set(groups) == set(wanted)
    for key, figures in groups.items():
        assert_same(figures, expected(wanted.get(key, []), open_, targets))
