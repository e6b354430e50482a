"""Deliveries of a service that talks to the platform's agents: the session that one names is read at once."""

import pytest

from app.connections.runner import Runner
from app.connections.service import Verdict, accept, standings
from app.connections.service.sealing import opened
from app.interactions.connector import Unmappable
from app.kinds.agent_session.upstream.vectara.deliveries import session_in
from app.registry import CONNECTORS
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.connections.conftest import NOBODY, signed
from tests.kinds.agent_session.upstream.vectara.conftest import Desk, attached
from tests.kinds.agent_session.upstream.vectara.platform import Platform

pytestmark = pytest.mark.anyio

BODY = '{"agent_key": "agt_support", "session_key": "s1"}'


async def offer(desk: Desk, body: str = BODY, secret: str | None = None) -> Verdict:
    """Hand a delivery in, apply it, and do what is due then: no list is read."""
    (system,) = [each.system for each in await desk.run(standings)]
    known = await desk.run(lambda work: opened(work, system, work.now)[0])
    headers = signed(known if secret is None else secret, body, f"evt-{desk.clock.now.timestamp()}")
    verdict: Verdict = await desk.run(accept, NOBODY, CONNECTORS, f"con_{system.id}", system.token, headers, body)
    while await Runner(desk.database, CONNECTORS, desk.clock, "tests").step():
        pass
    desk.keeper.poller.at = desk.keeper.walker.at = float("inf")
    await desk.work()
    return verdict


async def test_session_that_a_delivery_names_is_read_though_no_list_shows_a_change(
    desk: Desk, platform: Platform
) -> None:
    platform.opens("s1")
    platform.hears("s1", "Where is it?")
    await desk.sync()
    platform.hears("s1", "Hello?")
    assert await offer(desk) is Verdict.KEPT
    assert [text for _, text in await desk.said()] == ["Where is it?", "Hello?"]
    assert await desk.stands() == ("CONNECTED", None)


async def test_new_session_that_a_delivery_names_is_read(desk: Desk, platform: Platform) -> None:
    await desk.sync()
    platform.opens("s1")
    await offer(desk)
    assert await desk.keys() == ["s1"]


async def test_delivery_about_an_agent_that_is_not_wanted_changes_nothing(
    database: Database, clock: ManualClock, platform: Platform
) -> None:
    desk = await attached(database, clock, platform, agents=["agt_sales"])
    await desk.sync()
    platform.opens("s1")
    await offer(desk)
    assert await desk.keys() == []


async def test_delivery_with_another_secret_is_refused(desk: Desk, platform: Platform) -> None:
    await desk.sync()
    platform.opens("s1")
    assert await offer(desk, secret="whsec_" + "A" * 32) is Verdict.WRONG_SIGNATURE
    assert await desk.keys() == []


async def test_delivery_that_names_no_session_is_parked(desk: Desk) -> None:
    await desk.sync()
    await offer(desk, '{"agent_key": "agt_support"}')
    assert await desk.stands() == ("DEGRADED", "DELIVERIES_PARKED")


@pytest.mark.parametrize(
    "body", ["", "[]", "null", "[" * 10_000, '{"agent_key": "a/b", "session_key": "s1"}', '{"session_key": "s1"}']
)
def test_what_is_no_delivery_is_not_understood(body: str) -> None:
    with pytest.raises(Unmappable):
        session_in(body)
