"""A process that does nothing but fire what is due: `python -m tests.scheduler.processes <database URL>`."""

import asyncio
import sys

from app.core.clock import utc_now
from app.core.ids import TimeOrderedIds
from app.registry import KINDS
from app.scheduler import Scheduler
from app.settings import Settings
from app.storage.database import open_database


async def serve(database_url: str) -> None:
    rules = {kind.name: kind.rules for kind in KINDS}
    ids = TimeOrderedIds()
    database = await open_database(database_url, clock=utc_now, ids=ids, settings=Settings(), kinds=rules)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await Scheduler(database, utc_now).run()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
