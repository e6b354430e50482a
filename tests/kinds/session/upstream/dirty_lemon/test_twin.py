"""Another Switchboard in place of the messaging bot, by the contract that it serves to the bot's clients."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.interactions.messages import MessageAuthor
from app.interactions.service.messages import receive_message, send_message
from app.kinds.session import service
from app.kinds.session.model import SessionChanges
from app.kinds.session.repository import SessionRepository
from app.storage.database import Database
from app.storage.work import Work
from tests.conftest import CountingIds, ManualClock
from tests.connections.through import Through
from tests.kinds.conftest import BO, store_customer, store_users
from tests.kinds.rest import House, housed
from tests.kinds.session.upstream.dirty_lemon.conftest import SES, Desk, attached
from tests.kinds.session.upstream.dirty_lemon.lemon import ANA

pytestmark = pytest.mark.anyio


@pytest.fixture
async def twin(tmp_path: Path, sqlite_template: Path, clock: ManualClock) -> AsyncIterator[House]:
    path = tmp_path / "twin.db"
    await asyncio.to_thread(shutil.copy, sqlite_template, path)
    ids = CountingIds()
    for _ in range(1_000):
        ids.uuid()  # two real ones never make the same

    def fill(work: Work) -> None:
        store_users(work)
        store_customer(work, customer_key=ANA, system="SESSION", phone_number="+4911111111")

    async with housed(f"sqlite:///{path}", clock, ids) as house:
        await house.database.command(fill)
        yield house


@pytest.fixture
async def desk(database: Database, clock: ManualClock, twin: House) -> Desk:
    return await attached(database, clock, Through(twin), credential="ada", customers=[ANA])


async def test_what_happens_in_one_is_seen_in_the_other(desk: Desk, twin: House) -> None:
    there, here = twin.database.command, desk.run
    text = {"type": "text", "content": "Do you ship?"}
    await there(receive_message, BO, {"kind": "session", "customer_id": 1}, [text])
    await there(send_message, BO, SES, {"type": "text", "content": "We do."}, author=MessageAuthor.BOT)
    await desk.sync()
    assert await desk.said() == [("CUSTOMER", "Do you ship?"), ("BOT", "We do.")]

    await here(service.update, BO, SessionChanges(need_attention=True, tags=["vip"]), ref=str(SES))
    await here(send_message, BO, SES, {"type": "text", "content": "I am Bo."})
    await desk.work()
    found = await there(lambda work: work.use(SessionRepository).load(1))
    assert found is not None
    assert (found.need_attention, found.tags, await desk.queue()) == (True, ("vip",), [])
    async with twin.client() as client:
        session = (await client.get(f"/v1/customers/{ANA}/sessions/current")).json()
    assert [(each["sender_role"], each["content"]) for each in session["messages"]] == [
        ("end-user", "Do you ship?"),
        ("bot", "We do."),
        ("agent", "I am Bo."),
    ]
    before = await desk.session()
    await desk.later(60)
    await desk.sync()
    assert (await desk.session(), len(await desk.said())) == (before, 3)

    await there(service.update, BO, SessionChanges(need_attention=False), ref=str(SES))
    await desk.later(60)
    await desk.sync()
    assert not (await desk.session()).need_attention
