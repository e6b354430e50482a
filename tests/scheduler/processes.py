"""Processes that do nothing but fire what is due, and may kill themselves over it."""

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import datetime
from multiprocessing.synchronize import Semaphore

from app.core.clock import utc_now
from app.core.ids import TimeOrderedIds
from app.registry import KINDS
from app.scheduler import Scheduler
from app.settings import Settings
from app.storage.database import open_database

RULES = {kind.name: kind.rules for kind in KINDS}


def fire(database_url: str, ready: Semaphore) -> None:
    """Fire what is due until the process is killed; `ready` is released once, before the first look."""
    asyncio.run(_serve(database_url, ready))


async def _serve(database_url: str, ready: Semaphore) -> None:
    database = await open_database(database_url, clock=utc_now, ids=TimeOrderedIds(), settings=Settings(), kinds=RULES)
    ready.release()
    await Scheduler(database, utc_now).run()


POINTS = ("before", "between", "after")
"""Before the first of two alerts is written, between the first and the second, and after both are there for good."""


def tell_until_killed(database_url: str, now: datetime, point: str) -> None:
    """Tell the two alerts that are due at this time, and die of SIGKILL at one of the points."""
    asyncio.run(_tell(database_url, now, _killer(point)))


def _killer(point: str) -> Callable[[str], None]:
    """Sees each statement before it is executed."""
    written = 0

    def see(sql: str) -> None:
        nonlocal written
        written += sql.startswith("UPDATE alert")
        reached = {
            "before": "FROM alert" in sql and "due_at <= " in sql,
            "between": written == 2,
            "after": written == 2 and sql.startswith("SELECT due_at"),
        }
        if reached[point]:
            os.kill(os.getpid(), signal.SIGKILL)

    return see


async def _tell(database_url: str, now: datetime, see: Callable[[str], None]) -> None:
    clock, ids = (lambda: now), TimeOrderedIds()
    database = await open_database(database_url, clock=clock, ids=ids, settings=Settings(), kinds=RULES, observer=see)
    await Scheduler(database, clock).run()
