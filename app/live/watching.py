"""Leases of this process's open subscriptions and sessions."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any
from uuid import uuid4

import structlog

from app.core.errors import DATABASE_AWAY
from app.storage.database import Database
from app.storage.work import Work

log = structlog.get_logger(__name__)

Place = tuple[Any, int]
"""A subject, and the user who watches it."""

Watch = Callable[[Work, str, Mapping[Place, int], Collection[Place]], None]
"""The command that begins or renews leases of a holder, each with its number of listeners, and ends others of it."""

_PAUSE = 0.2
_AT_ONCE = 500
_LAST_SECONDS = 2.0


class Watches:
    """The leases of this process: written at most a few times a second, and renewed long before they end."""

    def __init__(
        self, database: Database, watch: Watch, *, renewal_seconds: float = 10.0, pause_seconds: float = _PAUSE
    ) -> None:
        self._database = database
        self._watch = watch
        self._renewal_seconds = renewal_seconds
        self._pause_seconds = pause_seconds
        self._holder = uuid4().hex
        self._held: Counter[Place] = Counter()
        self._written: dict[Place, int] = {}
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()

    def begin(self, subject: Hashable, user_id: int) -> Callable[[], None]:
        """Add a lease of the user on the subject; the function that is returned ends it."""
        place = (subject, user_id)
        self._held[place] += 1
        self._changed.set()

        def end() -> None:
            self._held[place] -= 1
            if self._held[place] < 1:
                del self._held[place]
            self._changed.set()

        return end

    async def run(self) -> None:
        """Write and renew the leases until `stop`, also after the database was unavailable."""
        time = asyncio.get_running_loop().time
        renewal_at = time() + self._renewal_seconds
        while not self._stopping.is_set():
            await self._something_to_write(renewal_at)
            now = time()
            try:
                # By the clock: where others come and go all the time, there is no quiet moment to renew in.
                await self._write(renewing=now >= renewal_at)
            except Exception as error:
                if not isinstance(error, DATABASE_AWAY):
                    log.exception("who watches cannot be written")
                self._changed.set()
            else:
                if now >= renewal_at:
                    renewal_at = now + self._renewal_seconds
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_seconds):
                    await self._stopping.wait()

    async def stop(self, running: "asyncio.Task[None]") -> None:
        """End all leases and the task of `run`, as far as the database answers in time."""
        self._stopping.set()
        self._held.clear()
        self._changed.set()
        with suppress(Exception):
            async with asyncio.timeout(_LAST_SECONDS):
                await running
                await self._write(renewing=False)

    async def _something_to_write(self, renewal_at: float) -> None:
        """Wait for a change, or until leases have to be renewed."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(renewal_at if self._held else None):
                await self._changed.wait()
        self._changed.clear()

    async def _write(self, renewing: bool) -> None:
        due = {place: count for place, count in self._held.items() if renewing or self._written.get(place) != count}
        gone = [place for place in self._written if place not in self._held]
        holding, letting_go = iter(due.items()), iter(gone)
        while True:
            held, let_go = dict(islice(holding, _AT_ONCE)), list(islice(letting_go, _AT_ONCE))
            if not held and not let_go:
                return
            await self._database.command(self._watch, self._holder, held, let_go)
            self._written |= held
            for place in let_go:
                del self._written[place]
