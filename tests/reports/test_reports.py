"""Reports: whose figures are shown, what is asked for wrongly, what is kept, what is read."""

import asyncio
from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.core.actor import Actor
from app.core.clock import rfc3339
from app.core.errors import Unavailable
from app.core.ids import GlobalId
from app.core.trail import Trail, follow
from app.interactions.marks import Mark, Outcome
from app.interactions.messages import MessageStatus
from app.interactions.service.deliveries import report_message_status
from app.interactions.service.erasing import erase_customer
from app.interactions.service.holding import claim, release
from app.interactions.service.messages import mark_read
from app.interactions.service.state import close, reopen
from app.interactions.tables import mark
from app.reports.model import Level, cover, cover_by_hour, period_start
from app.reports.service import count_marks, forget_marks
from app.reports.tables import cell, sum_of_teams
from app.storage.work import Work
from tests.conftest import START
from tests.graph.planning import Plans
from tests.kinds.conftest import ADA, BO
from tests.reports.asking import REPORT, count_all, report
from tests.turns import turns_of
from tests.waiting.conftest import floor as floor
from tests.waiting.floor import EVE, Floor

pytestmark = pytest.mark.anyio

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPAN = (START - DAY, START + 10 * DAY)
READER = frozenset({"reports:read", *(f"{kind}:read" for kind in ("session", "conversation"))})


async def told(floor: Floor, actor: Actor = ADA, /, **given: Any) -> Any:
    """The figures of all days, after everything is counted."""
    await count_all(floor.graph)
    return await report(floor.graph, *SPAN, actor, **given)


