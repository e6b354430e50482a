"""A customer and a channel agent have one conversation, whoever opens it first."""

import asyncio

import pytest

from app.core.errors import Forbidden, InvalidInput, NotFound, Unreachable
from app.directory.model import Channel
from app.interactions.model import Level, State
from app.kinds.conversation.model.conversation import Status
from app.kinds.conversation.service.opening import open_for
from app.storage.database import Database
from tests.conftest import START
from tests.kinds.conftest import BO, CY
from tests.kinds.conversation.conftest import Desk, Told, told

pytestmark = pytest.mark.anyio


async def test_the_first_time_it_is_opened(database: Database, desk: Desk) -> None:
    opened = await database.command(open_for, BO, desk.ana, desk.whatsapp)
    assert opened.conversation_id == 1
    assert opened.channel is Channel.WHATSAPP
    assert opened.channel_agent_id == desk.whatsapp
    assert opened.customer_id == desk.ana
    assert opened.status is Status.TO_DO
    assert opened.state is State.OPEN
    assert opened.attention.level is Level.LOW
    assert opened.attention.reasons == ("TO_DO",)
    assert opened.reply_until is None
    assert opened.created_at == START
    assert await told(database) == [
        Told("conversation.created", 2, None, 4),
        Told("attention.raised", 2, None, 4),
    ]


async def test_the_second_time_it_is_found(database: Database, desk: Desk) -> None:
    opened = await database.command(open_for, BO, desk.ana, desk.whatsapp)
    assert await database.command(open_for, BO, desk.ana, desk.whatsapp) == opened
    assert len(await told(database)) == 2


async def test_other_partners_have_another(database: Database, desk: Desk) -> None:
    first = await database.command(open_for, BO, desk.ana, desk.whatsapp)
    second = await database.command(open_for, BO, desk.ana, desk.apart)
    third = await database.command(open_for, BO, desk.wim, desk.widget)
    assert [first.conversation_id, second.conversation_id, third.conversation_id] == [1, 2, 3]
    assert second.in_sync is False
    assert third.channel is Channel.WIDGET


async def test_many_at_once_open_one(database: Database, desk: Desk) -> None:
    opened = await asyncio.gather(*(database.command(open_for, BO, desk.ana, desk.whatsapp) for _ in range(8)))
    assert len({conversation.id for conversation in opened}) == 1
    assert len(await told(database)) == 2


@pytest.mark.parametrize(
    ("customer", "agent", "error", "path"),
    [
        ("ana", "widget", InvalidInput, ("customer_id",)),
        ("blocked", "whatsapp", Unreachable, ()),
    ],
)
async def test_refusals(
    database: Database, desk: Desk, customer: str, agent: str, error: type[InvalidInput], path: tuple[str, ...]
) -> None:
    with pytest.raises(error) as refused:
        await database.command(open_for, BO, getattr(desk, customer), getattr(desk, agent))
    assert refused.value.path == path
    assert await told(database) == []


async def test_neither_partner_may_be_unknown(database: Database, desk: Desk) -> None:
    with pytest.raises(NotFound) as refused:
        await database.command(open_for, BO, 999, desk.whatsapp)
    assert refused.value.path == ("customer_id",)
    with pytest.raises(NotFound) as refused:
        await database.command(open_for, BO, desk.ana, 999)
    assert refused.value.path == ("channel_agent_id",)
    assert await told(database) == []


async def test_opening_needs_the_permission_to_write(database: Database, desk: Desk) -> None:
    with pytest.raises(Forbidden):
        await database.command(open_for, CY, desk.ana, desk.whatsapp)
    assert await told(database) == []
