"""The state machine of an alert."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.destinations.model.policy import Policy, Standing


class AlertStep(StrEnum):
    """What destinations are told about an alert."""

    RAISED = "RAISED"
    REPEATED = "REPEATED"
    CLAIMED = "CLAIMED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    OVER = "OVER"


class AlertState(StrEnum):
    """Whether a user has claimed or acknowledged the interaction."""

    OPEN = "OPEN"
    CLAIMED = "CLAIMED"
    ACKNOWLEDGED = "ACKNOWLEDGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The state of one policy for one interaction; `id` is a surrogate.

    `told` counts the messages that a human is needed, `told_to` are the destinations that got one, and `level` is the
    level of the latest one. `due_at` is when to check whether to send the next one; None when none is due before
    another event. `team_id` is the interaction's team, 0 for none. It is stored because it decides who may be told,
    even after the interaction is deleted."""

    id: int = 0
    policy_id: int
    interaction_id: int
    kind: str
    state: AlertState = AlertState.OPEN
    told: int = 0
    told_to: tuple[int, ...] = ()
    level: int | None = None
    team_id: int = 0
    due_at: datetime | None = None


class Turn(NamedTuple):
    """The alert's next state, None when it is over, and the step to tell to these destinations."""

    alert: Alert | None
    step: AlertStep | None = None
    to: tuple[int, ...] = ()


def turn(policy: Policy | None, alert: Alert | None, found: Standing | None, now: datetime) -> Turn:
    """The transition of an alert, given the policy and the interaction as they are now. Either may be deleted."""
    if alert is not None and found is not None:
        alert = replace(alert, team_id=found.team_id)
    if policy is None or found is None or not policy.enabled or not policy.destination_ids or not policy.wants(found):
        return _ended(alert)
    if found.assignee_id is not None or found.acknowledged:
        return _noticed(alert, AlertState.CLAIMED if found.assignee_id is not None else AlertState.ACKNOWLEDGED)
    if alert is None:
        alert = Alert(
            policy_id=policy.id,
            interaction_id=found.interaction_id,
            kind=found.kind,
            team_id=found.team_id,
            due_at=now + policy.after,
        )
    elif alert.state is not AlertState.OPEN:
        alert = replace(alert, state=AlertState.OPEN, due_at=now + policy.after)
    elif alert.told and found.level is not None and alert.level is not None and found.level < alert.level:
        alert = replace(alert, due_at=now)  # more urgent than the latest message
    return _told_when_due(policy, alert, found, now)


def _told_when_due(policy: Policy, alert: Alert, found: Standing, now: datetime) -> Turn:
    if alert.due_at is None or alert.due_at > now:
        return Turn(alert)
    quiet_until = policy.quiet_until(now)
    if quiet_until is not None:
        return Turn(replace(alert, due_at=quiet_until))
    again = policy.again
    after = replace(
        alert,
        told=alert.told + 1,
        told_to=tuple(dict.fromkeys((*alert.told_to, *policy.destination_ids))),
        level=found.level,
        due_at=None if again is None else now + again,
    )
    return Turn(after, AlertStep.REPEATED if alert.told else AlertStep.RAISED, policy.destination_ids)


def _noticed(alert: Alert | None, state: AlertState) -> Turn:
    if alert is None or not alert.told:
        return Turn(None)
    if alert.state is state:
        return Turn(replace(alert, due_at=None))
    return Turn(replace(alert, state=state, due_at=None), AlertStep(state), alert.told_to)


def _ended(alert: Alert | None) -> Turn:
    return Turn(None, AlertStep.OVER, alert.told_to) if alert is not None and alert.told else Turn(None)
