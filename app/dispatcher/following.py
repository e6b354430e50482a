"""Has the event log followed for policies, by one process at a time."""

import asyncio
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import structlog

from app.core.errors import DATABASE_AWAY
from app.core.fairness import SERVER
from app.destinations import service
from app.destinations.repository import ANY_POLICY
from app.dispatcher.parts import FollowLimits
from app.feed import Feed
from app.storage.database import Database
from app.storage.leases import end_leases
from app.storage.query import Query, Row

log = structlog.get_logger(__name__)


class Follower:
    """Each process has one, and they need not know of each other: a lease gives the log to one of them."""

    def __init__(self, database: Database, limits: FollowLimits) -> None:
        self._database = database
        self._limits = limits
        self._holder = uuid4().hex
        self._news = asyncio.Event()

    def news(self) -> None:
        """Something may have been committed."""
        self._news.set()

    async def run(self) -> None:
        """Follow whenever something may have happened, until cancelled."""
        limits = self._limits
        while True:
            self._news.clear()
            try:
                await self._listen_for(await self._once())
            except DATABASE_AWAY:
                await asyncio.sleep(limits.trouble_seconds)
            except Exception:
                log.exception("the event log cannot be followed for policies")
                await asyncio.sleep(limits.trouble_seconds)

    async def _once(self) -> float:
        """Follow to the end of the log; after how many seconds to look again, whatever is heard until then."""
        limits = self._limits
        if not await self._database.plan(_any_policy, snapshot=False, caller=SERVER):
            return limits.rest_seconds
        while more := await self._database.command(service.follow, self._holder, limits.lease):
            pass
        if more is None:
            # Another process follows, and what is heard is for that one.
            await asyncio.sleep(limits.lease.total_seconds())
            return 0
        return limits.lease.total_seconds() / 2

    async def _listen_for(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
                # Commits in quick succession are looked at together.
                await asyncio.sleep(self._limits.gather_seconds)

    async def stop(self) -> None:
        """Let another process follow at once."""
        with suppress(*DATABASE_AWAY, TimeoutError):
            async with asyncio.timeout(self._limits.trouble_seconds):
                await self._database.command(end_leases, self._holder)


def _any_policy() -> Generator[Query, Sequence[Row], bool]:
    return bool((yield ANY_POLICY))


@asynccontextmanager
async def following(database: Database, feed: Feed, limits: FollowLimits | None = None) -> AsyncIterator[None]:
    """Follow the log for policies beside the block."""
    follower = Follower(database, FollowLimits() if limits is None else limits)
    feed.on_news(follower.news)
    running = asyncio.create_task(follower.run(), name="following")
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
        await follower.stop()
