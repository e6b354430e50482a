"""Three processes on one database, one of which is killed in the middle."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from multiprocessing.synchronize import Semaphore

import pytest
import sqlalchemy as sa

from app.core.clock import utc_now
from app.interactions.tables import interaction
from app.kinds.conversation.tables import conversation
from app.storage.database import Database, Work
from tests.command_line import FORKED
from tests.kinds.conversation.conftest import Desk
from tests.scheduler.conftest import eventually, told
from tests.scheduler.processes import fire
from tests.scheduler.test_scheduler import asleep

pytestmark = pytest.mark.anyio

STARTS_WITHIN = 60.0


def start(stack: ExitStack, database_url: str, ready: Semaphore) -> Callable[[], None]:
    """Start a process that ends with the stack at the latest; call what comes back to kill it."""
    process = FORKED.Process(target=fire, args=(database_url, ready))
    process.start()

    def kill() -> None:
        process.kill()
        process.join()

    stack.callback(kill)
    return kill


def ends_at(work: Work, moment: datetime) -> None:
    """Every snooze ends at this moment."""
    work.connection.execute(sa.update(conversation).values(snooze_until=moment))
    work.connection.execute(sa.update(interaction).values(due_at=moment))


async def test_a_killed_process_loses_no_deadline_and_none_is_met_twice(
    database: Database, database_url: str, desk: Desk
) -> None:
    ids = await database.command(asleep, desk, 1000)
    await database.command(ends_at, utc_now() + timedelta(days=1))

    async def begun() -> bool:
        return len(await told(database)) > 0

    async def done() -> bool:
        return len(await told(database)) >= 2 * len(ids)

    with ExitStack() as stack:
        ready = FORKED.Semaphore(0)
        kills = [start(stack, database_url, ready) for _ in range(3)]
        assert all([await asyncio.to_thread(ready.acquire, True, STARTS_WITHIN) for _ in kills])
        await database.command(ends_at, utc_now() + timedelta(seconds=0.5))
        await eventually(begun)
        kills[0]()
        await eventually(done)
        # Whoever would tell one twice does it by now.
        await asyncio.sleep(0.2)
    found = Counter((each.event.topic, each.event.interaction_id) for each in await told(database))
    assert found == Counter((topic, key) for topic in ("conversation.snooze_ended", "attention.raised") for key in ids)
