"""Reports as docs/reports.md defines them, slowly: every interaction's life is told again from the event log."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import sqlalchemy as sa

from app.core.events import LoggedEvent
from app.interactions.tables import message
from app.storage.database import Database, Work
from app.storage.event_log import Cursor, lane_count, logged, read_after

Open = Callable[[str, datetime, datetime], timedelta]
"""How long of the time between two moments interactions of an account could be answered."""

SHARES = {"p50Seconds": 0.5, "p90Seconds": 0.9, "p95Seconds": 0.95}


@dataclass(frozen=True)
class Fact:
    """Something that a report counts: `what` happened, when, in what, by whom, and how long it had taken."""

    what: str
    at: datetime
    kind: str
    team: int | None
    user: int | None
    since: datetime | None = None
    account: str | None = None


@dataclass
class Said:
    """A message in the order of arrival."""

    number: int
    at: datetime
    asks: bool
    user: int | None = None
    by_bot: bool = False
    stands: bool = True


@dataclass
class Wait:
    """A wait that has ended, with the message that answered it."""

    answer: int | None
    fact: Fact


@dataclass
class Life:
    """One interaction, as its events have told of it so far."""

    said: list[Said] = field(default_factory=list)
    settled: int = 0
    opened: datetime | None = None
    last: datetime | None = None
    waits: list[Wait] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def waiting_since(self) -> datetime | None:
        answered = max((one.number for one in self.said if not one.asks and one.stands), default=0)
        return min((one.at for one in self.said if one.asks and one.number > max(answered, self.settled)), default=None)

    def told(self) -> Iterable[Fact]:
        """Everything, with the first of the answers that still count told apart from the others."""
        users = sorted(wait.fact.since for wait in self.waits if wait.fact.what == "answered" and wait.fact.since)
        for wait in self.waits:
            what = wait.fact.what
            if what == "answered":
                what = "first" if wait.fact.since == users[0] else "next"
            yield Fact(**{**vars(wait.fact), "what": what})
        yield from self.facts


class Reference:
    """Reads the log on, and tells what a report has to say."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cursor: Cursor | None = None
        self.lives: dict[int, Life] = {}

    async def read_on(self) -> None:
        """Tell what has happened since the last look; the messages that it was about are as they are now."""
        events, messages = await self._database.command(self._news)
        for each in events:
            if each.event.interaction_id is not None and not each.event.topic.startswith(
                ("attention.", "interaction.")
            ):
                self._tell(each, messages)

    def _news(self, work: Work) -> tuple[Sequence[LoggedEvent], Mapping[int, Any]]:
        cursor = self._cursor or Cursor((0,) * lane_count(work.connection))
        query = read_after(work.dialect_name, cursor, 100_000)
        found = [logged(row) for row in work.connection.exec_driver_sql(query.sql, tuple(query.args))]
        places = list(cursor.positions)
        for each in found:
            places[each.lane] = max(places[each.lane], each.position)
        self._cursor = Cursor(tuple(places))
        numbers = {each.event.data["message_id"] for each in found if each.event.data.get("message_id")}
        rows = work.connection.execute(sa.select(message).where(message.c.id.in_(numbers)))
        return found, {row.id: row for row in rows}

    def _tell(self, logged_: LoggedEvent, messages: Mapping[int, Any]) -> None:
        event, at = logged_.event, logged_.at
        life = self.lives.setdefault(event.interaction_id or 0, Life())
        data: Mapping[str, Any] = event.data
        now, old = data["after"], data.get("before", {})
        if now is None:
            return
        is_new = old is None
        was = {**now, "assignee_id": event.assignee_id, **(old or {})}
        verb, number = event.topic.partition(".")[2], data.get("message_id")
        since, settled = life.waiting_since(), life.settled
        answer = self._message(life, verb, number, messages, at)
        closes = not is_new and was["state"] != "CLOSED" and now["state"] == "CLOSED"
        reopens = not is_new and was["state"] == "CLOSED" and now["state"] != "CLOSED"
        if closes and life.waiting_since() is not None and event.actor_id and not now.get("unread"):
            life.settled = max(one.number for one in life.said if one.asks)
        after = life.waiting_since()
        if verb != "message_received" and after is not None and (since is None or after < since):
            life.waits = [wait for wait in life.waits if (wait.fact.since or at) < after]

        def fact(what: str, moment: datetime, user: int | None, begun: datetime | None = None) -> Fact:
            moment = moment if begun is None else max(moment, begun)
            kind, team = str(event.kind), now.get("team_id")
            return Fact(what, moment, kind, team, user, begun, now.get("account"))

        if since is not None and (after is None or after > since):
            if answer is not None and answer.stands:
                what = "bot" if answer.by_bot else "answered"
                life.waits.append(Wait(answer.number, fact(what, answer.at, answer.user, since)))
            elif life.settled != settled:
                life.waits.append(Wait(None, fact("closed", at, event.actor_id or was["assignee_id"], since)))
        if closes and life.opened is not None:
            over = at if event.actor_id else life.last or at
            life.facts.append(fact("resolution", over, event.actor_id or was["assignee_id"], life.opened))
        if reopens:
            life.facts.append(fact("reopened", at, was["assignee_id"]))
        missed = "MISSED" in now["reasons"] and (is_new or "MISSED" not in was["reasons"]) and not reopens
        if missed:
            life.facts.append(fact("missed", at, event.assignee_id if is_new else was["assignee_id"]))
        if reopens or (is_new and now["state"] != "CLOSED"):
            life.opened = at
        if verb in ("message_received", "message_sent"):
            life.last = at

    def _message(self, life: Life, verb: str, number: Any, messages: Mapping[int, Any], at: datetime) -> Said | None:
        """The answer that the event is about; what became of a message is taken down."""
        row = messages.get(number)
        if verb in ("message_received", "message_sent") and row is not None and row.bearing is not None:
            of_user = row.author == "USER"
            asks = row.bearing == "ASKS"
            said = Said(row.id, at, asks, row.user_id if of_user else None, not of_user, row.status != "ERROR")
            life.said.append(said)
        found = next((one for one in life.said if one.number == number), None)
        if found is None:
            return None
        if verb == "message_deleted":
            life.said.remove(found)
            return None
        if found.asks:
            return None
        if verb == "message_status_reported" and row is not None:
            stood, found.stands = found.stands, row.status != "ERROR"
            later = any(one.stands and not one.asks and one.number > number for one in life.said)
            if stood and not found.stands and not later and life.settled > number:
                life.settled = 0
        return found

    def facts(self) -> list[Fact]:
        return [fact for life in self.lives.values() for fact in life.told()]


