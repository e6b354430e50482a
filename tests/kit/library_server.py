"""The library's graph on a real server, with keys that the test gives and takes away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from app.asgi import create_app
from app.budgets.store import Store, opened
from app.core.actor import Actor
from app.feed import wakeups_for
from app.live.connections import ConnectionLimits
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import CountingIds, ManualClock
from tests.kit.library import ADMIN, READER, SLICES
from tests.serving import Served, serving

BOOK = '{ book(id: "boo_1") { title } }'
TITLE = {"book": {"title": "The Dispossessed"}}
TICKS = "subscription($over: Int! = 0, $after: String) { ticks(over: $over, after: $after) { number cursor } }"
NUMBERS = "subscription { ticks { number } }"
KEY = {"Authorization": "Bearer admin"}
LIMITS = ConnectionLimits(
    init_seconds=1.0,
    operations=5,
    message_bytes=20_000,
    ping_seconds=0.5,
    heartbeat_seconds=0.2,
    stall_seconds=0.5,
    tick_seconds=0.05,
    sockets=4,
    subscriptions=7,
    strangers=6,
)


class Keys:
    def __init__(self) -> None:
        self.known = {"admin": ADMIN, "reader": READER}

    async def actor_of(self, key: str) -> Actor | None:
        return self.known.get(key)


@asynccontextmanager
async def serving_library(
    url: str,
    clock: ManualClock,
    keys: Keys,
    limits: ConnectionLimits = LIMITS,
    sharing: Callable[[Settings], AbstractAsyncContextManager[Store | None]] = opened,
    **settings_of_test: Any,
) -> AsyncIterator[Served]:
    settings = Settings(database_url=url, allowed_origins=("https://ui.example",), pool_size=4, **settings_of_test)
    app = create_app(
        settings,
        clock=clock,
        ids=CountingIds(),
        slices=SLICES,
        authenticator=lambda _: keys,
        contracts=(),
        limits=limits,
        sharing=sharing,
    )
    async with serving(app, settings) as served:
        yield served


@asynccontextmanager
async def telling(database: Database, url: str) -> AsyncIterator[None]:
    """Let the processes that listen know of this one's commits, as every server does."""
    wakeups = wakeups_for(url)
    database.on_commit(lambda _: wakeups.tell())
    task = asyncio.create_task(wakeups.run(lambda: None))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
