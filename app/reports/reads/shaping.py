"""A report's figures as the graph and a spreadsheet show them."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from app.reports.model import Durations, Figures
from app.reports.model.spans import Grouping, Span

_DURATIONS: Mapping[str, Sequence[str]] = {
    "first_response": ("first",),
    "next_response": ("next",),
    "waiting": ("first", "next", "closed"),
    "bot_response": ("bot",),
    "resolution": ("resolution",),
}
"""Each measure of a report, and the durations that it consists of."""

_SHARES = {"p50_seconds": 0.5, "p90_seconds": 0.9, "p95_seconds": 0.95}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Shaped:
    """What the graph shows of a report."""

    total: Mapping[str, object]
    groups: Sequence[Mapping[str, object]]
    csv: str


def shaped(span: Span, groups: Mapping[Any, Figures], names: Mapping[int, str]) -> Shaped:
    """The groups of a report in order (none if it is not grouped), the total, and both as a CSV file.

    `names` are the names of the users or teams."""
    total = _figures(Figures.of(groups.values()))
    shown = {} if span.by is None else {key: _figures(groups[key]) for key in _ordered(span, groups)}
    return Shaped(
        total,
        [{**_key(span.by, key), "figures": figures} for key, figures in shown.items() if span.by is not None],
        _csv(span, shown, total, names),
    )


def _csv(
    span: Span, shown: Mapping[Any, Mapping[str, object]], total: Mapping[str, object], names: Mapping[int, str]
) -> str:
    """The groups as lines of a CSV file, or the total when there are no groups."""
    text = StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow([*_heading(span.by), *_flat(total)])
    if span.by is None:
        lines.writerow(_cells(_flat(total).values()))
    for key, figures in shown.items():
        lines.writerow([*_label(span, key, names), *_cells(_flat(figures).values())])
    return text.getvalue()


def _ordered(span: Span, groups: Mapping[Any, Figures]) -> Sequence[Any]:
    """Ordered by time; otherwise the groups with the largest figures first, and the group without a user or team
    last."""
    if span.by in (Grouping.DAY, Grouping.MONTH, Grouping.HOUR_OF_DAY):
        return sorted(groups)
    return sorted(groups, key=lambda key: (key is None, -_size(groups[key]), key or 0))


def _size(figures: Figures) -> int:
    return sum(each.count for each in figures.durations.values())


def _key(by: Grouping, key: Any) -> Mapping[str, object]:
    none = dict.fromkeys(("kind", "team_id", "user_id", "start", "hour"))
    match by:
        case Grouping.KIND:
            return {**none, "kind": key.upper()}
        case Grouping.TEAM:
            return {**none, "team_id": key}
        case Grouping.USER:
            return {**none, "user_id": key}
        case Grouping.HOUR_OF_DAY:
            return {**none, "hour": key}
        case _:
            return {**none, "start": key}


def _figures(figures: Figures) -> dict[str, object]:
    measured = {name: figures.measured(*parts) for name, parts in _DURATIONS.items()}
    counts = figures.counts
    return {
        **{name: _durations(each) for name, each in measured.items()},
        "answered_count": measured["first_response"].count + measured["next_response"].count,
        "targeted_count": counts.get("targeted", 0),
        "within_target_count": counts.get("within", 0),
        "unanswered_count": figures.measured("closed").count,
        "missed_count": counts.get("missed", 0),
        "reopened_count": counts.get("reopened", 0),
    }


def _durations(measured: Durations) -> Mapping[str, object]:
    found: dict[str, float | int | None] = {"count": measured.count, "average_seconds": measured.average}
    found.update(zip(_SHARES, measured.percentiles([*_SHARES.values()]), strict=True))
    return {name: round(value, 1) if isinstance(value, float) else value for name, value in found.items()}


def _heading(by: Grouping | None) -> Sequence[str]:
    match by:
        case None:
            return ()
        case Grouping.TEAM | Grouping.USER:
            name = by.value.lower()
            return (name, f"{name}_id")
        case _:
            return (by.value.lower(),)


def _label(span: Span, key: Any, names: Mapping[int, str]) -> Sequence[object]:
    match span.by:
        case Grouping.TEAM | Grouping.USER:
            prefix = "tea" if span.by is Grouping.TEAM else "usr"
            return ("", "") if key is None else (_plain(names.get(key, "")), f"{prefix}_{key}")
        case Grouping.KIND:
            return (key.upper(),)
        case Grouping.HOUR_OF_DAY:
            return (key,)
        case _:
            return (key.astimezone(span.zone).isoformat(),)


def _plain(name: str) -> str:
    """The name in a form that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name


def _flat(figures: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in figures.items():
        if isinstance(value, Mapping):
            found.update({f"{name}_{part}": each for part, each in value.items()})
        else:
            found[name] = value
    return found


def _cells(values: Any) -> Sequence[object]:
    return ["" if each is None else each for each in values]
