"""Reports: whose figures are shown, what is asked for wrongly, what is kept, what is read."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.core.actor import Actor
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
from app.reports.model import Level, cover, period_start
from app.reports.service import count_marks, forget_marks
from app.reports.tables import cell, sum_of_teams
from app.storage.work import Work
from tests.conftest import START
from tests.kinds.conftest import ADA, BO
from tests.reports.asking import REPORT, count_all, report
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

    assert await kept() == (1, 12)
    floor.clock.now += timedelta(days=31)
    assert await kept() == (0, 12)
    assert (await told(floor))["total"]["answeredCount"] == 1
    floor.clock.now += floor.graph.settings.report_retention
    assert await kept() == (0, 0)
    assert (await told(floor))["total"]["answeredCount"] == 0


def busy_year(work: Work) -> None:
    """A mark every 25 hours of a year, by two users in turn, of two teams by the week."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    marks = [
        Mark(
            interaction_id=1,
            kind="session",
            team_id=number // 7 % 2,
            user_id=number % 2 + 1,
            account=None,
            at=first + number * 25 * HOUR,
            waited_since=first + number * 25 * HOUR - timedelta(seconds=number),
            outcome=Outcome.ANSWERED,
        )
        for number in range(350)
    ]
    work.connection.execute(sa.insert(mark), [asdict(each) for each in marks])


async def test_report_of_a_year_looks_at_some_hundred_periods_of_each_group(floor: Floor) -> None:
    await floor.do(busy_year)
    await count_all(floor.graph)

    async def rows(**asked: Any) -> tuple[int, int]:
        noted = Trail(noting=True)
        follow(noted)
        try:
            found = await report(
                floor.graph, datetime(2026, 1, 1, 11, tzinfo=UTC), datetime(2026, 12, 31, 11, tzinfo=UTC), ADA, **asked
            )
        finally:
            follow(None)
        return sum(step.rows for step in noted.steps or ()), found["total"]["answeredCount"]

    # The first mark is too early. Ten months, and the 29 days with a mark before and after them; a month has both teams
    # and both users. Two rows say since when there are figures, and two for each user who it is.
    wanted = {None: 10, "KIND": 10, "USER": 2 * 10 + 2 * 2, "TEAM": 2 * 10}
    for by, found in wanted.items():
        assert await rows(by=by) == (2 * 29 + found + 2, 349), by


MOMENTS = st.integers(0, 10 * 8_766).map(lambda hours: datetime(2020, 1, 1, tzinfo=UTC) + hours * HOUR)


@given(MOMENTS, st.integers(0, 400 * 24))
def test_cover_is_the_whole_span_in_order_and_as_few_periods_as_can_be(since: datetime, hours: int) -> None:
    until, reached, periods = since + hours * HOUR, since, 0
    for level, first, end in cover(since, until):
        assert first < end
        assert period_start(level, first) == reached
        reached = period_start(level, end)
        periods += end - first
        assert level is Level.MONTH or end - first < {Level.HOUR: 24 * 2, Level.DAY: 31 * 2}[level]
    assert reached == until
    assert periods <= 23 * 2 + 30 * 2 + 13


async def test_marks_are_counted_once_by_processes_that_count_at_once(floor: Floor) -> None:
    await floor.do(busy_year)
    while any(await asyncio.gather(*(floor.do(count_marks) for _ in range(4)))):
        pass
    await count_all(floor.graph)
    found = await report(floor.graph, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC), ADA)
    assert found["total"]["nextResponse"]["count"] == 350
