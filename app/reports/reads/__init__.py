"""Reports as selections read them."""

from collections.abc import Generator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson
import sqlalchemy as sa

from app.core.sight import Part, parts_of
from app.directory.tables import app_user, team
from app.interactions.reads.sight import kinds_seen, seen
from app.reports.model import Figures, Level, period_start
from app.reports.model.spans import Grouping, Span
from app.reports.reads.filtering import Asked, asked_for
from app.reports.reads.shaping import csv_of, shaped
from app.reports.tables import cell, state
from app.selection.mapping import Env, Mapped, ObjectMap, One, Permissions, Read, Root, RootSteps
from app.storage.constructs import IntList, among
from app.storage.query import Query

PERMISSION = "reports:read"

_NAMES = {Grouping.USER: app_user, Grouping.TEAM: team}


def _report(
    read: Read, env: Env, arguments: Mapping[str, Any]
) -> Generator[Query, Sequence[Any], Mapping[str, object]]:
    span = Span.asked(arguments)
    wanted = asked_for(arguments.get("filter"), env.actor.user_id)
    by_user = span.by is Grouping.USER or wanted.users is not None or _by_holder(read.permissions)
    groups: dict[Any, Figures] = {}
    if seen(read.permissions, _cells()) is not False:
        groups = yield from _groups(read, span, wanted, by_user)
    total = Figures.of(groups.values())
    kept_since = yield read.query("since", lambda: sa.select(state.c.counts_since))
    oldest = yield read.query("oldest", _oldest)
    names: Mapping[int, str] = {}
    table = _NAMES.get(span.by) if span.by is not None else None
    if table is not None:
        keys = sorted(filter(None, groups))
        rows = yield read.query(("names", span.by), lambda: _named(table), ids=keys)
        names = dict(map(tuple, rows))
    shown = shaped(span, groups)
    return {
        "since": span.since,
        "until": span.until,
        "counts_since": _counts_since(read.time(kept_since[0][0]), oldest),
        "total": shown.figures(total),
        "groups": shown.groups,
        "csv": csv_of(span, groups, total, names),
    }


def _groups(
    read: Read, span: Span, wanted: Asked, by_user: bool
) -> Generator[Query, Sequence[Any], dict[Any, Figures]]:
    groups: dict[Any, Figures] = {key: Figures() for key in _every_group(span)}
    for level, first, end in span.ranges():
        given = {"of_user": by_user, "level": int(level), "first": first, "end": end}
        rows = yield read.query("cells", lambda: _seen_cells(read.permissions), **given)
        for period, kind, team_id, user_id, figures in rows:
            if not wanted.matches(kind, team_id, user_id):
                continue
            key = _group(span, level, period, kind, team_id, user_id)
            found = groups.get(key)
            if found is None:
                found = groups[key] = Figures()
            found.add_stored(orjson.loads(figures))
    return groups


def _every_group(span: Span) -> Sequence[Any]:
    """The groups that are there though nothing happened in them."""
    return range(24) if span.by is Grouping.HOUR_OF_DAY else span.starts


def _group(span: Span, level: Level, period: int, kind: str, team_id: int, user_id: int | None) -> Any:
    match span.by:
        case None:
            return None
        case Grouping.KIND:
            return kind
        case Grouping.TEAM:
            return team_id or None
        case Grouping.USER:
            return user_id
        case _:
            return span.group_of(level, period)


def _by_holder(permissions: Permissions) -> bool:
    """Whether of some kind the caller sees what is assigned to it, or to nobody."""
    kinds = kinds_seen(permissions) or ()
    return any(not {Part.OWN, Part.CLAIM}.isdisjoint(parts_of(permissions, kind) or ()) for kind in kinds)


def _cells() -> sa.Subquery:
    """The figures of one range of periods; what a user did is seen as what is assigned to that user is."""
    of_range = (
        cell.c.by_user == sa.bindparam("of_user", type_=sa.Boolean),
        cell.c.level == sa.bindparam("level", type_=sa.SmallInteger),
        cell.c.period >= sa.bindparam("first", type_=sa.BigInteger),
        cell.c.period < sa.bindparam("end", type_=sa.BigInteger),
    )
    holder = sa.func.nullif(cell.c.user_id, 0).label("assignee_id")
    columns = (cell.c.period, cell.c.kind, cell.c.team_id, holder, cell.c.figures)
    return sa.select(*columns).where(*of_range).subquery()


def _seen_cells(permissions: Permissions) -> sa.Select[Any]:
    cells = _cells()
    within = seen(permissions, cells)
    found = sa.select(*cells.c)
    return found if isinstance(within, bool) else found.where(within)


def _oldest() -> sa.Select[Any]:
    of_hours = (sa.not_(cell.c.by_user), cell.c.level == int(Level.HOUR))
    return sa.select(cell.c.period).where(*of_hours).order_by(cell.c.period).limit(1)


def _counts_since(kept: Any, oldest: Sequence[Any]) -> Any:
    """Since when everything is counted: since there are figures, or the first of them, which the demo's past has."""
    return min([kept, *(period_start(Level.HOUR, row[0]) for row in oldest)])


def _named(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table.c.id, table.c.name).where(among(table.c.id, sa.bindparam("ids", type_=IntList())))


MAPPINGS: tuple[Mapped, ...] = (
    ObjectMap("Report"),
    ObjectMap("ReportGroup", {"user": One("User", key="user_id"), "team": One("Team", key="team_id")}),
    ObjectMap("ReportFigures"),
    ObjectMap("ReportDurations", {f"p{share}Seconds": f"p{share}_seconds" for share in (50, 90, 95)}),
)

ROOTS: Mapping[str, Root] = MappingProxyType({"report": RootSteps("Report", _report, requires=PERMISSION)})
