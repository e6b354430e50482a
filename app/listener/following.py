"""Follows alerts across reconnections: query, subscribe, resume."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing

from app.listener.connection import Connection, Patience, opened
from app.listener.cursor_file import CursorFile
from app.listener.faults import Broken, Lost, fault_of
from app.listener.items import ALERTS, QUEUE, Item, waiting

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_TRIES_OF_ITEM = 3

Pause = Callable[[float], Awaitable[object]]


class Follower:
    """Passes each item on and then stores its cursor, so that a crash can repeat an item but never skip one."""

    def __init__(
        self,
        url: str,
        key: str,
        wanted: Mapping[str, object],
        kept: CursorFile,
        hand_on: Callable[[Item], Awaitable[None]],
        tell: Callable[[str], None],
        patience: Patience,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._url = url
        self._key = key
        self._wanted = wanted
        self._kept = kept
        self._hand_on = hand_on
        self._tell = tell
        self._patience = patience
        self._pause = pause
        self._longest = _FIRST_PAUSE
        self._failed_items = 0

    async def run(self) -> None:
        """Follow until cancelled. Raises Refused when a retry is useless, OSError when the cursor cannot be stored."""
        while True:
            try:
                async with opened(self._url, self._key, self._patience) as connection:
                    await self._follow(connection)
            except Lost as lost:
                self._tell(f"The server cannot go on from the cursor: {lost} What waits now comes anew.")
                self._kept.keep(None)
                await self._rest()
            except Broken as broken:
                self._tell(f"Not connected: {broken}. It is tried again.")
                await self._rest()

    async def _rest(self) -> None:
        # Full jitter, so that many clients do not reconnect at the same moment.
        await self._pause(random.uniform(0, self._longest))
        self._longest = min(2 * self._longest, _LONGEST_PAUSE)

    async def _follow(self, connection: Connection) -> None:
        if self._kept.cursor is None:
            await self._read_state(connection)
        self._tell("Listening.")
        variables = {"filter": self._wanted, "after": self._kept.cursor}
        async with aclosing(connection.items(ALERTS, variables)) as answers:
            async for answer in answers:
                if answer.get("errors"):
                    self._fail(fault_of(answer["errors"]))
                    continue
                item = answer["data"]["attentionChanged"]
                await self._hand_on(item)
                self._kept.keep(item["cursor"])
                self._longest, self._failed_items = _FIRST_PAUSE, 0
        raise Broken("the server ended the subscription")

    async def _read_state(self, connection: Connection) -> None:
        """Pass on the interactions that wait now, then store the cursor of that query; later events follow from it."""
        cursor, page = None, None
        while True:
            queue = (await connection.ask(QUEUE, {"filter": self._wanted, "page": page}))["attentionQueue"]
            cursor = cursor or queue["cursor"]
            for node in queue["nodes"]:
                await self._hand_on(waiting(node))
            if not queue["pageInfo"]["hasNextPage"]:
                break
            page = queue["pageInfo"]["endCursor"]
        self._kept.keep(cursor)

    def _fail(self, fault: Exception) -> None:
        """Handle an item with errors, which has no cursor: retry it a few times, then skip it."""
        self._failed_items += 1
        if isinstance(fault, Lost) or self._failed_items < _TRIES_OF_ITEM:
            raise fault
        self._tell(f"An alert could not be read, and is passed over: {fault}")
