"""A broadcast condition that wakes its waiters in batches."""

import asyncio
from collections.abc import Sequence

_WOKEN_AT_ONCE = 250


class Waiting:
    """Any number of waiters for the next event."""

    __slots__ = ("_futures",)

    def __init__(self) -> None:
        self._futures: dict[asyncio.Future[None], None] = {}

    def __len__(self) -> int:
        return len(self._futures)

    async def wait(self) -> None:
        """Return after the next `stir`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._futures[future] = None
        try:
            await future
        finally:
            # A cancelled waiter must leave nothing behind.
            self._futures.pop(future, None)

    def stir(self) -> None:
        """Wake all waiters in batches, between which the loop runs other work."""
        futures, self._futures = list(self._futures), {}
        self._wake(futures)

    def _wake(self, futures: Sequence[asyncio.Future[None]], start: int = 0) -> None:
        rest = start + _WOKEN_AT_ONCE
        for future in futures[start:rest]:
            if not future.done():
                future.set_result(None)
        if rest < len(futures):
            asyncio.get_running_loop().call_soon(self._wake, futures, rest)
