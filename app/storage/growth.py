"""Opens the connections of a pool before anybody needs them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

log = structlog.get_logger(__name__)

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, PoolTimeout, OSError, TimeoutError)
"""What opening a connection may fail with."""

PAUSE = 1.0
"""Seconds after a connection could not be opened in which no other one is tried."""


Connect = Callable[[], AbstractAsyncContextManager[object]]
"""Takes a connection out of a pool for as long as the block lasts: one that is free, or else a new one."""


def at_start(share: int, most: int) -> int:
    """How many connections are opened with a pool: one more than a single caller may take, which is `share`."""
    return min(share + 1, most)


async def open_together(connect: Connect, count: int) -> int:
    """Open so many connections of a pool that is not in use yet; how many it has then. It has one already."""
    async with AsyncExitStack() as held:
        opening = (held.enter_async_context(connect()) for _ in range(count))
        found = await asyncio.gather(*opening, return_exceptions=True)
    failures = [each for each in found if isinstance(each, BaseException)]
    for failure in failures:
        if not isinstance(failure, FAILURES):
            raise failure
    return max(count - len(failures), 1)


class Growth:
    """Opens one connection after the other, for as long as all are in use that are open, up to `most`.

    A command or read that finds them all in use waits for the next one that is free, and does not open another itself:
    that takes longer than most of them, and longest beside a caller that keeps the database busy."""

    def __init__(
        self,
        opened: int,
        most: int,
        *,
        connect: Connect,
        grown: Callable[[], None],
        lacks: Callable[[], bool],
    ) -> None:
        self.opened = opened
        """How many connections are counted upon."""
        self._most = most
        self._connect = connect
        self._grown = grown
        self._lacks = lacks
        self._opening: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Begin to open a connection when all are in use."""
        if self._opening is None and self.opened < self._most and self._lacks():
            self._opening = asyncio.create_task(self._open())

    async def close(self) -> None:
        """Open no more."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait((opening,))

    async def _open(self) -> None:
        try:
            while self.opened < self._most and self._lacks():
                try:
                    async with self._connect():
                        pass  # all others are in use, so it is a new one
                except FAILURES as error:
                    log.warning("a connection to the database could not be opened", reason=type(error).__name__)
                    await asyncio.sleep(PAUSE)
                    continue
                self.opened += 1
                self._grown()
                await asyncio.sleep(0)  # whoever got it takes it first
        finally:
            self._opening = None
