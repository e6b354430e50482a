"""Runs the reader of the event log that policies need."""

import asyncio
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from app.core.errors import DATABASE_AWAY
from app.core.fairness import SERVER
from app.core.holders import new_holder
from app.destinations import service
from app.destinations.repository import ANY_POLICY
from app.dispatcher.parts import FollowLimits
from app.feed import Feed
from app.storage.database import Database
from app.storage.leases import end_leases
from app.storage.query import Query, Row

log = structlog.get_logger(__name__)


class Follower:
    """Each process has one; a lease lets one of them read the log at a time."""

    def __init__(self, database: Database, limits: FollowLimits) -> None:
        self._database = database
        self._limits = limits
        self._holder = new_holder()
        self._news = asyncio.Event()

    def news(self) -> None:
        """Something may have been committed."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled, read the log after each commit."""
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
        """Read to the end of the log. Returns the seconds after which to look again even without a commit."""
        limits = self._limits
        if not await self._database.plan(_any_policy, snapshot=False, caller=SERVER):
            return limits.rest_seconds
        while more := await self._database.command(service.follow, self._holder, limits.lease):
            pass
        if more is None:
            # Another process has the lease and hears the same commits.
            await asyncio.sleep(limits.lease.total_seconds())
            return 0
        return limits.lease.total_seconds() / 2

    async def _listen_for(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
                # Commits in quick succession are read together.
                await asyncio.sleep(self._limits.gather_seconds)

    async def stop(self) -> None:
        """End the lease, so that another process can continue at once."""
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
