"""A changed setting is applied to what is stored, once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.interactions.model import State
from app.interactions.service.messages import mark_read, receive_message, send_message
from app.interactions.service.state import snooze
from app.kinds.agent_session import service as agent_sessions
from app.kinds.agent_session.settings import AgentSessionSettings
from app.kinds.conversation.settings import ConversationSettings
from app.scheduler import Recomputed, recompute_all
from app.settings import KindSettings, Settings
from app.storage.database import Database, open_database
from tests.conftest import START, CountingIds, ManualClock
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import Desk, stored
from tests.scheduler.conftest import RULES, customer, hear, said, told, topics

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@asynccontextmanager
async def opened_with(
    database_url: str, clock: ManualClock, *of_kinds: KindSettings, **given: Any
) -> AsyncIterator[Database]:
    """The same database, of a process with other settings."""
    opened = await open_database(
        database_url, clock=clock, ids=CountingIds(), settings=Settings(**given).having(*of_kinds), kinds=RULES
    )
    try:
        yield opened
    finally:
        await opened.close()


def silent(_done: int, _of: int) -> None:
    """Progress is not what is tested."""


async def test_a_changed_rule_is_applied_and_a_second_run_changes_nothing(
    database: Database, database_url: str, desk: Desk, clock: ManualClock
) -> None:
    await database.command(agent_sessions.create_agent, BO, {"name": "Support"}, agent_key="agt_1")
    for number in range(250):
        metadata = {"tier": "gold" if number % 5 == 0 else "silver", "priority": "urgent" if number < 3 else "low"}
        await database.command(agent_sessions.create, BO, "agt_1", {"metadata": metadata})
    before = await told(database)
    reported: list[tuple[int, int]] = []
    async with opened_with(database_url, clock, AgentSessionSettings(escalation={"tier": ("gold",)})) as other:
        first = await recompute_all(other, lambda done, of: reported.append((done, of)))
        # Fifty are gold; of the three that were urgent the first one is, and it is no less urgent now.
        assert first == Recomputed(250, 51, 0, ())
        assert reported == [(100, 250), (200, 250), (250, 250)]
        found = await topics(database, before)
        assert (found.count("attention.raised"), found.count("attention.cleared")) == (49, 2)
        assert found.count("agent_session.refreshed") == 51
        assert {each.event.actor_id for each in await told(database) if each not in before} == {None}
        assert await recompute_all(other, silent) == Recomputed(250, 0, 0, ())
        assert await topics(database, before) == found


async def test_deadlines_follow_their_settings(
    database: Database, database_url: str, desk: Desk, clock: ManualClock
) -> None:
    ref = await hear(database, desk)
    for key in ("sam", "kim"):
        target = {"kind": "session", "customer_id": await customer(database, key)}
        await database.command(receive_message, BO, target, [said("Hi")])
        clock.advance(900)
    assert (await stored(database, ref.number)).due_at == START + 23 * HOUR
    before = await told(database)
    warned = ConversationSettings(reply_window_warning=3 * HOUR)
    async with opened_with(database_url, clock, warned, session_window=timedelta(minutes=20)) as other:
        # Sam's Session is over by now, Kim's will be sooner than it was to be, and so the warning.
        assert await recompute_all(other, silent) == Recomputed(3, 1, 2, ())
        assert await topics(database, before) == ["session.ended"]
        assert (await stored(database, ref.number)).due_at == START + 21 * HOUR
        assert await recompute_all(other, silent) == Recomputed(3, 0, 0, ())


async def test_what_is_due_is_done_along(database: Database, database_url: str, desk: Desk, clock: ManualClock) -> None:
    ref = await hear(database, desk)
    await database.command(snooze, BO, ref, START + HOUR)
    before = await told(database)
    clock.advance(3600)
    assert await recompute_all(database, silent) == Recomputed(1, 1, 0, ())
    assert await topics(database, before) == ["conversation.snooze_ended", "attention.raised"]
    assert (await stored(database, ref.number)).state is State.OPEN


async def test_a_deadline_that_has_moved_away_is_found(database: Database, desk: Desk, clock: ManualClock) -> None:
    ref = await hear(database, desk)
    await database.command(mark_read, BO, ref)
    await database.command(send_message, BO, ref, said("Hi"))
    assert (await stored(database, ref.number)).due_at == START + 23 * HOUR
    assert await recompute_all(database, silent) == Recomputed(1, 0, 1, ())
    assert (await stored(database, ref.number)).due_at is None


async def test_what_fails_is_counted_and_holds_up_no_other(database: Database, desk: Desk, clock: ManualClock) -> None:
    await hear(database, desk)
    ref = GlobalId("cnv", 1)
    await database.command(lambda work: work.connection.exec_driver_sql("UPDATE conversation SET status = 'BROKEN'"))
    found = await recompute_all(database, silent)
    assert (found.found, found.changed, found.moved) == (1, 0, 0)
    assert [(each.ref, type(each.error)) for each in found.failures] == [(str(ref), ValueError)]


async def test_of_nothing_nothing_is_derived(database: Database) -> None:
    assert await recompute_all(database, silent) == Recomputed(0, 0, 0, ())
