"""Three processes on one database, one of which is killed in the middle."""

import asyncio
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.core.clock import utc_now
from app.interactions.tables import interaction
from app.kinds.conversation.tables import conversation
from app.storage.database import Database, Work
from tests.kinds.conversation.conftest import Desk
from tests.scheduler.conftest import eventually, told
from tests.scheduler.test_scheduler import asleep

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]


def start(stack: ExitStack, database_url: str) -> subprocess.Popen[bytes]:
    """A process that ends with the stack at the latest."""
    arguments = [sys.executable, "-m", "tests.scheduler.processes", database_url]
    process = stack.enter_context(subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE))
    stack.callback(process.kill)
    return process


async def is_ready(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None
    return await asyncio.to_thread(process.stdout.readline) == b"ready\n"


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
        processes = [start(stack, database_url) for _ in range(3)]
        assert all([await is_ready(process) for process in processes])
        await database.command(ends_at, utc_now() + timedelta(seconds=0.5))
        await eventually(begun)
        processes[0].kill()
        await eventually(done)
        # Whoever would tell one twice does it by now.
        await asyncio.sleep(0.2)
    found = Counter((each.event.topic, each.event.interaction_id) for each in await told(database))
    assert found == Counter((topic, key) for topic in ("conversation.snooze_ended", "attention.raised") for key in ids)
