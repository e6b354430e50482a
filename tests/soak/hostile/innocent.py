"""An innocent caller who reads, writes and listens at a steady pace: `python -m tests.soak.hostile.innocent`.

It takes an `Errand` as a line of JSON on standard input and says `ready`, then a number of seconds in each line, and
answers each with a line of `Measures`.

A process of its own, so that what it measures is not its own work."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import orjson
import uvloop

from tests.serving import Socket, open_socket
from tests.soak.hostile.measures import Measures, Times
from tests.soak.hostile.wire import BROKEN, Answer, Line, command, other_address, post

_READS_EVERY = 0.01
_WRITES_EVERY = 0.04
_CANARY_EVERY = 0.005
_UNHEARD_AFTER = 3.0
"""Seconds after the end of a measurement in which an answer or an item may still come."""

_QUEUE = "{ attentionQueue(first: 5) { nodes { id state attention { level since } customer { name } } } }"
_RAISE = command("raiseAttention", "RaiseAttentionInput")
_ALERTS = """subscription($customer: ID) {
  attentionChanged(filter: {customerId: $customer}) { clientMutationId change } }"""


@dataclass(frozen=True)
class Errand:
    """What the innocent does: with this key it changes this interaction of this customer."""

    port: int
    key: str
    ref: str
    customer: str


@dataclass
class Heard:
    """When each write was acknowledged and when its item came, by clientMutationId."""

    acknowledged: dict[str, float] = field(default_factory=dict)
    items: dict[str, float] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    _expecting: bool = True

    def add(self, name: str) -> None:
        """Note that the item of a write has come now."""
        self.items.setdefault(name, time.perf_counter())
        self._look()

    def expect_no_more(self) -> None:
        """From now on it is complete as soon as every acknowledged write has its item."""
        self._expecting = False
        self._look()

    def _look(self) -> None:
        if not self._expecting and self.acknowledged.keys() <= self.items.keys():
            self.complete.set()

    def times(self, now: float) -> Times:
        """Seconds from acknowledgement to item; what has not come is as late as it is by now."""
        waits = [max(self.items.get(name, now) - at, 0.0) for name, at in self.acknowledged.items()]
        return Times.of(waits, {"never came": len(self.acknowledged.keys() - self.items.keys())})


class Innocent:
    """The caller with its three connections."""

    def __init__(self, errand: Errand, socket: Socket) -> None:
        self._errand = errand
        self._socket = socket
        own = other_address()
        self._reader = Line(errand.port, own=own)
        self._writer = Line(errand.port, own=own)
        self._number = 0
        self._heard = Heard()

    async def measure(self, seconds: float) -> Measures:
        """Read, write and listen for so long."""
        self._heard = heard = Heard()
        until = time.perf_counter() + seconds
        reads, writes, canary = await asyncio.gather(
            self._paced(self._read, _READS_EVERY, until), self._paced(self._write, _WRITES_EVERY, until), _canary(until)
        )
        # Until the next time the server may close a connection that is idle.
        self._reader.close()
        self._writer.close()
        heard.expect_no_more()
        with suppress(TimeoutError):
            async with asyncio.timeout(_UNHEARD_AFTER):
                await heard.complete.wait()
        return Measures(read=reads, write=writes, delivery=heard.times(time.perf_counter()), canary=canary)

    async def listen(self) -> None:
        """Note when each item comes, for as long as the socket is open."""
        await self._socket.subscribe("1", _ALERTS, customer=self._errand.customer)
        while True:
            message = orjson.loads(await self._socket.connection.recv())
            if message["type"] == "next":
                (item,) = message["payload"]["data"].values()
                self._heard.add(item["clientMutationId"])

    async def _read(self) -> str | None:
        return _failure(await self._reader.ask(post(_QUEUE, key=self._errand.key)))

    async def _write(self) -> str | None:
        self._number += 1
        name, level = f"innocent-{self._number}", ("URGENT", "HIGH")[self._number % 2]
        given = {"id": self._errand.ref, "level": level, "clientMutationId": name}
        answer = await self._writer.ask(post(_RAISE, {"input": given}, key=self._errand.key))
        failure = _failure(answer)
        if failure is None:
            self._heard.acknowledged[name] = time.perf_counter()
        return failure

    async def _paced(self, work: Callable[[], Awaitable[str | None]], every: float, until: float) -> Times:
        """Times from when each turn was due, not from when it could begin: a stall is felt by all that fall into it."""
        waits, failures = [], Counter[str]()
        due = time.perf_counter()
        while due < until and time.perf_counter() < until + _UNHEARD_AFTER:
            await asyncio.sleep(max(due - time.perf_counter(), 0.0))
            try:
                async with asyncio.timeout(max(until + _UNHEARD_AFTER - time.perf_counter(), 0.0)):
                    if (failure := await work()) is not None:
                        failures[failure] += 1
            except BROKEN as broken:
                failures[f"broken: {type(broken).__name__}"] += 1
                await asyncio.sleep(every)
            waits.append(time.perf_counter() - due)
            due += every
        # Turns that were due and could not begin.
        missed = int(max(until - due, 0.0) / every)
        now = time.perf_counter()
        waits += [now - (due + number * every) for number in range(missed)]
        failures["was never begun"] += missed
        return Times.of(waits, failures)


def _failure(answer: Answer) -> str | None:
    """What an answer is that does not do what was asked; None for one that does."""
    return answer.outcome if answer.status != 200 or answer.codes else None


async def _canary(until: float) -> Times:
    """How late a bare sleep of this process ends: what the machine, not the server, adds to every time."""
    waits = []
    while (started := time.perf_counter()) < until:
        await asyncio.sleep(_CANARY_EVERY)
        waits.append(max(time.perf_counter() - started - _CANARY_EVERY, 0.0))
    return Times.of(waits)


def say(line: bytes) -> None:
    """Tell whoever has started this process."""
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.flush()


async def _main() -> None:
    errand = Errand(**orjson.loads(await asyncio.to_thread(sys.stdin.readline)))
    async with open_socket(errand.port, {"authorization": f"Bearer {errand.key}"}) as socket:
        innocent = Innocent(errand, socket)
        listening = asyncio.create_task(innocent.listen())
        say(b"ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            measures = await innocent.measure(float(line))
            if listening.done():
                measures = measures.without_listener()
            say(orjson.dumps(measures))
        listening.cancel()


if __name__ == "__main__":
    uvloop.run(_main())
