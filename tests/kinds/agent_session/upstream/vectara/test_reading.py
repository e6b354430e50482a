"""How what the AI agents' platform has comes in: sessions, what is said, what is gone."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from app.connections.model import NewConnection
from app.connections.service import create_connection, failing_reads, retry_reads, update_connection
from app.connections.service.reading import FEW
from app.core.errors import DomainError, NotSupported
from app.directory.repository import CustomerRepository
from app.interactions.model import State
from app.interactions.service.erasing import erase_customer
from app.interactions.service.holding import claim, release
from app.interactions.service.state import raise_attention
from app.kinds.agent_session.model import Status, deleted_at
from app.kinds.agent_session.repository import AiAgentRepository
from app.kinds.agent_session.service import create, update_agent
from app.registry import CONNECTORS
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.connections.conftest import ADA
from tests.kinds.agent_session.upstream.vectara.conftest import AGS, CLIENT_CREDENTIALS, Desk, attached, kept
from tests.kinds.agent_session.upstream.vectara.platform import API, KEY, SECRET, Platform
from tests.kinds.conftest import BO

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

GOOD: dict[str, Any] = {"system": "VECTARA", "name": "Agents", "address": API, "credential": KEY}


async def test_session_is_read_with_what_was_said(desk: Desk, platform: Platform) -> None:
    platform.opens("s1", metadata={"customer_id": "c-17", "priority": "high"}, description="About parcels")
    platform.hears("s1", "Where is it?")
    platform.answers_with("s1", "On its way.")
    await desk.sync()
    here = await desk.session()
    assert (here.agent_key, here.agent_session_key, here.name) == ("con_1-agt_support", "s1", "Session s1")
    assert (here.state, here.status, here.description) == (State.OPEN, Status.STOPPED, "About parcels")
    assert await desk.said() == [("CUSTOMER", "Where is it?"), ("AI_AGENT", "On its way.")]
    assert [each.event_type for each in await desk.messages()] == ["input_message", "agent_output"]
    assert not here.waiting.needed
    customer, agent = await desk.run(
        lambda work: (
            work.use(CustomerRepository).get(here.customer_id),
            work.use(AiAgentRepository).get(here.agent_id),
        )
    )
    assert (customer.customer_key, agent.name, agent.connection_id) == ("con_1:c-17", "Support", 1)


async def test_what_is_read_again_changes_nothing(desk: Desk, platform: Platform) -> None:
    platform.opens("s1", metadata={"n": 1})
    platform.hears("s1", "Hello?")
    platform.answers_with("s1", "Yes?")
    await desk.sync()
    before, requests = await desk.session(), len(platform.requests)
    await desk.sync(3)
    assert await desk.session() == before
    assert {each.path for each in platform.requests[requests:]} == {"/v2/agent_analytics/traces"}


async def test_run_is_seen_by_the_next_poll_and_read_once(desk: Desk, platform: Platform) -> None:
    platform.opens("s1")
    await desk.sync()
    platform.hears("s1", "Hello?")
    platform.answers_with("s1", "Yes?")
    requests = len(platform.requests)
    await desk.sync(3)
    await desk.walk()
    assert await desk.said() == [("CUSTOMER", "Hello?"), ("AI_AGENT", "Yes?")]
    paths = [each.path for each in platform.requests[requests:]]
    assert paths.count("/v2/agents/agt_support/sessions/s1") == 1


async def test_run_that_is_listed_late_is_seen_also_after_a_restart(
    desk: Desk, platform: Platform, clock: ManualClock
) -> None:
    platform.opens("s1")
    await desk.sync()
    began = clock.now
    clock.advance(600)
    platform.runs("s1")
    await desk.sync()
    platform.hears("s1", "Hello?")
    platform.answers_with("s1", "Yes?", at=began + timedelta(seconds=1))
    again = await kept(desk.database, clock, platform, desk.connection)
    again.keeper.walker.at = float("inf")
    await again.sync()
    assert [text for _, text in await again.said()] == ["Hello?", "Yes?"]


async def test_session_whose_agent_works_is_read_until_it_stops(desk: Desk, platform: Platform) -> None:
    platform.opens("s1")
    platform.hears("s1", "Hello?")
    await desk.sync()
    assert (await desk.session()).status is Status.RUNNING
    platform.lists_traces = False
    platform.answers_with("s1", "Yes?")
    await desk.later(5)
    assert ((await desk.session()).status, len(await desk.said())) == (Status.STOPPED, 2)
    requests = len(platform.requests)
    await desk.later(600)
    assert all("/sessions/s1" not in each.path for each in platform.requests[requests:])


async def test_account_that_lists_no_runs_is_walked(desk: Desk, platform: Platform) -> None:
    platform.lists_traces = False
    platform.opens("s1")
    await desk.sync()
    assert await desk.stands() == ("CONNECTED", None)
    platform.sessions["agt_support", "s1"]["metadata"] = {"priority": "urgent"}
    await desk.walk()
    assert (await desk.session()).metadata == '{"priority":"urgent"}'


async def test_walk_goes_through_all_pages_of_all_agents(desk: Desk, platform: Platform) -> None:
    platform.agents = {f"agt_{number}": f"Agent {number}" for number in range(5)}
    wanted = []
    for agent in platform.agents:
        for number in range(3):
            platform.opens(f"{agent}_s{number}", agent)
            wanted.append(f"{agent}_s{number}")
    await desk.sync(2)
    assert (await desk.keys(), await desk.stands()) == (wanted, ("CONNECTED", None))


async def test_agents_that_the_setting_leaves_out_are_not_read(
    database: Database, clock: ManualClock, platform: Platform
) -> None:
    platform.agents["agt_other"] = "Other"
    desk = await attached(database, clock, platform, agents=["agt_support"])
    platform.opens("s1")
    platform.opens("s2", "agt_other")
    await desk.sync()
    platform.hears("s2", "Hello?", "agt_other")
    platform.answers_with("s2", "Yes?", "agt_other")
    await desk.walk()
    assert await desk.keys() == ["s1"]


async def test_history_enters_quietly(desk: Desk, platform: Platform, clock: ManualClock) -> None:
    early = clock.now - timedelta(days=3)
    platform.opens("s1", created_at=f"{early:%Y-%m-%dT%H:%M:%SZ}")
    platform.hears("s1", "Hello?", at=early)
    platform.answers_with("s1", "Yes?", at=early)
    platform.hears("s1", "Never mind", at=early)
    platform.sessions["agt_support", "s1"]["status"] = "stopped"
    await desk.sync()
    here = await desk.session()
    assert (here.waiting.needed, here.unread_customer_messages_count, here.created_at) == (False, 0, early)
    assert len(await desk.said()) == 3


async def test_metadata_that_escalates_asks_for_a_human(desk: Desk, platform: Platform) -> None:
    platform.opens("s1", metadata={"priority": "urgent"})
    await desk.sync()
    assert (await desk.session()).attention.reasons == ("ESCALATED",)


async def test_numbers_of_metadata_stay_as_they_were_written(desk: Desk, platform: Platform) -> None:
    platform.opens("s1", metadata={"order": 12345678901234567})
    await desk.sync()
    assert (await desk.session()).metadata == '{"order":12345678901234567}'


async def test_closed_session_is_closed_here_and_opened_again(desk: Desk, platform: Platform) -> None:
    platform.opens("s1")
    await desk.sync()
    there = platform.sessions["agt_support", "s1"]
    there["enabled"] = False
    await desk.walk()
    assert (await desk.session()).state is State.CLOSED
    there["enabled"] = True
    platform.hears("s1", "Hello again")
    await desk.walk()
    here = await desk.session()
    assert (here.state, here.waiting.needed, here.bot_active) == (State.OPEN, True, True)


async def test_session_that_is_gone_goes_here_too(desk: Desk, platform: Platform) -> None:
    for key in ("s1", "s2", "s3"):
        platform.opens(key, tti_minutes=60)
    await desk.sync()
    platform.forgets("s2")
    await desk.sync(2)
    assert await desk.keys() == ["s1", "s2", "s3"]
    await desk.walk()
    assert await desk.keys() == ["s1", "s3"]


async def test_session_does_not_expire_here_by_itself(desk: Desk, platform: Platform) -> None:
    platform.opens("s1", tti_minutes=60)
    await desk.sync()
    here = await desk.session()
    assert (here.tti_minutes, deleted_at(here)) == (60, None)


async def test_gone_session_stays_while_somebody_has_to_do_with_it(desk: Desk, platform: Platform) -> None:
    platform.opens("s1")
    await desk.sync()
    platform.opens("s2")
    platform.opens("s3")
    await desk.walk()
    await desk.run(claim, BO, AGS)
    for key in ("s1", "s2"):
        platform.forgets(key)
    await desk.walk()
    assert await desk.keys() == ["s1", "s3"]
    await desk.run(release, BO, AGS)
    await desk.later(601)
    assert await desk.keys() == ["s3"]


async def test_gone_session_that_is_kept_by_the_setting_stays(
    database: Database, clock: ManualClock, platform: Platform
) -> None:
    desk = await attached(database, clock, platform, keepDeleted=True)
    platform.opens("s1")
    await desk.sync()
    platform.forgets("s1")
    await desk.walk()
    assert await desk.keys() == ["s1"]


async def test_session_that_a_walk_only_missed_stays(desk: Desk, platform: Platform) -> None:
    platform.opens("s1")
    await desk.sync()
    platform.page = 0  # lists are empty, and nothing says why
    await desk.walk()
    assert await desk.keys() == ["s1"]


async def test_pages_that_lead_in_a_circle_are_told_and_nothing_of_them_is_lost(desk: Desk, platform: Platform) -> None:
    platform.page, platform.loops = 1, True
    keys = ["s1", "s2", "s3"]
    for key in keys:
        platform.opens(key)
    await desk.sync()
    assert (await desk.keys(), await desk.stands()) == (keys, ("DEGRADED", "SYSTEM_REFUSES"))
    platform.loops = False
    desk.keeper.walker.now()
    await desk.sync(2)
    assert (await desk.keys(), await desk.stands()) == (keys, ("CONNECTED", None))


async def test_much_that_is_missing_at_once_is_told_and_stays(desk: Desk, platform: Platform) -> None:
    platform.page = 100
    keys = [f"s{number:02}" for number in range(FEW + 2)]
    for key in keys:
        platform.opens(key)
    await desk.sync()
    there, platform.sessions = platform.sessions, {}
    await desk.walk()
    assert (await desk.keys(), await desk.stands()) == (keys, ("DEGRADED", "MANY_MISSING"))
    platform.sessions = there
    await desk.walk()
    assert (await desk.keys(), await desk.stands()) == (keys, ("CONNECTED", None))


async def test_much_that_is_missing_goes_once_a_human_allows_it(desk: Desk, platform: Platform) -> None:
    platform.page = 100
    for number in range(FEW + 2):
        platform.opens(f"s{number:02}")
    await desk.sync()
    platform.sessions = {}
    await desk.walk()
    ref = f"con_{desk.connection}"
    await desk.run(update_connection, ADA, CONNECTORS, ref, allow_missing=FEW + 1)
    await desk.walk()
    assert (len(await desk.keys()), await desk.stands()) == (FEW + 2, ("DEGRADED", "MANY_MISSING"))
    await desk.run(update_connection, ADA, CONNECTORS, ref, allow_missing=FEW + 2)
    await desk.walk()
    assert (await desk.keys(), await desk.stands()) == ([], ("CONNECTED", None))


async def test_walk_that_a_restart_cut_in_two_deletes_nothing(
    desk: Desk, platform: Platform, clock: ManualClock
) -> None:
    platform.page = 1
    for key in ("s1", "s2", "s3"):
        platform.opens(key)
    await desk.sync()
    platform.forgets("s1")
    clock.advance(3_600)
    desk.keeper.walker.now()
    await desk.keeper.walker.page()
    await desk.keeper.walker.page()
    again = await kept(desk.database, clock, platform, desk.connection)
    await again.keeper.walker.page()
    await again.sync()
    assert await again.keys() == ["s1", "s2", "s3"]
    await again.walk()
    assert await again.keys() == ["s2", "s3"]


@pytest.mark.parametrize(("rate", "seconds"), [(None, 4.0), (50, 0.4), (1, 20.0)])
async def test_walks_take_a_tenth_of_the_requests(
    database: Database, clock: ManualClock, platform: Platform, rate: float | None, seconds: float
) -> None:
    settings = {} if rate is None else {"requestsPerSecond": rate}
    desk = await attached(database, clock, platform, pollSeconds=0.2, **settings)
    platform.opens("s1")
    await desk.sync(2)
    before = len(platform.requests)  # two pages were walked: of agents, and of sessions
    clock.advance(seconds - 0.01)
    await desk.keeper.walker.page()
    assert len(platform.requests) == before
    clock.advance(0.01)
    await desk.keeper.walker.page()
    assert len(platform.requests) == before + 1


async def test_erased_customer_does_not_come_back(desk: Desk, platform: Platform) -> None:
    platform.opens("s1", metadata={"customer_id": "c-17"})
    platform.hears("s1", "Hello?")
    platform.answers_with("s1", "Yes?")
    await desk.sync()
    await desk.run(erase_customer, ADA, "cus_1")
    desk.clock.advance(60)
    platform.runs("s1")
    await desk.sync()
    assert (await desk.keys(), len(await desk.said())) == ([], 2)  # out of sight, until they are erased
    platform.hears("s1", "I am back")
    platform.answers_with("s1", "Welcome.")
    await desk.sync()
    assert [text for _, text in await desk.said()][2:] == ["I am back", "Welcome."]


async def test_agent_of_the_platform_is_not_changed_here(desk: Desk, platform: Platform) -> None:
    platform.opens("s1")
    await desk.sync()
    key = "con_1-agt_support"
    with pytest.raises(NotSupported):
        await desk.run(update_agent, BO, {"name": "Other"}, agent_key=key)
    with pytest.raises(NotSupported):
        await desk.run(create, BO, key, {})
    platform.agents["agt_support"] = "Renamed"
    await desk.run(raise_attention, BO, AGS)
    desk.clock.advance(601)
    platform.runs("s1")
    await desk.sync()
    agent = await desk.run(lambda work: work.use(AiAgentRepository).get_by_key(key))
    assert (agent.name, agent.version) == ("Renamed", 2)


async def test_client_enters_by_a_token_that_is_fetched_anew(
    database: Database, clock: ManualClock, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk = await attached(database, clock, platform, credential=CLIENT_CREDENTIALS)
    platform.opens("s1")
    await desk.sync()
    assert (await desk.keys(), list(platform.tokens)) == (["s1"], ["jwt-1"])
    await desk.sync()
    assert len(platform.tokens) == 1
    clock.advance(1_801)
    await desk.sync()
    assert (len(platform.tokens), await desk.stands()) == (2, ("CONNECTED", None))
    assert not [each for each in (SECRET, "jwt-") if each in caplog.text]


@pytest.mark.parametrize("credential", [CLIENT_CREDENTIALS.replace(SECRET, "wrong-secret"), "wrong-key"])
async def test_credential_that_is_not_taken_is_told_without_a_word_of_it(
    database: Database,
    clock: ManualClock,
    platform: Platform,
    credential: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    desk = await attached(database, clock, platform, credential=credential)
    platform.opens("s1")
    await desk.sync()
    assert (await desk.keys(), await desk.stands()) == ([], ("BAD_CREDENTIALS", "TOKEN_REFUSED"))
    printed = capfd.readouterr()
    assert "wrong-" not in caplog.text + printed.out + printed.err


@pytest.mark.parametrize(("status", "error"), [(429, "SYSTEM_SILENT"), (500, "SYSTEM_SILENT"), (403, "SYSTEM_REFUSES")])
async def test_platform_that_does_not_answer_is_told_and_passes(
    desk: Desk, platform: Platform, status: int, error: str
) -> None:
    platform.opens("s1")
    platform.status = status
    await desk.sync()
    assert (await desk.keys(), await desk.stands()) == ([], ("DEGRADED", error))
    platform.status = None
    desk.keeper.walker.now()
    await desk.sync(2)
    assert (await desk.keys(), await desk.stands()) == (["s1"], ("CONNECTED", None))


async def test_answer_that_is_not_understood_is_told(desk: Desk, platform: Platform) -> None:
    platform.opens("s1", created_at="yesterday")
    await desk.sync()
    assert await desk.keys() == []
    platform.opens("s1")
    desk.keeper.walker.now()
    await desk.sync()
    assert await desk.keys() == ["s1"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"credential": '{"client_id": "a"}'}, ("credential",)),
        ({"credential": '{"client_id": "a", "client_secret": 1}'}, ("credential",)),
        ({"credential": '{"client_id": "a", "client_secret": "b", "more": "c"}'}, ("credential",)),
        ({"credential": CLIENT_CREDENTIALS.replace("https://", "")}, ("credential", "token_address")),
        ({"settings": {"agents": []}}, ("settings", "agents")),
        ({"settings": {"agents": ["a b"]}}, ("settings", "agents")),
        ({"settings": {"keepDeleted": 1}}, ("settings", "keepDeleted")),
        ({"settings": {"capabilities": {"FLY": True}}}, ("settings", "capabilities", "FLY")),
        ({"settings": {"users": {}}}, ("settings", "users")),
    ],
)
async def test_connection_that_cannot_work_is_refused(
    database: Database, wrong: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(DomainError) as refused:
        await database.command(create_connection, ADA, CONNECTORS, NewConnection(**{**GOOD, **wrong}))  # type: ignore[typeddict-item]
    assert tuple(refused.value.path) == path
    assert SECRET not in str(refused.value)


@pytest.mark.both_databases  # a statement that fails ends a transaction on PostgreSQL alone
async def test_event_whose_id_another_session_has_is_told_and_not_lost(desk: Desk, platform: Platform) -> None:
    for key in ("s1", "s2"):
        platform.opens(key)
        platform.hears(key, f"Hello from {key}")
        platform.events["agt_support", key][0]["id"] = "aev_1"
        platform.runs(key)
        await desk.sync()
    for _ in range(4):
        await desk.sync()
        desk.clock.advance(600)
    assert [text for _, text in await desk.said()] == ["Hello from s1"]
    assert await desk.stands() == ("DEGRADED", "READS_FAILING")
    (failing,) = await desk.run(failing_reads, ADA, "con_1")
    assert failing.key.endswith("s2")
    platform.events["agt_support", "s2"][0]["id"] = "aev_2"
    await desk.run(retry_reads, ADA, "con_1")
    await desk.work()
    assert [text for _, text in await desk.said()] == ["Hello from s1", "Hello from s2"]
    assert (await desk.stands(), await desk.run(failing_reads, ADA, "con_1")) == (("CONNECTED", None), [])
