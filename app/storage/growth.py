"""Opens connections of a pool before they are needed."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

log = structlog.get_logger(__name__)

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, PoolTimeout, OSError, TimeoutError)
"""Errors that opening a connection may raise."""

PAUSE = 1.0
"""How many seconds to wait before the next attempt when a connection could not be opened."""


Connect = Callable[[], AbstractAsyncContextManager[object]]
"""Takes a connection out of a pool for the length of the block: a free one, or else a new one."""


def at_start(share: int, most: int) -> int:
    """How many connections are opened with a pool: one more than `share`, the most that a single caller may take."""
    return min(share + 1, most)


async def open_together(connect: Connect, count: int) -> int:
    """Open `count` connections of a pool that is not in use yet and has one. Returns how many it has then."""
    async with AsyncExitStack() as held:
        opening = (held.enter_async_context(connect()) for _ in range(count))
        found = await asyncio.gather(*opening, return_exceptions=True)
    failures = [each for each in found if isinstance(each, BaseException)]
    for failure in failures:
        if not isinstance(failure, FAILURES):
            raise failure
    return max(count - len(failures), 1)


class Growth:
    """Opens one connection after another while all open ones are in use, up to `most`.

    A command or read that finds all connections in use waits for the next free one instead of opening another. Opening
    a connection takes longer than most commands and reads, and even longer while a caller keeps the database busy."""

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
        """How many connections are open or being opened."""
        self._most = most
        self._connect = connect
        self._grown = grown
        self._lacks = lacks
        self._opening: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Start to open a connection if all are in use."""
        if self._opening is None and self.opened < self._most and self._lacks():
            self._opening = asyncio.create_task(self._open())

    async def close(self) -> None:
        """Open no more connections."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait((opening,))

    async def _open(self) -> None:
        try:
            while self.opened < self._most and self._lacks():
                try:
                    async with self._connect():
                        pass  # all others are in use, so this one is new
                except FAILURES as error:
                    log.warning("a connection to the database could not be opened", reason=type(error).__name__)
                    await asyncio.sleep(PAUSE)
                    continue
                self.opened += 1
                self._grown()
                await asyncio.sleep(0)  # the waiter that gets it now takes it first
        finally:
            self._opening = None
