"""How selections read reports."""

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
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
from app.reports.reads.shaping import shaped
from app.reports.tables import cell, state, sum_of_teams
from app.selection.mapping import Env, Mapped, ObjectMap, One, Permissions, Read, Root, RootSteps
from app.storage.constructs import IntList, among, among_keys
from app.storage.query import Query

PERMISSION = "reports:read"

_NAMES = {Grouping.USER: app_user, Grouping.TEAM: team}


def _report(
    read: Read, env: Env, arguments: Mapping[str, Any]
) -> Generator[Query, Sequence[Any], Mapping[str, object]]:
    span = Span.asked(arguments)
    wanted = asked_for(arguments.get("filter"), env.actor.user_id)
    by_user = span.by is Grouping.USER or wanted.users is not None or _by_holder(read.permissions)
    by_team = span.by is Grouping.TEAM or wanted.teams is not None or _by_team(read.permissions)
    kept_since = yield read.query("since", lambda: sa.select(state.c.counts_since))
    oldest = yield read.query("oldest", _oldest)
    counts_since = _counts_since(read.time(kept_since[0][0]), oldest)
    groups: dict[Any, Figures] = {}
    if seen(read.permissions, _cells(by_team=True)) is not False:
        groups = yield from _groups(read, span, wanted, counts_since, by_user=by_user, by_team=by_team)
    names: Mapping[int, str] = {}
    table = _NAMES.get(span.by) if span.by is not None else None
    if table is not None:
        keys = sorted(filter(None, groups))
        rows = yield read.query(("names", span.by), lambda: _named(table), ids=keys)
        names = dict(map(tuple, rows))
    shown = shaped(span, groups, names)
    return {
        "since": span.since,
        "until": span.until,
        "counts_since": counts_since,
        "total": shown.total,
        "groups": shown.groups,
        "csv": shown.csv,
    }


def _groups(
    read: Read, span: Span, wanted: Asked, counts_since: datetime, *, by_user: bool, by_team: bool
) -> Generator[Query, Sequence[Any], dict[Any, Figures]]:
    groups: defaultdict[Any, Figures] = defaultdict(Figures)
    for level, shares in span.shares(counts_since, by_user=by_user).items():
        given = {"of_user": by_user, "level": int(level), "periods": sorted(shares)}
        rows = yield read.query(("cells", by_team), lambda: _seen_cells(read.permissions, by_team=by_team), **given)
        for period, kind, team_id, user_id, figures in rows:
            if not wanted.matches(kind, team_id, user_id):
                continue
            stored = orjson.loads(figures)
            for part, times in shares[period]:
                groups[_group(span.by, part, kind, team_id, user_id)].add_stored(stored, times)
    # What was added with a long period may have been taken away with a shorter one.
    found = {key: figures for key, figures in groups.items() if figures}
    return {key: Figures() for key in _every_group(span)} | found


def _every_group(span: Span) -> Sequence[Any]:
    """The groups that a report always has, even if nothing happened in them."""
    return range(24) if span.by is Grouping.HOUR_OF_DAY else span.starts


def _group(by: Grouping | None, part: datetime | int, kind: str, team_id: int, user_id: int | None) -> Any:
    match by:
        case None:
            return None
        case Grouping.KIND:
            return kind
        case Grouping.TEAM:
            return team_id or None
        case Grouping.USER:
            return user_id
        case _:
            return part


def _by_holder(permissions: Permissions) -> bool:
    """Whether the caller sees interactions of some kind only when they are assigned to it, or to nobody."""
    return _sees_by(permissions, {Part.OWN, Part.CLAIM})


def _by_team(permissions: Permissions) -> bool:
    """Whether the caller sees interactions of some kind only when they are of its teams."""
    return _sees_by(permissions, {Part.TEAM, Part.CLAIM})


def _sees_by(permissions: Permissions, parts: set[Part]) -> bool:
    kinds = kinds_seen(permissions) or ()
    return any(not parts.isdisjoint(parts_of(permissions, kind) or ()) for kind in kinds)


def _cells(*, by_team: bool) -> sa.Subquery:
    """The figures of some periods. A caller sees what a user did as if it were assigned to that user.

    The figures of all teams together are read when neither the report nor the caller's permissions depend on the
    team."""
    of = cell if by_team else sum_of_teams
    of_periods = (
        of.c.by_user == sa.bindparam("of_user", type_=sa.Boolean),
        of.c.level == sa.bindparam("level", type_=sa.SmallInteger),
        among_keys(of.c.period, sa.bindparam("periods", type_=IntList())),
    )
    holder = sa.func.nullif(of.c.user_id, 0).label("assignee_id")
    team_id = cell.c.team_id if by_team else sa.literal_column("0", sa.BigInteger).label("team_id")
    columns = (of.c.period, of.c.kind, team_id, holder, of.c.figures)
    return sa.select(*columns).where(*of_periods).subquery()


def _seen_cells(permissions: Permissions, *, by_team: bool) -> sa.Select[Any]:
    cells = _cells(by_team=by_team)
    within = seen(permissions, cells)
    found = sa.select(*cells.c)
    return found if isinstance(within, bool) else found.where(within)


def _oldest() -> sa.Select[Any]:
    of_hours = (sa.not_(cell.c.by_user), cell.c.level == int(Level.HOUR))
    return sa.select(cell.c.period).where(*of_hours).order_by(cell.c.period).limit(1)


def _counts_since(kept: Any, oldest: Sequence[Any]) -> Any:
    """The time from which on everything is counted: when the figures began, or the first figure, which may be earlier
    in the demo."""
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
