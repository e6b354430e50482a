"""Waiting for the next thing to happen, in a crowd."""

import asyncio
from collections.abc import Sequence

_WOKEN_AT_ONCE = 250


class Waiting:
    """Those who wait for something to happen, however many."""

    __slots__ = ("_futures",)

    def __init__(self) -> None:
        self._futures: dict[asyncio.Future[None], None] = {}

    def __len__(self) -> int:
        return len(self._futures)

    async def wait(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._futures[future] = None
        try:
            await future
        finally:
            # Who leaves while nothing happens must leave nothing here.
            self._futures.pop(future, None)

    def stir(self) -> None:
        """Wake them all: a crowd in portions, between which the loop does what else there is to do."""
        futures, self._futures = list(self._futures), {}
        self._wake(futures)

    def _wake(self, futures: Sequence[asyncio.Future[None]], start: int = 0) -> None:
        rest = start + _WOKEN_AT_ONCE
        for future in futures[start:rest]:
            if not future.done():
                future.set_result(None)
        if rest < len(futures):
            asyncio.get_running_loop().call_soon(self._wake, futures, rest)
