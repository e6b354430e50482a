"""The model of a policy: whom to alert, when, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import TypedDict
from zoneinfo import ZoneInfo

from app.directory.model.checks import Check, distinct, flag, line, matching, optional, time_zone, whole

POLICY_PREFIX = "pol"
MOST_MINUTES = 10_080
MOST_DESTINATIONS_OF_A_POLICY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The facts of an interaction that policies look at. `level` is a number, lower for more urgent."""

    interaction_id: int
    kind: str
    level: int | None
    level_name: str | None
    reasons: tuple[str, ...]
    assignee_id: int | None
    acknowledged: bool
    team_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy; `id` is a surrogate. A field of the filter that is None matches everything.

    The filter's values are the names of the graph's enums; `quiet_from` and `quiet_to` are HH:MM in `time_zone`."""

    id: int = 0
    name: str
    enabled: bool = True
    kinds: tuple[str, ...] | None = None
    levels: tuple[str, ...] | None = None
    reasons: tuple[str, ...] | None = None
    team_ids: tuple[int, ...] | None = None
    destination_ids: tuple[int, ...]
    after_minutes: int = 0
    again_minutes: int | None = None
    quiet_from: str | None = None
    quiet_to: str | None = None
    time_zone: str = "UTC"
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def wants(self, found: Standing) -> bool:
        """Whether the interaction needs a human and matches the filter."""
        return (
            found.level is not None
            and (self.kinds is None or found.kind.upper() in self.kinds)
            and (self.levels is None or found.level_name in self.levels)
            and (self.reasons is None or not set(self.reasons).isdisjoint(found.reasons))
            and (self.team_ids is None or found.team_id in self.team_ids)
        )

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.after_minutes)

    @property
    def again(self) -> timedelta | None:
        return None if self.again_minutes is None else timedelta(minutes=self.again_minutes)

    def quiet_until(self, now: datetime) -> datetime | None:
        """The end of the current quiet hours in UTC; None outside quiet hours.

        Quiet hours follow the wall clock, so a night in which clocks change makes them longer or shorter."""
        if self.quiet_from is None or self.quiet_to is None:
            return None
        zone = ZoneInfo(self.time_zone)
        begins, ends = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_to)
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            start = _moment(day, begins, zone)
            end = _moment(day if begins < ends else day + timedelta(days=1), ends, zone)
            if start <= now < end:
                return end
        return None


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    # In UTC, because Python compares times of one zone by the wall clock.
    return datetime.combine(day, at, zone).astimezone(UTC)


class PolicyChanges(TypedDict, total=False):
    """The fields of a new policy, or of a change. An absent key leaves the field unchanged."""

    name: str
    enabled: bool
    kinds: list[str] | None
    levels: list[str] | None
    reasons: list[str] | None
    team_ids: list[str] | None
    destination_ids: list[str]
    after_minutes: int
    again_minutes: int | None
    quiet_from: str | None
    quiet_to: str | None
    time_zone: str


_clock_time = matching(r"([01][0-9]|2[0-3]):[0-5][0-9]", "This takes a time of the day, such as 22:00.", 5)
_names = optional(distinct(line(64), 100))

POLICY_CHANGEABLE: Mapping[str, Check] = MappingProxyType(
    {
        "name": line(255, blank=False),
        "enabled": flag,
        "kinds": _names,
        "levels": _names,
        "reasons": _names,
        "team_ids": _names,
        "destination_ids": distinct(line(64), MOST_DESTINATIONS_OF_A_POLICY),
        "after_minutes": whole(0, MOST_MINUTES),
        "again_minutes": optional(whole(1, MOST_MINUTES)),
        "quiet_from": optional(_clock_time),
        "quiet_to": optional(_clock_time),
        "time_zone": time_zone,
    }
)
