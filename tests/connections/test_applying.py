"""How deliveries are applied, tried again and parked, by however many processes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from app.connections.runner import AT_ONCE, LEASE, LOOK, SELDOM, Runner, applying
from app.connections.service import (
    Outcome,
    Verdict,
    apply_delivery,
    delete_connection,
    drop_parked,
    due_deliveries,
    forget_deliveries,
    pause_connection,
    replay_parked,
    resume_connection,
)
from app.connections.signing import StandardWebhooks
from app.connections.tables import inbox, mirrored
from app.core.errors import Forbidden
from app.interactions.connector import About, Mapped, Settings, Unmappable
from app.interactions.tables import interaction, message
from app.registry import CONNECTORS
from app.storage.database import Database, Work
from app.storage.event_log import event_log
from tests.conftest import START, ManualClock
from tests.connections.conftest import ADA, Source, connect, hello
from tests.kinds.conftest import BO
from tests.scheduler.conftest import eventually

pytestmark = pytest.mark.anyio


async def rows(database: Database, *columns: sa.Column[Any]) -> list[Any]:
    def read(work: Work) -> list[Any]:
        found = work.connection.execute(sa.select(*columns).order_by(columns[0].table.c.id))
        return [row[0] if len(columns) == 1 else tuple(row) for row in found]

    return await database.command(read)


async def logged(database: Database) -> list[str]:
    def read(work: Work) -> list[str]:
        return sorted(work.connection.execute(sa.select(event_log.c.topic)).scalars())

    return await database.command(read)


async def states(source: Source) -> list[tuple[str, str]]:
    return [(key, state) for key, state, *_ in await source.kept()]


class Awkward:
    """A connector that does what the body says."""

    system = "HTTP"
    description = ""
    signature = StandardWebhooks()
    remote = None

    def prepared(self, work: Work, connection_id: int, name: str, given: Settings) -> Settings:
        return given

    def problems(self, work: Work, settings: Settings) -> list[str]:
        return []

    def apply(self, work: Work, connection_id: int, settings: Settings, body: str) -> Mapped | None:
        # What is written before the fault has to be undone.
        work.connection.execute(sa.update(inbox).values(event_key=inbox.c.event_key + "!"))
        match body:
            case "passing":
                raise Unmappable("Not yet.", passing=True)
            case "broken":
                raise RuntimeError("a fault of ours")
            case "refused":
                raise Forbidden("No.", path=("a", 1))
        return None

    def about(self, work: Work, connection_id: int, settings: Settings, body: str) -> About:
        return About()


async def test_deliveries_are_applied_in_the_order_of_their_arrival(source: Source) -> None:
    for number in range(3):
        await source.offer(hello(f"m-{number}", f"Number {number}"), f"evt-{number}")
    await source.apply()
    assert await rows(source.database, message.c.text) == ["Number 0", "Number 1", "Number 2"]
    assert {state for _, state in await states(source)} == {"DONE"}


async def test_applied_delivery_leaves_its_key_and_no_body(source: Source) -> None:
    await source.deliver(hello())
    assert await source.kept() == [("evt-1", "DONE", False, 0, None)]


async def test_interaction_is_mirrored_under_the_key_of_its_customer(source: Source) -> None:
    await source.deliver(hello())
    columns = (mirrored.c.id, mirrored.c.connection_id, mirrored.c.upstream_key, mirrored.c.synced_at)
    assert await rows(source.database, *columns) == [(1, source.id, "c-17", START)]
    source.clock.advance(60)
    await source.deliver(hello("m-2"), "evt-2")
    assert await rows(source.database, mirrored.c.synced_at) == [source.clock.now]


async def test_what_cannot_be_mapped_is_parked_and_stops_nothing_else(source: Source) -> None:
    await source.offer("no JSON", "evt-1")
    await source.offer(hello(), "evt-2")
    await source.apply()
    assert await source.kept() == [
        ("evt-1", "PARKED", True, 1, "The body is not JSON."),
        ("evt-2", "DONE", False, 0, None),
    ]


@pytest.mark.parametrize("body", ["passing", "broken"])
async def test_what_may_pass_is_tried_again_later_and_parked_in_the_end(source: Source, body: str) -> None:
    runner = Runner(source.database, {"HTTP": Awkward()}, source.clock, "tests")
    await source.offer(body)
    with capture_logs():
        await runner.step()
        reason = (await source.kept())[0][4]
        for attempts, seconds in ((1, 5), (2, 30), (3, 120)):
            assert await source.kept() == [("evt-1", "PENDING", True, attempts, reason)]
            source.clock.advance(seconds - 0.001)
            await runner.step()
            assert (await source.kept())[0][3] == attempts
            source.clock.advance(0.001)
            await runner.step()
    assert await source.kept() == [("evt-1", "PARKED", True, 4, reason)]
    assert reason == (
        "Not yet." if body == "passing" else "INTERNAL: Applying it failed for a reason that the server's log has."
    )


async def test_refusal_of_a_rule_is_the_reason_for_parking(source: Source) -> None:
    await source.offer("refused")
    await Runner(source.database, {"HTTP": Awkward()}, source.clock, "tests").step()
    assert await source.kept() == [("evt-1", "PARKED", True, 1, "FORBIDDEN: No. (a.1)")]


async def test_delivery_for_which_there_is_no_connector_waits_for_it(source: Source) -> None:
    await source.offer(hello())
    await Runner(source.database, {}, source.clock, "tests").step()
    assert (await source.kept())[0][1:4] == ("PENDING", True, 1)
    source.clock.advance(5)
    await source.apply()
    assert await states(source) == [("evt-1", "DONE")]


async def test_failed_delivery_leaves_nothing_behind(source: Source) -> None:
    refused = {**hello(), "labels": {"add": [" "]}}
    await source.deliver(refused)
    assert await logged(source.database) == [
        "channel_agent.created",
        "connection.created",
        "connection.delivered",
        "connection.delivery_parked",
    ]
    assert [row[1] for row in await source.kept()] == ["PARKED"]
    assert await rows(source.database, interaction.c.id) == []
    assert await rows(source.database, message.c.id) == []


async def test_replay_applies_parked_deliveries_again(source: Source) -> None:
    await source.offer("refused", "evt-1")
    await source.offer("refused", "evt-2")
    awkward = Runner(source.database, {"HTTP": Awkward()}, source.clock, "tests")
    await awkward.step()
    handled = await source.database.command(replay_parked, ADA, source.ref, ["dlv_2", "dlv_9"])
    assert handled.number == 1
    assert await source.kept() == [
        ("evt-1", "PARKED", True, 1, "FORBIDDEN: No. (a.1)"),
        ("evt-2", "PENDING", True, 0, None),
    ]
    assert (await source.database.command(replay_parked, ADA, source.ref)).number == 1
    await source.apply()
    assert [row[4] for row in await source.kept()] == ["The body is not JSON."] * 2


async def test_dropped_delivery_is_gone_and_does_not_come_back(source: Source) -> None:
    await source.deliver("no JSON")
    assert (await source.database.command(drop_parked, ADA, source.ref)).number == 1
    assert await source.kept() == [("evt-1", "DONE", False, 1, None)]
    assert await source.offer("no JSON") is Verdict.REPEATED


async def test_parked_deliveries_of_another_connection_are_left_alone(source: Source) -> None:
    other = await connect(source.database, source.clock, "Other")
    await other.deliver("no JSON")
    for command in (replay_parked, drop_parked):
        assert (await source.database.command(command, ADA, source.ref)).number == 0
        assert (await source.database.command(command, ADA, source.ref, ["dlv_1"])).number == 0
    assert await states(other) == [("evt-1", "PARKED")]


async def test_parked_deliveries_need_the_permission(source: Source) -> None:
    await source.deliver("no JSON")
    for command in (replay_parked, drop_parked):
        with pytest.raises(Forbidden):
            await source.database.command(command, BO, source.ref)
    assert await states(source) == [("evt-1", "PARKED")]


async def test_paused_connection_goes_on_where_it_stopped(source: Source) -> None:
    await source.database.command(pause_connection, ADA, source.ref)
    await source.offer(hello())
    await source.apply()
    assert await states(source) == [("evt-1", "PENDING")]
    await source.database.command(resume_connection, ADA, source.ref)
    await source.apply()
    assert await states(source) == [("evt-1", "DONE")]


async def test_delivery_of_a_connection_that_was_paused_meanwhile_waits(source: Source) -> None:
    await source.offer(hello())
    (due,) = await source.database.command(due_deliveries, source.id, 10)
    await source.database.command(pause_connection, ADA, source.ref)
    assert await source.database.command(apply_delivery, CONNECTORS, due) is Outcome.GONE
    assert await states(source) == [("evt-1", "PENDING")]


async def test_delivery_that_two_processes_apply_at_once_is_applied_once(source: Source) -> None:
    await source.offer(hello())
    (due,) = await source.database.command(due_deliveries, source.id, 10)
    both = (source.database.command(apply_delivery, CONNECTORS, due) for _ in range(2))
    assert sorted(each.name for each in await asyncio.gather(*both)) == ["APPLIED", "GONE"]
    assert await rows(source.database, message.c.text) == ["Hello?"]


async def test_delivery_that_fails_in_two_processes_at_once_is_tried_once(source: Source) -> None:
    await source.offer({"customer": {"key": "c-17"}, "labels": {"add": ["vip"]}})
    (due,) = await source.database.command(due_deliveries, source.id, 10)
    both = (source.database.command(apply_delivery, CONNECTORS, due) for _ in range(2))
    assert sorted(each.name for each in await asyncio.gather(*both)) == ["GONE", "PUT_OFF"]
    assert (await source.kept())[0][3] == 1


async def test_deleted_connection_keeps_no_body_and_no_secret(source: Source) -> None:
    await source.deliver("no JSON", "evt-1")
    await source.offer(hello(), "evt-2")
    await source.database.command(delete_connection, ADA, source.ref)
    assert [row[1:3] for row in await source.kept()] == [("DONE", False)] * 2
    system = await source.system()
    assert (system.secret, system.former_secret) == (None, None)
    await source.apply()
    assert await rows(source.database, interaction.c.id) == []


async def test_connection_is_one_process_own_until_its_lease_ends(source: Source) -> None:
    first = Runner(source.database, CONNECTORS, source.clock, "first")
    second = Runner(source.database, CONNECTORS, source.clock, "second")
    for number in range(AT_ONCE):
        await source.offer(hello(f"m-{number}"), f"evt-{number}")
    assert await first.step()
    await source.offer(hello("m-last"), "evt-last")
    source.clock.advance(LEASE.total_seconds() - 1)
    await second.step()
    assert (await states(source))[-1] == ("evt-last", "PENDING")
    assert second.pause == 1
    source.clock.advance(1)
    await second.step()
    assert (await states(source))[-1] == ("evt-last", "DONE")


@pytest.mark.parametrize("stops", [True, False])
async def test_connection_is_free_at_once_when_its_process_stops_or_has_done_all(source: Source, stops: bool) -> None:
    first = Runner(source.database, CONNECTORS, source.clock, "first")
    for number in range(AT_ONCE if stops else 1):
        await source.offer(hello(f"m-{number}"), f"evt-{number}")
    await first.step()
    if stops:
        await first.stop()
    await source.offer(hello("m-last"), "evt-last")
    await Runner(source.database, CONNECTORS, source.clock, "second").step()
    assert (await states(source))[-1] == ("evt-last", "DONE")


async def test_runner_looks_seldom_where_nothing_is_due(source: Source) -> None:
    runner = Runner(source.database, {"HTTP": Awkward()}, source.clock, "tests")
    await runner.step()
    assert runner.pause == LOOK
    await source.offer("passing")
    await runner.step()
    assert runner.pause == 0
    await runner.step()
    assert runner.pause == LOOK  # a delivery that was put off is due in five seconds
    source.clock.advance(4)
    await runner.step()
    assert runner.pause == 1
    await source.database.command(pause_connection, ADA, source.ref)
    await runner.step()
    assert runner.pause == SELDOM


async def test_connection_with_many_deliveries_leaves_turns_to_others(source: Source) -> None:
    other = await connect(source.database, source.clock, "Other")
    for number in range(AT_ONCE + 1):
        await source.offer("{}", f"evt-{number}")
    await other.offer(hello())
    runner = Runner(source.database, CONNECTORS, source.clock, "tests")
    assert await runner.step()
    assert (await states(other))[-1] == ("evt-1", "DONE")
    assert [state for _, state in (await states(source))[:-1]] == [*["PARKED"] * AT_ONCE, "PENDING"]
    assert not await runner.step()
    assert (await states(source))[-2] == (f"evt-{AT_ONCE}", "PARKED")


async def test_connection_whose_turn_fails_stops_no_other(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    other = await connect(source.database, source.clock, "Other")
    await source.offer(hello())
    await other.offer(hello())
    runner = Runner(source.database, CONNECTORS, source.clock, "tests")
    turn = runner._turn

    async def failing(connection_id: int) -> bool:
        if connection_id == source.id:
            raise RuntimeError("a fault of ours")
        return await turn(connection_id)

    monkeypatch.setattr(runner, "_turn", failing)
    with capture_logs():
        await runner.step()
    assert [state for _, state in await states(source)] == ["PENDING", "DONE"]


async def test_keys_of_applied_deliveries_are_forgotten_after_a_week(source: Source, clock: ManualClock) -> None:
    await source.deliver(hello(), "evt-1")
    await source.deliver("no JSON", "evt-2")
    clock.advance(timedelta(days=7).total_seconds())
    await source.database.command(forget_deliveries)
    assert len(await source.kept()) == 2
    clock.advance(1)
    await source.database.command(forget_deliveries)
    assert await states(source) == [("evt-2", "PARKED")]


async def test_runner_applies_beside_the_server(source: Source) -> None:
    taken = asyncio.Event()
    async with applying(source.database, CONNECTORS, source.clock, taken):
        await source.offer(hello())
        taken.set()

        async def done() -> bool:
            return await states(source) == [("evt-1", "DONE")]

        await eventually(done)
