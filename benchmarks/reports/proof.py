"""Reports of generated databases against a slow reference: each mark of a sample, added up by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.interactions.marks import Mark, Outcome
from app.settings import Settings
from benchmarks.client import BenchmarkError
from benchmarks.reports.filling import TEAMS
from benchmarks.reports.marks import marks_of
from tests.reports.asking import assert_says
from tests.reports.reference import Fact

Facts = Sequence[Sequence[Fact]]
"""What the marks of each sample say that happened."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is proven of the reports: the marks of it, and the filter that asks for them."""

    holds: Callable[[Mark], bool]
    filter: Mapping[str, object]


SAMPLES = (
    Sample(lambda mark: mark.kind == "session", {"kinds": ["SESSION"]}),
    Sample(lambda mark: mark.user_id in (1, 2), {"userIds": ["usr_1", "usr_2"]}),
    Sample(lambda mark: mark.team_id == 1, {"teamIds": ["tea_1"]}),
)


def facts_of(source: Path, since: datetime) -> Facts:
    """What the interactions of the source say that happened since then."""
    found: list[list[Fact]] = [[] for _ in SAMPLES]
    for mark in marks_of(source, range(TEAMS + 1)):
        if mark.at >= since:
            for sample, facts in zip(SAMPLES, found, strict=True):
                if sample.holds(mark):
                    facts += _facts(mark)
    return found


def prove(found: Any, facts: Sequence[Fact], span: tuple[datetime, datetime], by: str | None, zone: str) -> None:
    """Raises BenchmarkError where the report says anything else than the facts do."""
    try:
        assert_says(found, facts, _always_open, Settings().response_targets, *span, by, zone)
    except AssertionError as error:
        raise BenchmarkError(f"The report by {by} is wrong: {error}") from error


def _facts(mark: Mark) -> Iterator[Fact]:
    common: dict[str, Any] = {"at": mark.at, "kind": mark.kind, "team": mark.team_id or None, "user": mark.user_id}
    if mark.outcome is not None:
        whats = {Outcome.ANSWERED: "first" if mark.is_first else "next", Outcome.ANSWERED_BY_BOT: "bot"}
        yield Fact(**common, what=whats.get(mark.outcome, "closed"), since=mark.waited_since)
    if mark.opened_at is not None:
        yield Fact(**common, what="resolution", since=mark.opened_at)


def _always_open(_: str, since: datetime, until: datetime) -> timedelta:
    return until - since
