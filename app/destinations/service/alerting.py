"""Commands of alerts: follow the event log, and send what is due."""

from collections.abc import Iterable
from datetime import timedelta

from app.core.errors import CursorExpired, InvalidCursor
from app.core.events import LoggedEvent
from app.core.ids import GlobalId
from app.destinations.events import AlertTold
from app.destinations.model import Alert, AlertStep, Policy, Standing, Turn, turn
from app.destinations.repository import AlertRepository, DestinationRepository, PolicyRepository
from app.destinations.repository.policies import Reading
from app.storage.event_log import (
    Cursor,
    Newest,
    check_cursor,
    heads_cursor,
    merged,
    newest_era,
    parse_cursor,
    read_after,
)
from app.storage.leases import take_lease
from app.storage.work import Work

LEASE = "alerts"
_EVENTS_AT_ONCE = 200
_SWEPT_AT_ONCE = 100


def follow(work: Work, holder: str, lasts: timedelta) -> bool | None:
    """Read the next events of the log, update the alerts of their interactions, and record what destinations are told.

    Returns whether more is left to read, and None when another process holds the lease. All of it is one unit of work,
    so nothing is told twice or missed when a process dies."""
    if not take_lease(work, LEASE, holder, lasts):
        return None
    policies = work.use(PolicyRepository)
    heads = work.use(DestinationRepository).lanes()
    now_at = heads_cursor(heads)
    found = policies.reading() or Reading(str(now_at), 0)
    sweep_after = found.sweep_after
    try:
        cursor = parse_cursor(found.cursor)
        check_cursor(cursor, heads)
    except (CursorExpired, InvalidCursor):
        # The interactions themselves show what the missed events changed.
        cursor, sweep_after = now_at, 0
    touched: set[int] = set()
    for each in _after(work, cursor, newest_era(heads)):
        cursor = cursor.advance(each.lane, each.position)
        if each.event.interaction_id is not None and each.event.type is not AlertTold:
            touched.add(each.event.interaction_id)
    if sweep_after is not None:
        swept = work.use(AlertRepository).list_concerned(sweep_after, _SWEPT_AT_ONCE)
        touched.update(swept)
        sweep_after = swept[-1] if len(swept) == _SWEPT_AT_ONCE else None
    _look_at(work, touched)
    if (str(cursor), sweep_after) != found:
        policies.note_reading(Reading(str(cursor), sweep_after))
    return not cursor >= now_at or sweep_after is not None


def tell_due(work: Work, most: int) -> int:
    """Handle at most `most` alerts that are due. Returns how many."""
    due = work.use(AlertRepository).claim(work.now, most)
    if due:
        policies = {each.id: each for each in work.use(PolicyRepository).all()}
        standing = work.use(AlertRepository).standing({each.interaction_id for each in due})
        for each in due:
            _go_on(work, policies.get(each.policy_id), each, standing.get(each.interaction_id))
    return len(due)


def _after(work: Work, cursor: Cursor, newest: Newest | None) -> Iterable[LoggedEvent]:
    lanes = min(len(cursor.positions), 8)
    query = read_after(work.dialect_name, cursor, max(_EVENTS_AT_ONCE // lanes, 1), newest)
    return merged(work.connection.exec_driver_sql(query.sql, tuple(query.args)))


def _look_at(work: Work, interactions: set[int]) -> None:
    if not interactions:
        return
    alerts = work.use(AlertRepository)
    policies = {each.id: each for each in work.use(PolicyRepository).all()}
    known = {(each.interaction_id, each.policy_id): each for each in alerts.list_of(interactions)}
    standing = alerts.standing(interactions)
    for interaction_id in sorted(interactions):
        of_gone = {of for about, of in known if about == interaction_id} - policies.keys()
        for number in (*policies, *sorted(of_gone)):
            _go_on(work, policies.get(number), known.get((interaction_id, number)), standing.get(interaction_id))


def _go_on(work: Work, policy: Policy | None, alert: Alert | None, found: Standing | None) -> None:
    after = turn(policy, alert, found, work.now)
    alerts = work.use(AlertRepository)
    alerts.keep(alert, after.alert)
    about = alert or after.alert
    if after.step is AlertStep.OVER and about is not None:
        # A destination that got several alerts about one interaction gets OVER with the last of them.
        others = alerts.told_to(about.interaction_id)
        after = after._replace(to=tuple(each for each in after.to if each not in others))
        if not after.to:
            return
    if after.step is not None and about is not None:
        _record(work, about, after, after.step, found)


def _record(work: Work, about: Alert, after: Turn, step: AlertStep, found: Standing | None) -> None:
    told = AlertTold(
        step=step.value,
        count=about.told if after.alert is None else after.alert.told,
        policy_id=about.policy_id,
        destination_ids=list(after.to),
        ref=str(GlobalId(work.kinds[about.kind].prefix, about.interaction_id)),
    )
    level = None if found is None else found.level
    # Both decide who may be told, also of one that is deleted.
    team_id = about.team_id if found is None else found.team_id
    holder = work.use(AlertRepository).latest_holder(about.interaction_id) if found is None else found.assignee_id
    work.record(
        told.record(
            kind=about.kind,
            interaction_id=about.interaction_id,
            assignee_id=holder,
            level_before=level,
            level_after=level,
            more={"after": {"team_id": team_id}},
        )
    )
