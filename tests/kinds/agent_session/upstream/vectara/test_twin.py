"""Another Switchboard in place of the AI agents' platform, by the contract that it serves to the platform's clients."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor
from app.interactions.model import State
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.state import close
from app.kinds.agent_session import service
from app.kinds.agent_session.model import AgentSessionChanges
from app.storage.database import Database
from tests.conftest import CountingIds, ManualClock
from tests.connections.through import Through
from tests.kinds.agent_session.upstream.vectara.conftest import AGS, Desk, attached
from tests.kinds.conftest import BO
from tests.kinds.rest import House, housed

pytestmark = pytest.mark.anyio


@pytest.fixture
async def twin(tmp_path: Path, sqlite_template: Path, clock: ManualClock) -> AsyncIterator[House]:
    path = tmp_path / "twin.db"
    await asyncio.to_thread(shutil.copy, sqlite_template, path)
    ids = CountingIds()
    for _ in range(1_000):
        ids.uuid()  # two real ones never make the same
    async with housed(f"sqlite:///{path}", clock, ids) as house:
        await house.database.command(service.create_agent, BO, {"name": "Support"}, agent_key="agt_support")
        yield house


@pytest.fixture
async def desk(database: Database, clock: ManualClock, twin: House) -> Desk:
    return await attached(database, clock, Through(twin), credential="bo")


async def test_what_happens_in_one_is_seen_in_the_other(desk: Desk, twin: House) -> None:
    there = twin.database.command
    metadata = {"customer_id": "c-17", "order": 12345678901234567}
    given = AgentSessionChanges(metadata=metadata, name="Parcel")
    await there(service.create, BO, "agt_support", given, agent_session_key="s1")
    await there(receive_message, BO, {"interaction": AGS}, [{"type": "text", "content": "Where is it?"}])
    answer = {"type": "text", "content": "On its way."}
    await there(send_message, BO, AGS, answer, author=MessageAuthor.AI_AGENT)
    await desk.sync()
    here = await desk.session()
    assert (here.agent_session_key, here.name, here.state) == ("s1", "Parcel", State.OPEN)
    assert here.metadata == '{"customer_id":"c-17","order":12345678901234567}'
    assert await desk.said() == [("CUSTOMER", "Where is it?"), ("AI_AGENT", "On its way.")]

    changes = {"metadata": {"customer_id": "c-17", "priority": "urgent"}, "description": "Late"}
    await desk.run(service.update, BO, str(AGS), changes)
    await desk.run(receive_message, BO, {"interaction": AGS}, [{"type": "text", "content": "And now?"}])
    await desk.run(service.hide_event, BO, GlobalId("msg", 1), hidden=True)
    await desk.run(close, BO, AGS)
    await desk.work()
    assert await desk.queue() == []
    events = (await _get(twin, "/events?include_hidden=true"))["events"]
    assert [each.get("content") or each["messages"][0]["content"] for each in events] == [
        "Where is it?",
        "On its way.",
        "And now?",
    ]
    session = await _get(twin, "")
    assert (session["enabled"], session["description"]) == (False, "Late")
    assert session["metadata"] == {"customer_id": "c-17", "priority": "urgent"}
    before = await desk.session()
    await desk.later(2)
    await desk.walk()
    assert (await desk.session(), len(await desk.said())) == (before, 3)

    await there(service.delete, BO, str(AGS))
    await desk.walk()
    assert await desk.keys() == []


async def _get(twin: House, rest: str) -> Any:
    async with twin.client() as client:
        return (await client.get(f"/v2/agents/agt_support/sessions/s1{rest}")).json()
