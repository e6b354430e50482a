"""A process that does nothing but fire what is due."""

import asyncio
from multiprocessing.synchronize import Semaphore

from app.core.clock import utc_now
from app.core.ids import TimeOrderedIds
from app.registry import KINDS
from app.scheduler import Scheduler
from app.settings import Settings
from app.storage.database import open_database


def fire(database_url: str, ready: Semaphore) -> None:
    """Fire what is due until the process is killed; `ready` is released once, before the first look."""
    asyncio.run(_serve(database_url, ready))


async def _serve(database_url: str, ready: Semaphore) -> None:
    rules = {kind.name: kind.rules for kind in KINDS}
    ids = TimeOrderedIds()
    database = await open_database(database_url, clock=utc_now, ids=ids, settings=Settings(), kinds=rules)
    ready.release()
    await Scheduler(database, utc_now).run()
