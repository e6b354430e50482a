"""Webhooks to receivers that fail, stall, die and return, from two servers of which one is killed; and a replay."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from standardwebhooks import Webhook, WebhookVerificationError

from tests.graph.running import mutation_text
from tests.soak.clients import BROKEN, Caller
from tests.soak.log import Fact, facts_of, stored_after
from tests.soak.processes import Process, processes
from tests.soak.traffic import Outcome

_WRITERS = 6
_INTERACTIONS = 24
_PAUSE = 0.05
DOWN_SECONDS = 3.0
DRAIN_SECONDS = 240.0
_QUIET_SECONDS = 2.0
_TAKEN_OVER_WITHIN = 30.0
NOTED_WITHIN = 5.0
"""A server that is killed has noted every answer that is older."""

_DOCUMENT = "subscription { interactionChanged { cursor topic interactionId version at clientMutationId } }"
_START = """query { events { cursor } interactions(first: 100, filter: {states: [OPEN]}) { nodes { id } } }"""
_LABELS = mutation_text("setLabels")
_CREATE = mutation_text("createDestination", "destination { id } secret")
_RESUME = mutation_text("resumeDestination")
_REPLAY = mutation_text("replayDestination")
_STATES = "query { destinations(first: 100) { nodes { name state reason } } }"

Answer = tuple[int, str]


@dataclass
class Receiver:
    """One of the receivers. `taken` are the requests that were answered with a success, in order, with their time."""

    name: str
    answers: Sequence[tuple[float, Answer | None]] = ()
    """How often it answers otherwise than with a success: a status with headers, or None for a cut connection."""

    stalls: float = 0.0
    dies: bool = False
    gone_after: int | None = None
    port: int = 0
    secret: str = ""
    ref: str = ""
    taken: list[tuple[str, Mapping[str, Any], float]] = field(default_factory=list)
    requests: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    server: asyncio.Server | None = None
    choose: random.Random = field(default_factory=random.Random)

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while self.server is not None:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
                body = await reader.readexactly(int(headers["content-length"]))
                if not await self._answer(headers, body, writer):
                    break
        writer.transport.abort()

    async def _answer(self, headers: Mapping[str, str], body: bytes, writer: asyncio.StreamWriter) -> bool:
        self.requests += 1
        try:
            webhook_id, item = self.read(headers, body)
        except (WebhookVerificationError, LookupError, TypeError, ValueError) as error:
            self.faults.append(f"{self.name}: {type(error).__name__}: {error}")
            return False
        status, more = self._choice() or (0, "")
        if not status or self.server is None:
            # It came, and the sender cannot know.
            self.unanswered[webhook_id] += 1
            return False
        if self.stalls and self.choose.random() < self.stalls:
            self.unanswered[webhook_id] += 1
            await asyncio.sleep(12)
            return False
        writer.write(f"HTTP/1.1 {status} Said\r\n{more}content-length: 0\r\n\r\n".encode())
        await writer.drain()
        if status < 300:
            self.taken.append((webhook_id, item, time.monotonic()))
        return True

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[str, Mapping[str, Any]]:
        """What tells a message from all others, and what it says. Raises for one that is not as it has to be."""
        item = Webhook(self.secret).verify(body, dict(headers))["data"]["interactionChanged"]
        return headers["webhook-id"], item

    def _choice(self) -> Answer | None:
        if self.gone_after is not None and len(self.taken) >= self.gone_after:
            return 410, ""
        drawn = self.choose.random()
        for share, answer in self.answers:
            if drawn < share:
                return answer
            drawn -= share
        return 200, ""

    def missing(self, expected: Mapping[str, Sequence[Fact]]) -> int:
        """How many events have not come."""
        seen = {_fact(item) for _, item, _ in self.taken}
        return sum(fact not in seen for facts in expected.values() for fact in facts)

    def silence_after(self, moment: float) -> float:
        """The seconds from a moment to the next request that it took."""
        return min((at for _, _, at in self.taken if at > moment), default=float("inf")) - moment

    def judged(self, expected: Mapping[str, Sequence[Fact]], killed_at: float) -> list[str]:
        """Where it got anything but every event, in order, and twice only where its answer was lost."""
        found = list(self.faults)
        if missing := self.missing(expected):
            found.append(f"{self.name}: {missing} events are missing")
        first: dict[str, float] = {}
        order: dict[str, list[Fact]] = {}
        doubles = 0
        for webhook_id, item, at in self.taken:
            if webhook_id not in first:
                first[webhook_id] = at
                order.setdefault(item["interactionId"], []).append(_fact(item))
                continue
            was_killed = killed_at - NOTED_WITHIN <= first[webhook_id] <= killed_at
            doubles += not (was_killed or self.unanswered[webhook_id])
        if doubles:
            found.append(f"{self.name}: {doubles} events came twice without a lost answer")
        for ref, facts in order.items():
            if facts != [each for each in expected.get(ref, ()) if each in facts]:
                found.append(f"{self.name}: {ref}: out of order, or unknown")
        return found


def _fact(item: Mapping[str, Any]) -> Fact:
    return item["topic"], item["version"], item["at"], item["clientMutationId"]


def _receivers() -> list[Receiver]:
    return [
        Receiver("steady"),
        Receiver("failing", answers=[(0.03, (500, ""))]),
        Receiver("redirecting", answers=[(0.02, (307, "location: http://127.0.0.1:1/\r\n"))]),
        Receiver("busy", answers=[(0.01, (429, "retry-after: 1\r\n")), (0.01, (503, "retry-after: 2\r\n"))]),
        Receiver("cutting", answers=[(0.03, None)]),
        Receiver("stalling", stalls=0.003),
        Receiver("dying", dies=True),
        Receiver("gone", gone_after=20),
    ]


async def run(database_url: str, folder: Path, *, seconds: float, seed: int = 1) -> Outcome:
    """Have everything that is written for so long delivered to every receiver, and compare with the log."""
    settings = {
        "SWITCHBOARD_SECRETS_KEY": Fernet.generate_key().decode(),
        "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.1/32",
    }
    receivers = _receivers()
    async with processes(2, database_url, folder, settings) as running, _open(receivers, seed):
        port = running[1].port  # that of the server which is not killed
        start = await ask(port, _START)
        cursor, refs = start["events"]["cursor"], [each["id"] for each in start["interactions"]["nodes"]]
        for each in receivers:
            await _create(port, each, f"http://127.0.0.1:{each.port}/hook")
        await _create(port, Receiver("dead"), "http://127.0.0.1:1/hook")
        killed_at = await _meanwhile(running, receivers, refs[:_INTERACTIONS], seconds, seed)
        gone = next(each for each in receivers if each.gone_after is not None)
        faults = await stopped(port, gone)
        expected = facts_of((await stored_after(cursor, database_url)).events, "interactionChanged", None)
        took = await _drained(receivers, expected)
        slow = [each.name for each in receivers if each.name not in took]
        faults += [f"{name} had not got everything after {DRAIN_SECONDS:.0f} s" for name in slow]
        # What would come twice comes by now.
        await asyncio.sleep(_QUIET_SECONDS)
        taken_over = max(each.silence_after(killed_at) for each in receivers if each is not gone)
        faults += [fault for each in receivers for fault in each.judged(expected, killed_at)]
        doubles = sum(len(each.taken) - len({found for found, _, _ in each.taken}) for each in receivers)
        requests = sum(each.requests for each in receivers)
        replayed = await _replayed(port, receivers, database_url, faults)
        states = {each["name"]: each["state"] for each in (await ask(port, _STATES))["destinations"]["nodes"]}
    if taken_over > _TAKEN_OVER_WITHIN:
        faults.append(f"the destinations of the server that was killed were taken over after {taken_over:.0f} s")
    faults += [f"{name} is {state}" for name, state in states.items() if state != "ACTIVE"]
    faults += [failure for each in running for failure in each.failures()]
    told = ", ".join(f"{seconds:.0f} s ({name})" for name, seconds in took.items())
    summary = (
        f"{sum(map(len, expected.values())):,} events to {len(receivers)} receivers by "
        f"{requests:,} requests, {doubles} twice after a lost answer; "
        f"taken over {taken_over:.0f} s after the kill; all there {told} after the last; "
        f"{replayed:,} again to each by a replay from the middle"
    )
    return Outcome(summary, faults)


async def _replayed(port: int, receivers: Sequence[Receiver], database_url: str, faults: list[str]) -> int:
    """Replay from a cursor in the middle: each gets what came after it, under ids that it knows. Returns how much."""
    steady = receivers[0].taken
    cursor = steady[len(steady) // 2][1]["cursor"]
    expected = facts_of((await stored_after(cursor, database_url)).events, "interactionChanged", None)
    known = {each.name: {webhook_id for webhook_id, _, _ in each.taken} for each in receivers}
    for each in receivers:
        each.taken.clear()
        each.unanswered.clear()
        each.faults.clear()
        await ask(port, _REPLAY, input={"id": each.ref, "cursor": cursor})
    took = await _drained(receivers, expected)
    await asyncio.sleep(_QUIET_SECONDS)
    found = [f"{each.name} had not got everything" for each in receivers if each.name not in took]
    for each in receivers:
        found += each.judged(expected, float("-inf"))
        if unknown := {webhook_id for webhook_id, _, _ in each.taken} - known[each.name]:
            found.append(f"{each.name}: {len(unknown)} came under other ids than before")
    faults += [f"replayed: {fault}" for fault in found]
    return sum(map(len, expected.values()))


@asynccontextmanager
async def _open(receivers: Sequence[Receiver], seed: int) -> AsyncIterator[None]:
    for each in receivers:
        each.choose = random.Random(f"{seed} {each.name}")
        await each.open()
    try:
        yield
    finally:
        for each in receivers:
            each.close()


async def ask(port: int, document: str, **variables: object) -> dict[str, Any]:
    caller = Caller(port)
    try:
        return await caller.call(document, **variables)
    finally:
        caller.close()


async def _create(port: int, receiver: Receiver, url: str) -> None:
    given = {"name": receiver.name, "address": url, "document": _DOCUMENT, "mostInFlight": 8}
    made = (await ask(port, _CREATE, input=given))["createDestination"]
    if made["errors"]:
        raise RuntimeError(f"No destination: {made['errors']}")
    receiver.ref, receiver.secret = made["destination"]["id"], made["secret"]


async def _meanwhile(
    running: Sequence[Process], receivers: Sequence[Receiver], refs: Sequence[str], seconds: float, seed: int
) -> float:
    """Write, kill the server that was there first, and have a receiver die; when the server was killed."""
    until = time.monotonic() + seconds
    ports = [each.port for each in running]
    async with asyncio.TaskGroup() as group:
        for number in range(_WRITERS):
            own = refs[number::_WRITERS]
            group.create_task(_write(ports, own, f"w{number}", until, random.Random(f"{seed} {number}")))
        for each in receivers:
            if each.dies:
                group.create_task(_die(each, seconds))
        killing = group.create_task(kill(running[0], seconds))
    return killing.result()


async def _write(ports: Sequence[int], refs: Sequence[str], name: str, until: float, choose: random.Random) -> None:
    caller, number = Caller(choose.choice(ports)), 0
    while time.monotonic() < until:
        number += 1
        key = f"{name}-{number}"
        try:
            await caller.call(_LABELS, input={"id": choose.choice(refs), "labels": [key], "clientMutationId": key})
        except BROKEN:
            caller.port = choose.choice(ports)
        await asyncio.sleep(_PAUSE)
    caller.close()


async def kill(process: Process, seconds: float) -> float:
    await asyncio.sleep(seconds * 0.5)
    await process.kill()
    killed_at = time.monotonic()
    await asyncio.sleep(DOWN_SECONDS)
    await process.start()
    return killed_at


async def _die(receiver: Receiver, seconds: float) -> None:
    await asyncio.sleep(seconds * 0.3)
    receiver.close()
    await asyncio.sleep(DOWN_SECONDS)
    await receiver.open()


async def stopped(port: int, gone: Receiver) -> list[str]:
    """Whether the one that answers 410 is stopped, before it is wanted again."""
    wanted = {"name": gone.name, "state": "STOPPED", "reason": "GONE"}
    until = time.monotonic() + DRAIN_SECONDS
    while True:
        await asyncio.sleep(0.5)
        if wanted in (await ask(port, _STATES))["destinations"]["nodes"]:
            break
        if time.monotonic() > until:
            return [f"{gone.name} is not stopped"]
    before = gone.requests
    await asyncio.sleep(_QUIET_SECONDS)
    faults = [] if gone.requests == before else [f"{gone.name} was sent to after its 410"]
    gone.gone_after = None
    await ask(port, _RESUME, input={"id": gone.ref})
    return faults


async def _drained(receivers: Sequence[Receiver], expected: Mapping[str, Sequence[Fact]]) -> dict[str, float]:
    """Wait until everything is there, or it is too late: after how many seconds each had everything."""
    began, took = time.monotonic(), dict[str, float]()
    while len(took) < len(receivers) and time.monotonic() < began + DRAIN_SECONDS:
        for each in receivers:
            if each.name not in took and not each.missing(expected):
                took[each.name] = time.monotonic() - began
        await asyncio.sleep(0.5)
    return took