async def test_report_of_answers_tells_first_from_later_ones_and_who_gave_them(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    floor.clock.advance(120)
    await floor.do(claim, EVE, ref)
    await floor.answer(ref, BO, override=True)
    await floor.do(release, EVE, ref)
    floor.clock.advance(60)
    await floor.hear_in(ref)
    floor.clock.advance(30)
    await floor.hear_in(ref)
    floor.clock.advance(5_000)
    await floor.answer(ref, EVE)
    found = await told(floor, by="USER")
    total = found["total"]
    assert (total["firstResponse"]["count"], total["firstResponse"]["averageSeconds"]) == (1, 120)
    assert (total["nextResponse"]["count"], total["nextResponse"]["averageSeconds"]) == (1, 5_030)
    assert (total["answeredCount"], total["targetedCount"], total["withinTargetCount"]) == (2, 2, 1)
    by_user = {group["user"]["id"]: group["figures"]["answeredCount"] for group in found["groups"]}
    assert by_user == {"usr_2": 1, "usr_5": 1}


async def test_report_takes_back_an_answer_that_fails_after_it_was_counted(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    floor.clock.advance(60)
    answer = await floor.answer(ref)
    assert (await told(floor))["total"]["firstResponse"]["count"] == 1
    await floor.fail(answer)
    total = (await told(floor))["total"]
    assert (total["firstResponse"]["count"], total["answeredCount"], total["withinTargetCount"]) == (0, 0, 0)
    floor.clock.advance(60)
    await floor.answer(ref)
    total = (await told(floor))["total"]
    assert (total["firstResponse"]["count"], total["firstResponse"]["averageSeconds"]) == (1, 120)
    await floor.do(report_message_status, BO, GlobalId("msg", answer), MessageStatus.DELIVERED)
    assert (await told(floor))["total"]["firstResponse"] == total["firstResponse"]


async def test_report_counts_an_answer_that_arrived_after_all_as_of_when_it_was_written(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    floor.clock.advance(60)
    answer = await floor.answer(ref, EVE)
    await floor.fail(answer)
    floor.clock.advance(7_200)
    await floor.do(report_message_status, BO, GlobalId("msg", answer), MessageStatus.READ)
    found = await told(floor, by="USER")
    assert [group["user"]["id"] for group in found["groups"]] == ["usr_5"]
    first = found["total"]["firstResponse"]
    assert (first["count"], first["averageSeconds"], found["total"]["withinTargetCount"]) == (1, 60, 1)


async def test_report_of_what_was_closed_without_an_answer_and_reopened(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    floor.clock.advance(600)
    await floor.do(mark_read, BO, ref)
    await floor.do(close, BO, ref)
    floor.clock.advance(3_600)
    await floor.do(reopen, EVE, ref)
    floor.clock.advance(1_200)
    await floor.do(close, EVE, ref)
    total = (await told(floor))["total"]
    assert (total["unansweredCount"], total["answeredCount"], total["reopenedCount"]) == (1, 0, 1)
    assert total["waiting"]["averageSeconds"] == 600
    assert (total["resolution"]["count"], total["resolution"]["averageSeconds"]) == (2, 900)


async def test_report_counts_a_wait_in_the_hour_in_which_it_ended(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    floor.clock.advance(5 * 3_600)
    await floor.answer(ref)
    await count_all(floor.graph)
    counts = []
    for hour in (4, 5, 6):
        found = await report(floor.graph, START + hour * HOUR, START + (hour + 1) * HOUR, ADA)
        counts.append(found["total"]["waiting"]["count"])
    assert counts == [0, 1, 0]


async def test_report_leaves_out_what_the_caller_may_not_see(floor: Floor) -> None:
    team = (await floor.graph.do("createTeam", {"name": "Billing", "memberIds": ["usr_2"]}, "team { id }"))["team"]
    session, theirs = await floor.opened("session"), await floor.opened("conversation")
    await floor.graph.do("assignTeam", {"id": str(theirs), "teamId": team["id"]})
    floor.clock.advance(60)
    await floor.answer(session, BO)
    await floor.answer(theirs, EVE)
    number = int(team["id"].removeprefix("tea_"))

    async def seen(permissions: set[str], user: int = 5, teams: frozenset[int] = frozenset(), **given: Any) -> Any:
        actor = Actor(user_id=user, name="X", permissions=frozenset({"reports:read", *permissions}), teams=teams)
        found = await told(floor, actor, **given)
        return found["total"]["answeredCount"], found["groups"]

    assert (await seen({"session:read", "conversation:read"}))[0] == 2
    assert (await seen({"conversation:read"}))[0] == 1
    assert (await seen(set()))[0] == 0
    assert (await seen({"conversation:read:team", "session:read:team"}))[0] == 1
    assert (await seen({"conversation:read:team"}, teams=frozenset({number})))[0] == 1
    assert (await seen({"conversation:read:own", "session:read:own"}))[0] == 1
    assert (await seen({"conversation:read:own", "session:read:own"}, 2))[0] == 1
    assert (await seen({"conversation:read:own"}, 2))[0] == 0
    groups = (await seen({"conversation:read:own", "session:read"}, by="USER"))[1]
    assert sorted(group["user"]["id"] for group in groups) == ["usr_2", "usr_5"]
    assert (await seen({"conversation:read:own", "session:read"}, filter={"userIds": ["me"]}))[0] == 1
    refused = await floor.graph.answer(
        REPORT, Actor(user_id=2, name="Bo", permissions=READER - {"reports:read"}), **arguments()
    )
    assert (refused["data"], refused["errors"][0]["extensions"]["code"]) == ({"report": None}, "FORBIDDEN")


def arguments(since: str = "2026-01-01T00:00:00Z", until: str = "2026-01-08T00:00:00Z", **given: Any) -> dict[str, Any]:
    return {"since": since, "until": until, "zone": "UTC", **given}


WRONG: tuple[tuple[dict[str, Any], list[str]], ...] = (
    (arguments(until="2026-01-01T00:00:00Z"), ["until"]),
    (arguments(until="2027-02-06T00:00:00Z"), ["until"]),
    (arguments(until="2026-04-12T00:00:00Z", by="DAY"), ["until"]),
    (arguments(until="2026-04-12T00:00:00Z", by="HOUR_OF_DAY"), ["until"]),
    (arguments(zone="Europe"), ["timeZone"]),
    (arguments(zone="../etc"), ["timeZone"]),
    (arguments(filter={"userIds": ["tea_1"]}), ["filter", "userIds", "0"]),
    (arguments(filter={"teamIds": [None, "usr_1"]}), ["filter", "teamIds", "1"]),
)


async def test_report_asked_for_wrongly_is_refused_at_what_is_wrong(floor: Floor) -> None:
    for asked, path in WRONG:
        found = await floor.graph.answer(REPORT, ADA, **asked)
        (error,) = found["errors"]
        assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("INVALID_INPUT", path), error


async def test_report_ends_and_begins_at_the_edges_of_the_calendar(floor: Floor) -> None:
    first = "0002-01-01T00:00:00Z", "0002-03-01T00:00:00Z"
    last = "9998-11-01T00:00:00Z", "9998-12-31T23:59:59Z"
    for since, until in (first, last):
        for by in ("DAY", "MONTH", "HOUR_OF_DAY", "KIND"):
            for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
                found = await floor.graph.read(REPORT, ADA, **arguments(since, until, by=by, zone=zone))
                assert found["report"]["total"]["answeredCount"] == 0


async def test_report_by_month_has_each_month_also_where_it_begins_on_the_last_day_of_one(floor: Floor) -> None:
    found = await floor.graph.read(
        REPORT, ADA, **arguments("2026-01-30T23:00:00Z", "2026-04-01T00:00:00Z", by="MONTH", zone="Europe/Oslo")
    )
    starts = [group["start"][:13] for group in found["report"]["groups"]]
    assert starts == ["2026-01-30T23", "2026-01-31T23", "2026-02-28T23", "2026-03-31T22"]


async def test_report_as_csv_shows_names_that_no_spreadsheet_takes_for_formulas(floor: Floor) -> None:
    await floor.graph.do("updateUser", {"id": "usr_2", "name": '=1+1,"x"'})
    await floor.answer(await floor.opened("session"), BO)
    lines = (await told(floor, by="USER"))["csv"].split("\r\n")
    assert lines[0].startswith("user,user_id,first_response_count,first_response_average_seconds,first_response_p50_")
    assert lines[1].startswith('"\'=1+1,""x""",usr_2,1,0.0,0.0,0.0,0.0,')
    assert lines[2:] == [""]
    whole = (await told(floor))["csv"].split("\r\n")
    assert (len(whole), whole[1].count(",")) == (3, whole[0].count(","))
    by_day = (await told(floor, by="DAY", zone="Europe/Oslo"))["csv"].split("\r\n")
    assert by_day[2].startswith("2026-01-05T00:00:00+01:00,")


async def test_marks_are_written_by_commands_that_end_something_alone(floor: Floor) -> None:
    async def writes(step: Any) -> int:
        floor.graph.statements.clear()
        await step
        return len([sql for sql in floor.graph.statements if " mark " in sql.replace("(", " (")])

    ref = await floor.opened("conversation")
    assert await writes(floor.hear_in(ref)) == 0
    assert await writes(floor.do(claim, BO, ref)) == 0
    assert await writes(floor.answer(ref)) == 1
    assert await writes(floor.answer(ref)) == 0
    assert await writes(floor.do(mark_read, BO, ref)) == 0
    assert await writes(floor.do(close, BO, ref)) == 1
    assert await writes(floor.hear_in(ref)) == 1


async def test_marks_and_figures_stay_when_the_customer_is_erased_and_go_in_their_time(floor: Floor) -> None:
    await floor.answer(await floor.opened("conversation"))
    await floor.do(erase_customer, ADA, f"cus_{floor.targets['conversation']['customer_id']}")
    assert (await told(floor))["total"]["answeredCount"] == 1

    async def kept() -> tuple[int, int]:
        while await floor.do(forget_marks):
            pass

        def count(work: Work) -> tuple[int, int]:
            marks, cells, sums = (
                work.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                for table in (mark, cell, sum_of_teams)
            )
            return marks, cells + sums

        found: tuple[int, int] = await floor.do(count)
        return found

    assert await kept() == (1, 14)
    floor.clock.now += timedelta(days=31)
    assert await kept() == (0, 14)
    assert (await told(floor))["total"]["answeredCount"] == 1
    floor.clock.now += floor.graph.settings.report_retention
    assert await kept() == (0, 0)
    assert (await told(floor))["total"]["answeredCount"] == 0


def busy_hours() -> Sequence[datetime]:
    return [datetime(2026, 1, 1, tzinfo=UTC) + number * 25 * HOUR for number in range(350)]


def busy_year(work: Work) -> None:
    """A mark every 25 hours of a year, by two users in turn, of two teams by the week."""
    marks = [
        Mark(
            interaction_id=1,
            kind="session",
            team_id=number // 7 % 2,
            user_id=number % 2 + 1,
            account=None,
            at=at,
            waited_since=at - timedelta(seconds=number),
            outcome=Outcome.ANSWERED,
        )
        for number, at in enumerate(busy_hours())
    ]
    work.connection.execute(sa.insert(mark), [asdict(each) for each in marks])


async def test_report_of_a_year_looks_at_some_dozen_periods_of_each_group(floor: Floor) -> None:
    await floor.do(busy_year)
    await count_all(floor.graph)
    begin = datetime(2026, 1, 1, 11, tzinfo=UTC)

    async def rows(days: int, **asked: Any) -> tuple[int, int]:
        noted = Trail(noting=True)
        follow(noted)
        try:
            found = await report(floor.graph, begin, begin + days * DAY, ADA, **asked)
        finally:
            follow(None)
        return sum(step.rows for step in noted.steps or ()), found["total"]["answeredCount"]

    # All months, from which the hour with the only mark before the first is taken away; a month has both teams and both
    # users. Two rows say since when there are figures, and two for each user who it is.
    wanted = {None: 12, "KIND": 12, "USER": 2 * 12 + 2 * 2, "TEAM": 2 * 12}
    for by, found in wanted.items():
        assert await rows(364, by=by) == (found + 1 + 2, 349), by
    # A day begins and ends with an hour of the one before: of 24 such hours in a row, one has a mark.
    days, total = await rows(96, by="DAY", zone="Europe/Oslo")
    assert (days <= 96 + 96 // 24 + 1 + 2, total) == (True, 92)


@pytest.mark.both_databases
@pytest.mark.parametrize("reading", ["session:read", "session:read:team"])
async def test_report_looks_its_periods_up(floor: Floor, database_url: str, reading: str) -> None:
    plans = Plans(floor.graph, database_url)
    times = {"since": rfc3339(START), "until": rfc3339(START + DAY), "zone": "UTC"}
    actor = Actor(1, "ada", permissions=frozenset({"reports:read", reading}))
    _, steps = await plans.of(REPORT, actor, times)
    assert any("period=?" in step or "period = ANY" in step for step in steps), steps


MOMENTS = st.integers(0, 10 * 8_766).map(lambda hours: datetime(2020, 1, 1, tzinfo=UTC) + hours * HOUR)


KEPT = st.integers(-40 * 24, 400 * 24)


@given(MOMENTS, st.integers(0, 400 * 24), KEPT)
def test_cover_has_each_hour_once_and_few_periods(since: datetime, hours: int, kept: int) -> None:
    until, kept_since = since + hours * HOUR, since + kept * HOUR
    counted: Counter[datetime] = Counter()
    pieces = cover(since, until, kept_since)
    for level, period, times in pieces:
        begin, end = period_start(level, period), period_start(level, period + 1)
        if times < 0:
            assert begin >= kept_since, "what is taken away is not known"
        for hour in range((end - begin) // HOUR):
            counted[begin + hour * HOUR] += times
    assert +counted == Counter(since + hour * HOUR for hour in range(hours))
    assert not -counted
    # Two ends of at most 23 hours and 30 days each; half of these where anything can be taken away.
    assert len(pieces) <= (12 + 15) * 2 + 13 + 2 or kept_since > since.replace(day=1, hour=0)
    assert len(pieces) <= (23 + 30) * 2 + 13


@given(MOMENTS, st.integers(1, 100 * 24), KEPT)
def test_cover_by_hour_has_each_hour_once_and_few_periods(since: datetime, hours: int, kept: int) -> None:
    until, kept_since = since + hours * HOUR, since + kept * HOUR
    counted: Counter[datetime] = Counter()
    pieces = [*cover_by_hour(since, until, kept_since, Level.MONTH)]
    for hour, (level, period, times) in pieces:
        begin = period_start(level, period)
        assert begin.hour == hour
        if times < 0:
            assert begin >= kept_since, "what is taken away is not known"
        days = {Level.HOUR: 1, Level.HOUR_OF_DAY: monthrange(begin.year, begin.month)[1]}[level]
        for day in range(days):
            counted[begin + day * DAY] += times
    assert +counted == Counter(since + number * HOUR for number in range(hours))
    assert not -counted
    # Of each hour, two ends of at most half a month each, unless nothing can be taken away there.
    assert len(pieces) <= 24 * (2 * 16 + 4) or kept_since > since.replace(day=1, hour=0)
    by_user = [piece for _, piece in cover_by_hour(since, until, kept_since, Level.DAY)]
    assert sorted(by_user) == sorted(cover(since, until, kept_since, Level.HOUR))


ZONES = ("Europe/Oslo", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Kiritimati")


async def test_report_by_hour_of_the_day_is_right_in_each_time_zone(floor: Floor, database_url: str) -> None:
    await floor.do(busy_year)
    await count_all(floor.graph)
    # With both changes of clocks on either side of the equator, and with months of which all, much or little is in it.
    for since, days in ((datetime(2026, 1, 20, 11, tzinfo=UTC), 95), (datetime(2026, 9, 3, 11, tzinfo=UTC), 60)):
        until = since + days * DAY
        for zone in turns_of(database_url, ZONES):
            found = await report(floor.graph, since, until, ADA, by="HOUR_OF_DAY", zone=zone)
            wanted = Counter(each.astimezone(ZoneInfo(zone)).hour for each in busy_hours() if since <= each < until)
            counts = [group["figures"]["answeredCount"] for group in found["groups"]]
            assert counts == [wanted[hour] for hour in range(24)], zone


async def test_marks_are_counted_by_as_many_statements_whatever_their_number(floor: Floor) -> None:
    await floor.do(busy_year)
    ran = []
    for most in (1, 10, 100):
        floor.graph.statements.clear()
        assert await floor.do(count_marks, most)
        ran.append(len([sql for sql in floor.graph.statements if " report_" in sql]))
    # The lock, and for each of the two tables what is known, what is new and what is changed.
    assert ran == [5, 7, 7]


async def test_report_that_begins_where_figures_were_forgotten_has_none_of_these(floor: Floor) -> None:
    await floor.do(busy_year)
    await count_all(floor.graph)
    # Of the day on which they begin, the hours before are gone; the day, which has them still, began before.
    floor.clock.now = datetime(2026, 3, 1, 20, tzinfo=UTC) + floor.graph.settings.report_retention
    while await floor.do(forget_marks):
        pass
    for hour in (20, 21, 23):
        since = datetime(2026, 3, 1, hour, tzinfo=UTC)
        found = await report(floor.graph, since, since + 200 * DAY, ADA, by="MONTH")
        assert found["total"]["answeredCount"] == len(
            [each for each in busy_hours() if since <= each < since + 200 * DAY]
        )


async def test_marks_are_counted_once_by_processes_that_count_at_once(floor: Floor) -> None:
    await floor.do(busy_year)

    async def count() -> bool:
        try:
            return bool(await floor.do(count_marks))
        except Unavailable:  # the others had the lock for too long; a chore comes back, too
            return True

    while any(await asyncio.gather(*(count() for _ in range(4)))):
        pass
    await count_all(floor.graph)
    found = await report(floor.graph, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC), ADA)
    assert found["total"]["nextResponse"]["count"] == 350
