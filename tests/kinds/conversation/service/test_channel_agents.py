"""Making and changing the business accounts that conversations run through."""

from typing import Any

import pytest

from app.core.errors import AlreadyExists, DomainError, Forbidden, InvalidInput, NotFound, TooLong, VersionConflict
from app.core.ids import GlobalId
from app.directory.model import Channel
from app.kinds.conversation.model.channel_agent import ChannelAgent, ChannelAgentChanges
from app.kinds.conversation.repository import ChannelAgentRepository
from app.kinds.conversation.service.channel_agents import create_channel_agent, update_channel_agent
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.kinds.conftest import BO, CY
from tests.kinds.conversation.conftest import Desk, Told, told

pytestmark = pytest.mark.anyio

NEW = {"channel": "WIDGET", "display_id": "help", "name": "Help desk"}


def _stored(work: Work, number: int) -> ChannelAgent | None:
    return work.use(ChannelAgentRepository).get(number)


async def test_it_is_made(database: Database, desk: Desk) -> None:
    made = await database.command(create_channel_agent, BO, NEW)
    assert made == ChannelAgent(
        id=desk.apart + 1,
        channel=Channel.WIDGET,
        display_id="help",
        name="Help desk",
        created_at=START,
        updated_at=START,
    )
    assert await database.command(_stored, made.id) == made
    assert await told(database) == [Told("channel_agent.created", BO.user_id, None, None)]


async def test_it_is_changed(database: Database, clock: ManualClock, desk: Desk) -> None:
    clock.advance(1)
    agent = GlobalId("cha", desk.whatsapp)
    changed = await database.command(
        update_channel_agent, BO, agent, {"name": "Support", "in_sync": False}, if_version=1
    )
    assert (changed.name, changed.in_sync, changed.version) == ("Support", False, 2)
    assert changed.updated_at == clock.now
    assert await database.command(_stored, desk.whatsapp) == changed
    assert await database.command(update_channel_agent, BO, agent, {"in_sync": False}) == changed
    assert [event.topic for event in await told(database)] == ["channel_agent.updated"]


@pytest.mark.parametrize(
    ("given", "error", "path"),
    [
        ({**NEW, "channel": "TELEGRAM"}, InvalidInput, ("channel",)),
        ({**NEW, "display_id": " "}, InvalidInput, ("display_id",)),
        ({**NEW, "display_id": "x" * 256}, TooLong, ("display_id",)),
        ({**NEW, "name": ""}, InvalidInput, ("name",)),
        ({**NEW, "name": "x" * 256}, TooLong, ("name",)),
        ({**NEW, "display_id": "shop"}, AlreadyExists, ("display_id",)),
    ],
)
async def test_what_does_not_fit(
    database: Database, desk: Desk, given: dict[str, Any], error: type[DomainError], path: tuple[str, ...]
) -> None:
    with pytest.raises(error) as refused:
        await database.command(create_channel_agent, BO, given)
    assert refused.value.path == path
    assert await database.command(_stored, desk.apart + 1) is None
    assert await told(database) == []


async def test_refused_changes(database: Database, desk: Desk) -> None:
    agent = GlobalId("cha", desk.whatsapp)
    before = await database.command(_stored, desk.whatsapp)
    name: ChannelAgentChanges = {"name": "x"}
    blank: ChannelAgentChanges = {"name": " "}
    with pytest.raises(VersionConflict):
        await database.command(update_channel_agent, BO, agent, name, if_version=2)
    with pytest.raises(NotFound):
        await database.command(update_channel_agent, BO, GlobalId("cha", 999), name)
    with pytest.raises(InvalidInput):
        await database.command(update_channel_agent, BO, agent, blank)
    with pytest.raises(Forbidden):
        await database.command(update_channel_agent, CY, agent, name)
    with pytest.raises(Forbidden):
        await database.command(create_channel_agent, CY, NEW)
    assert await database.command(_stored, desk.whatsapp) == before
    assert await told(database) == []
