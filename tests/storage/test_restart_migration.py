"""Restarts from before the migration are found, so that the window follows their delivery too."""

import pytest
import sqlalchemy as sa

from app.kinds.conversation.service import restart_conversation
from app.storage.migrations import downgrade, migrate
from tests.conftest import START, ManualClock
from tests.kinds.conftest import BO
from tests.storage.test_migrations import on
from tests.waiting.conftest import fresh_floor
from tests.waiting.test_deliveries import DAY, HOUR

pytestmark = pytest.mark.anyio


def _restarts(connection: sa.Connection) -> list[tuple[int, str]]:
    found = connection.execute(sa.text("SELECT id, CAST(restart_message_ids AS text) FROM conversation ORDER BY id"))
    return [(row[0], row[1]) for row in found]


async def test_restart_from_before_the_migration_is_known_after_it(database_url: str, clock: ManualClock) -> None:
    async with fresh_floor(database_url, clock) as floor:
        ref = await floor.opened("conversation")
        await floor.answer(ref)
        await floor.pass_until(START + DAY + HOUR)
        restart = await floor.do(restart_conversation, BO, ref)
    expected = await on(database_url, _restarts)
    assert expected == [(ref.number, f"[{restart.message}]")]
    await on(database_url, lambda connection: downgrade(connection, "0018"))
    await migrate(database_url)
    assert await on(database_url, _restarts) == expected
