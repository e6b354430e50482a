"""Webhooks of the systems that send them: some are lost, some doubled, some late."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from app.demo.webhooks import webhook
from tests.soak.clients import BROKEN, over_events
from tests.soak.connections.sides import Side
from tests.soak.connections.systems import CONNECTOR, SYSTEMS, System

_CHANGES = "subscription($after: String) { interactionChanged(after: $after) { interactionId } }"
_LOST, _DOUBLED, _LATE = 0.3, 0.2, 0.3
_LATEST = 3.0


@dataclass
class Hooks:
    """Tells the connections at `paths`, by the names of their systems, of what changes there."""

    ports: Sequence[int]
    paths: Mapping[str, tuple[str, str]]
    choose: random.Random
    rude: bool = True
    sent: Counter[str] = field(default_factory=Counter)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _keys: dict[str, tuple[System, str]] = field(default_factory=dict)

    async def run(self, there: Side, cursor: str) -> None:
        """Tell of all that happens there after the cursor, until cancelled."""
        async with over_events(there.ports[0], _CHANGES, {"after": cursor}, False) as items:
            async for item in items:
                await self._tell(there, item["interactionId"])

    async def tell_all(self, there: Side) -> None:
        """Tell politely of every interaction there."""
        self.rude = False
        await self._settled()
        for system in SYSTEMS:
            if system.hooked:
                for node in await there.interactions(system):
                    await self._send(system, system.key(node))

    async def _tell(self, there: Side, ref: str) -> None:
        if ref not in self._keys:
            for system in SYSTEMS:
                if system.hooked:
                    self._keys |= {each["id"]: (system, system.key(each)) for each in await there.interactions(system)}
        if ref not in self._keys:
            return
        system, key = self._keys[ref]
        drawn = self.choose.random()
        if self.rude and drawn < _LOST:
            self.sent["lost"] += 1
            return
        times = 2 if self.rude and drawn < _LOST + _DOUBLED else 1
        late = self.rude and drawn > 1 - _LATE
        self.sent["late" if late else "doubled" if times == 2 else "plain"] += 1
        task = asyncio.create_task(self._sent(system, key, times, self.choose.uniform(0, _LATEST) if late else 0.0))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sent(self, system: System, key: str, times: int, after: float) -> None:
        await asyncio.sleep(after)
        await self._send(system, key, times)

    async def _send(self, system: System, key: str, times: int = 1) -> None:
        path, secret = self.paths[system.name]
        body, headers = webhook(CONNECTOR[system.name], key, secret)
        for _ in range(times):
            with suppress(*BROKEN):
                async with asyncio.timeout(5.0):
                    await post(self.choose.choice(self.ports), path, body, headers)

    async def _settled(self) -> None:
        while self._tasks:
            await asyncio.wait(list(self._tasks))


async def post(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a request to the server at the port; the status of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        given = {"host": "127.0.0.1", "content-length": str(len(body)), "connection": "close", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        writer.write(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        return int((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])
    finally:
        writer.close()
