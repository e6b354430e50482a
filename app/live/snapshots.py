"""Queries that run again after events that concern them."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import structlog

from app.core.errors import RateLimited, Unavailable
from app.core.sight import Viewer
from app.execution import errors
from app.feed import Entry, SnapshotStream, Waiting
from app.live.items import Item
from app.live.recipe import Reader, Recipe
from app.selection.encoding import encoded

log = structlog.get_logger(__name__)

_BETWEEN_SNAPSHOTS = 0.25
_AFTER_A_FAILURE = 5.0


class Snapshots:
    """A query that runs again after events that concern it; equal subscriptions share it."""

    def __init__(
        self,
        key: Hashable,
        stream: SnapshotStream,
        recipe: Recipe,
        viewer: Viewer,
        reader: Reader,
        forget: Callable[["Snapshots"], None],
    ) -> None:
        self.key = key
        self.text: str | None = None
        self.version = 0
        self.waiting = Waiting()
        self.subscribers = 0
        self._reader = reader
        self._forget = forget
        self._stream = stream
        self._recipe = recipe
        self._viewer = viewer
        self._due = asyncio.Event()
        self._due.set()
        self._worker = asyncio.create_task(self._work())

    def offer(self, entries: Sequence[Entry]) -> None:
        """Have the snapshot read again if one of the entries concerns it."""
        if not self._due.is_set() and any(self._stream.concerns(self._viewer, entry) for entry in entries):
            self._due.set()

    def leave(self) -> None:
        """Give a subscriber's share up; with the last one the reading ends."""
        self.subscribers -= 1
        if not self.subscribers:
            self._forget(self)
            self._worker.cancel()

    async def _work(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                text = await self._read()
            except Exception as error:
                self._due.set()
                if not isinstance(error, Unavailable | RateLimited):
                    log.exception("a snapshot cannot be read", again_in=_AFTER_A_FAILURE)
                    await asyncio.sleep(_AFTER_A_FAILURE)
            else:
                if text != self.text:
                    self.text = text
                    self.version += 1
                    self.waiting.stir()
            await asyncio.sleep(_BETWEEN_SNAPSHOTS)

    async def _read(self) -> str:
        answer = await self._reader.one(self._recipe)
        found: dict[str, Any] = {"data": answer.data}
        if answer.errors:
            found["errors"] = [errors.from_domain(error, path) for path, error in answer.errors]
        return encoded(found).decode()


class SnapshotSubscriber:
    """A subscriber that gets the newest snapshot and skips those before it."""

    __slots__ = ("_closed", "_snapshots", "_version", "on_close")

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._version = 0
        self._closed = False
        self.on_close: list[Callable[[], None]] = []
        snapshots.subscribers += 1

    @property
    def cursor(self) -> None:
        return None

    async def next(self) -> Item:
        while self._version == self._snapshots.version:
            await self._snapshots.waiting.wait()
        self._version = self._snapshots.version
        assert self._snapshots.text is not None
        return Item(self._snapshots.text)

    def ready(self) -> Sequence[Item]:
        return ()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._snapshots.leave()
            for closed in self.on_close:
                closed()
