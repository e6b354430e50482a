"""The application fires deadlines for as long as it serves."""

import pytest

from app.asgi import create_app
from app.core.clock import utc_now
from app.interactions.service.state import snooze
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import START, ManualClock
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import Desk, stored
from tests.scheduler.conftest import eventually, hear

pytestmark = pytest.mark.anyio


async def test_what_is_late_is_fired_once_the_application_has_started(
    database: Database, database_url: str, desk: Desk, clock: ManualClock
) -> None:
    ref = await hear(database, desk)
    clock.advance(60)
    await database.command(snooze, BO, ref, utc_now())

    async def is_awake() -> bool:
        return (await stored(database, ref.number)).snooze_until is None

    app = create_app(Settings(database_url=database_url))
    async with app.router.lifespan_context(app):
        await eventually(is_awake)
    assert (await stored(database, ref.number)).updated_at > START
