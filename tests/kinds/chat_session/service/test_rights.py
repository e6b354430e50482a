"""Rights in a topic that change while a chat is given out: whichever comes first, nobody keeps what it may not have."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy.util import await_only

from app.core.errors import DomainError
from app.core.ids import GlobalId
from app.interactions.repository.holdings import HoldingRepository
from app.interactions.service.holding import claim
from app.kinds.chat_session.model.session import KIND
from app.kinds.chat_session.model.topic import MemberRights
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.kinds.chat_session.service.queue import pick_up_chat_session
from app.kinds.chat_session.service.topics import (
    add_chat_topic_member,
    remove_chat_topic_member,
    update_chat_topic_member,
)
from app.kinds.chat_session.service.transfers import accept_chat_transfer, transfer_chat_session
from app.settings import Settings
from app.storage.database import Database, Work
from tests.kinds.chat_session.conftest import EVE, FAY, Desk, request
from tests.kinds.conftest import ADA, BO
from tests.serving import PATIENCE

# SQLite runs one unit after the other.
pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]

Command = Callable[[Work], Any]

WAITING = """SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE datname = current_database() AND NOT granted)"""


@pytest.fixture
def settings() -> Settings:
    """A command waits for its turn as long as a slow machine may need."""
    return Settings(lock_timeout=timedelta(seconds=PATIENCE), command_timeout=timedelta(seconds=PATIENCE))


async def waits(url: str, unit: "asyncio.Task[Any]") -> None:
    """Wait until the unit waits for a lock, or has ended."""
    remote = await asyncpg.connect(url)
    try:
        for _ in range(int(PATIENCE / 0.01)):
            if unit.done() or await remote.fetchval(WAITING):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it neither waited nor ended")
    finally:
        await remote.close()


async def crossing(database: Database, url: str, first: Command, second: Command) -> list[Any]:
    """What comes of two units of which the second begins when the first has done all but its commit, and of which the
    first commits when the second waits for it, or is done."""
    is_done = asyncio.Event()

    def whole(work: Work) -> Any:
        try:
            return first(work)
        finally:
            is_done.set()
            await_only(waits(url, other))

    async def begin() -> Any:
        await is_done.wait()
        return await database.command(second)

    other = asyncio.create_task(begin())
    return list(await asyncio.gather(database.command(whole), other, return_exceptions=True))


def member(work: Work, topic_id: int, user_id: int) -> GlobalId:
    topics = work.use(ChatTopicRepository)
    topic = topics.get_by_key(topic_id)
    assert topic is not None
    return GlobalId("tpm", next(each.id for each in topics.members(topic.id) if each.user_id == user_id))


def leaves(work: Work, desk: Desk) -> None:
    remove_chat_topic_member(work, ADA, member(work, desk.sales, EVE.user_id))


def only_listens(work: Work, desk: Desk) -> None:
    update_chat_topic_member(work, ADA, member(work, desk.sales, EVE.user_id), {"can_respond": False})


def becomes_anothers(work: Work, desk: Desk) -> None:
    topic = work.use(ChatTopicRepository).get_by_key(desk.open)
    assert topic is not None
    add_chat_topic_member(work, ADA, GlobalId("top", topic.id), FAY.user_id, {"can_respond": True})


async def has(database: Database, user_id: int) -> list[int]:
    """The chats that the user holds, or that are offered to the user."""

    def found(work: Work) -> list[int]:
        offers = work.use(ChatSessionRepository).offered_to(user_id)
        return sorted([*work.use(HoldingRepository).held(KIND, user_id), *offers])

    return await database.command(found)


async def waiting(database: Database, topic: int) -> Command:
    ref = await request(database, topic)
    return lambda work: pick_up_chat_session(work, EVE, ref)


async def first_waiting(database: Database, topic: int) -> Command:
    await request(database, topic)
    return lambda work: pick_up_chat_session(work, EVE)


async def claimable(database: Database, topic: int) -> Command:
    ref = await request(database, topic)
    return lambda work: claim(work, EVE, ref)


async def held_by_another(database: Database, topic: int) -> Command:
    ref = await request(database, topic)
    await database.command(claim, BO, ref)
    return lambda work: transfer_chat_session(work, BO, ref, EVE.user_id)


async def offered(database: Database, topic: int) -> Command:
    ref = await request(database, topic)
    await database.command(claim, BO, ref)
    await database.command(transfer_chat_session, BO, ref, EVE.user_id)
    return lambda work: accept_chat_transfer(work, EVE, ref)


@pytest.mark.parametrize("loses_first", [True, False])
async def test_rights_that_are_lost_meanwhile_take_the_chat(
    database: Database, database_url: str, desk: Desk, loses_first: bool
) -> None:
    for place, made in enumerate((waiting, claimable, held_by_another, offered, first_waiting)):
        if place:
            given: MemberRights = {"can_respond": True}
            topic = await database.command(lambda work: work.use(ChatTopicRepository).get_by_key(desk.sales))
            assert topic is not None
            await database.command(add_chat_topic_member, ADA, GlobalId("top", topic.id), EVE.user_id, given)
        takes = await made(database, desk.sales)
        units: list[Command] = [lambda work: leaves(work, desk), takes]
        found = await crossing(database, database_url, *(units if loses_first else reversed(units)))
        refused = [each for each in found if isinstance(each, BaseException)]
        assert all(isinstance(each, DomainError) for each in refused), found
        assert bool(refused) == loses_first, (made, found)
        assert await has(database, EVE.user_id) == [], (made, found)


@pytest.mark.parametrize("loses_first", [True, False])
async def test_rights_of_a_topic_that_was_everybodys_are_its_first_responders(
    database: Database, database_url: str, desk: Desk, loses_first: bool
) -> None:
    takes = await waiting(database, desk.open)
    units: list[Command] = [lambda work: becomes_anothers(work, desk), takes]
    found = await crossing(database, database_url, *(units if loses_first else reversed(units)))
    assert [isinstance(each, DomainError) for each in found] == [False, loses_first]
    assert await has(database, EVE.user_id) == []


async def test_rights_that_are_narrowed_meanwhile_take_the_chat(
    database: Database, database_url: str, desk: Desk
) -> None:
    takes = await waiting(database, desk.sales)
    found = await crossing(database, database_url, takes, lambda work: only_listens(work, desk))
    assert not any(isinstance(each, BaseException) for each in found), found
    assert await has(database, EVE.user_id) == []
