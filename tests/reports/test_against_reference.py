"""Reports say what the event log says, on the demo and of random lives."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.errors import DomainError
from app.core.ids import GlobalId
from app.demo.loading import load
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.service.deliveries import delete_message, report_message_status
from app.interactions.service.holding import claim, release
from app.interactions.service.messages import mark_read
from app.interactions.service.state import close, raise_attention, reopen, set_labels, snooze
from app.kinds.chat_session.model.hours import is_open
from app.kinds.chat_session.service.topics import update_chat_topic
from app.reports.service import count_marks
from app.settings import Settings
from tests.conftest import ManualClock
from tests.graph.people import KIND_NAMES, reaches
from tests.graph.running import ADMIN, open_graph
from tests.kinds.conftest import BO, KINDS
from tests.oracle.visibility import FORMS, form
from tests.reports.asking import assert_agrees, count_all
from tests.reports.reference import Reference
from tests.sizes import sized
from tests.waiting.conftest import fresh_floor
from tests.waiting.floor import EVE, FAILED, Floor

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
HOURS = [
    {"day": day, "opens": "08:00", "closes": "16:30"} for day in ("THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY", "MONDAY")
] + [{"day": "SATURDAY", "opens": "22:00", "closes": "04:00"}]
WHAT = (
    *("hear", "hear", "hear", "hear", "answer", "answer", "answer", "bot", "fail", "arrive", "delete"),
    *("close", "close unread", "reopen", "claim", "release", "label", "snooze", "raise", "new"),
)
START = datetime(2026, 3, 27, 9, 7, tzinfo=UTC)
_OPEN = [0]
GROUPINGS = ("KIND", "TEAM", "USER", "DAY", "MONTH", "HOUR_OF_DAY")


def open_minutes(account: str, since: datetime, until: datetime) -> timedelta:
    """The time between in which the topic was open, minute by minute: everything happens at a full minute here."""
    if not account.startswith("top_"):
        return until - since
    return MINUTE * (_open_before(until) - _open_before(since))


def _open_before(moment: datetime) -> int:
    """How many minutes from START to the moment the topic was open."""
    number, rest = divmod(moment - START, MINUTE)
    assert number >= 0
    assert not rest
    while len(_OPEN) <= number:
        _OPEN.append(_OPEN[-1] + is_open(HOURS, "Europe/Oslo", START + MINUTE * (len(_OPEN) - 1)))
    return _OPEN[number]


async def test_reports_of_the_demo_are_what_its_event_log_says(database_url: str) -> None:
    graph = await open_graph(
        database_url, ManualClock(), Settings(command_timeout=timedelta(minutes=10), compile_seconds=0)
    )
    try:
        await load(graph.database)
        await count_all(graph)
        reference = Reference(graph.database)
        await reference.read_on()
        facts = [fact for fact in reference.facts() if fact.account is None or not fact.account.startswith("top_")]
        assert {fact.what for fact in facts} >= {"first", "next", "bot", "resolution"}
        until = graph.clock.now + timedelta(hours=1)
        kinds = ["SESSION", "AGENT_SESSION", "CONVERSATION"]
        for by in GROUPINGS:
            found = await assert_agrees(
                graph, facts, open_minutes, until - timedelta(days=30), until, by, "Europe/Oslo", kinds=kinds
            )
            assert found["total"]["answeredCount"] > 20
    finally:
        await graph.database.close()


@pytest.mark.parametrize("seed", range(sized(1, 2)))
async def test_reports_of_random_lives_are_what_their_event_log_says(database_url: str, seed: int) -> None:
    chance = Random((seed + database_url.startswith("sqlite")) % 2)  # other lives on the other database
    async with fresh_floor(database_url, ManualClock(START)) as floor:
        await floor.do(
            update_chat_topic, ADMIN, GlobalId("top", 1), {"opening_hours": HOURS, "time_zone": "Europe/Oslo"}
        )
        await floor.graph.do("createTeam", {"name": "Billing", "labels": ["bill"], "memberIds": ["usr_2", "usr_5"]})
        reference = Reference(floor.graph.database)
        refs = [await floor.opened(kind) for kind in KINDS]
        for _ in range(220):
            floor.clock.now += MINUTE * chance.choice((1, 1, 2, 5, 17, 90, 400))
            with suppress(DomainError):
                refs.append(await happen(floor, chance, chance.choice(refs)) or refs[0])
            if chance.random() < 0.2:
                await floor.pass_until(floor.clock.now)
            await reference.read_on()
            if chance.random() < 0.1:
                await floor.do(count_marks)
        await count_all(floor.graph)
        facts, until = reference.facts(), floor.clock.now + MINUTE
        assert {fact.what for fact in facts} == {
            *("first", "next", "bot", "closed", "resolution", "missed", "reopened"),
        }
        for by in (None, *GROUPINGS):
            await assert_agrees(floor.graph, facts, open_minutes, START, until, by, "Europe/Oslo")
        for by in GROUPINGS:
            since = START + (until - START) * chance.random() / 2
            await assert_agrees(floor.graph, facts, open_minutes, since, until, by, "Asia/Kolkata")
        for number, actor in enumerate(callers()):
            seen = [each for each in facts if reaches(actor, "read", each.kind, each.team or 0, each.user)]
            by = (None, *GROUPINGS)[number % (1 + len(GROUPINGS))]
            await assert_agrees(floor.graph, seen, open_minutes, START, until, by, "Europe/Oslo", actor)
        bos = [fact for fact in facts if fact.user == BO.user_id and fact.team is None]
        assert bos
        of_bo: dict[str, Any] = {"userIds": ["usr_2"], "teamIds": [None]}
        await assert_agrees(floor.graph, bos, open_minutes, START, until, "DAY", **of_bo)


def callers() -> Iterator[Actor]:
    """Who sees another part of each kind: everybody of these by every form, and among them every part of every kind."""
    for user, teams in ((2, {1}), (5, {1}), (2, set[int]())):
        for shift in range(len(FORMS)):
            held = {f"{kind}:{part}" for place, kind in enumerate(KIND_NAMES) for part in form(place, shift)}
            permissions = frozenset({"reports:read", *held})
            yield Actor(user, f"{user} {teams} {shift}", permissions=permissions, teams=frozenset(teams))


async def happen(floor: Floor, chance: Random, ref: GlobalId) -> GlobalId | None:
    """Something to an interaction of a random history; the interaction that it opened, if any. Raises DomainError."""
    user = chance.choice((BO, EVE))
    sent = await floor.do(
        lambda work: work.connection.exec_driver_sql(
            f"SELECT id, author, status FROM message WHERE interaction_id = {ref.number} ORDER BY id DESC LIMIT 3"
        ).all()
    )
    match chance.choice(WHAT):
        case "hear":
            await floor.hear_in(ref)
        case "answer":
            await floor.answer(ref, user, override=chance.random() < 0.5)
        case "bot":
            await floor.answer(ref, author=MessageAuthor.BOT)
        case "fail":
            for number, author, status in sent:
                if author != "CUSTOMER" and status != "ERROR" and ref.prefix == "cnv":
                    await floor.do(
                        report_message_status, BO, GlobalId("msg", number), MessageStatus.ERROR, error=FAILED
                    )
                    break
        case "arrive":
            for number, author, status in sent:
                if author != "CUSTOMER" and status == "ERROR":
                    await floor.do(report_message_status, BO, GlobalId("msg", number), MessageStatus.DELIVERED)
                    break
        case "delete":
            if sent:
                await floor.do(delete_message, BO, GlobalId("msg", chance.choice(sent)[0]))
        case "close":
            await floor.do(mark_read, user, ref)
            await floor.do(close, user, ref)
        case "close unread":
            await floor.do(close, user, ref)
        case "reopen":
            await floor.do(reopen, user, ref)
        case "claim":
            await floor.do(claim, user, ref, lease_seconds=chance.choice((None, 600)))
        case "release":
            await floor.do(release, user, ref)
        case "label":
            await floor.do(set_labels, user, ref, chance.choice((["bill"], [])))
        case "snooze":
            await floor.do(snooze, user, ref, floor.clock.now + timedelta(hours=3))
        case "raise":
            await floor.do(raise_attention, user, ref)
        case _:
            return await floor.opened(chance.choice(KINDS))
    return None