_MEASURES = {
    "firstResponse": ("first",),
    "nextResponse": ("next",),
    "waiting": ("first", "next", "closed"),
    "botResponse": ("bot",),
    "resolution": ("resolution",),
}
_COUNTS = {
    "answeredCount": ("first", "next"),
    "unansweredCount": ("closed",),
    "missedCount": ("missed",),
    "reopenedCount": ("reopened",),
}


def expected(facts: Sequence[Fact], open_: Open, targets: Mapping[str, timedelta]) -> dict[str, Any]:
    """What the graph has to say of these facts."""
    found: dict[str, Any] = {}
    for name, whats in _MEASURES.items():
        found[name] = sorted(_seconds(fact, open_) for fact in facts if fact.what in whats)
    for name, whats in _COUNTS.items():
        found[name] = len([fact for fact in facts if fact.what in whats])
    answers = [fact for fact in facts if fact.what in ("first", "next") and fact.kind in targets]
    found["targetedCount"] = len(answers)
    within = [fact for fact in answers if _seconds(fact, open_) <= targets[fact.kind].total_seconds()]
    found["withinTargetCount"] = len(within)
    return found


def _seconds(fact: Fact, open_: Open) -> float:
    assert fact.since is not None
    if fact.account is None:
        return (fact.at - fact.since).total_seconds()
    return open_(fact.account, fact.since, fact.at).total_seconds()


def assert_same(figures: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """The figures of a report are the expected ones: numbers and means exactly, percentiles as near as is promised."""
    for name, value in wanted.items():
        if not isinstance(value, list):
            assert figures[name] == value, (name, figures[name], value)
            continue
        durations = figures[name]
        assert durations["count"] == len(value), (name, durations, value)
        if not value:
            assert {durations[each] for each in ("averageSeconds", *SHARES)} == {None}
            continue
        assert abs(durations["averageSeconds"] - sum(value) / len(value)) < 0.06, (name, durations, value)
        for key, share in SHARES.items():
            true = value[ceil(share * len(value)) - 1]
            assert abs(durations[key] - true) <= 0.05 * true + (1 if true < 1 else 0.06), (name, key, durations, value)
