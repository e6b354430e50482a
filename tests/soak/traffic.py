"""Writers and listeners at once, whoever disconnects and whatever is killed: every event once, and in order."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.graph.commands import ON_INTERACTION
from tests.graph.exchanges import text
from tests.graph.running import mutation_text
from tests.soak.clients import BROKEN, Caller, Items, Listen, Refused, over_events, over_websocket
from tests.soak.log import Fact, Stored, facts_of, stored_after
from tests.soak.processes import Process, processes

WRITERS = 24
_FOR_EACH_KIND = 4
_UNHEARD_SECONDS = 10.0
_QUIET_SECONDS = 0.7
_DRAIN_SECONDS = 90.0
_DOWN_SECONDS = 1.0

# On a busy machine what has begun takes longer to be answered when a server is told to stop.
_SETTINGS = {"SWITCHBOARD_SHUTDOWN_GRACE": "10"}

_ITEM = "cursor topic interactionId version at clientMutationId change interaction { id version }"
_START = """query { attentionQueue { cursor } interactions(first: 100, filter: {states: [OPEN]}) {
  nodes { id kind } } }"""
_GIVES = {"sendMessage": "message { id }", "receiveMessage": "message { id }", "addNote": "note { id }"}
_ALWAYS_TELL = frozenset({*_GIVES, "setLabels"})
_OFTEN = ("sendMessage", "receiveMessage", "receiveMessage", "addNote", "setLabels", "raiseAttention", "clearAttention")
_COMMANDS = (*ON_INTERACTION, *_OFTEN)
_DOCUMENTS = {mutation: mutation_text(mutation, _GIVES.get(mutation, "")) for mutation in _COMMANDS}


@dataclass
class Written:
    """What the writers were told, by the `clientMutationId` of each mutation."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    refused: int = 0
    unknown: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass
class Ear:
    """A listener who breaks off again and again, and comes back to any server by its cursor."""

    name: str
    root: str
    listen: Listen
    kinds: Sequence[str] | None
    cursor: str
    seen: dict[str, list[Fact]] = field(default_factory=dict)
    items: int = 0
    connections: int = 0
    stale: int = 0
    refusal: str | None = None

    @property
    def document(self) -> str:
        kinds = "" if self.kinds is None else f", filter: {{kinds: [{', '.join(self.kinds)}]}}"
        return f"subscription($after: String) {{ {self.root}(after: $after{kinds}) {{ {_ITEM} }} }}"

    async def take(self, items: Items) -> None:
        item = await anext(items)
        self.cursor = item["cursor"]
        self.items += 1
        fact = (item["topic"], item["version"], item["at"], item["clientMutationId"])
        self.seen.setdefault(item["interactionId"], []).append(fact)
        if item["interaction"] is not None and item["interaction"]["version"] < item["version"]:
            self.stale += 1


@dataclass(frozen=True)
class Outcome:
    """The end of a run; without faults nothing was lost."""

    summary: str
    faults: Sequence[str]


async def run(
    database_url: str,
    folder: Path,
    *,
    servers: int,
    seconds: float,
    kill: bool = False,
    rounds: int = 0,
    seed: int = 1,
) -> Outcome:
    """Let everybody loose for so long, on so many servers; `kill` ends one of them without a warning in between.

    In each of the `rounds` every server is stopped as an operator does and started again, one after the other; they end
    before the writers do, or the run takes longer."""
    loop = asyncio.get_running_loop()
    async with processes(servers, database_url, folder, _SETTINGS) as running:
        ports = [each.port for each in running]
        caller = Caller(ports[0])
        start = await caller.call(_START)
        caller.close()
        cursor, refs = start["attentionQueue"]["cursor"], _some_of_each_kind(start["interactions"]["nodes"])
        written, ears, expected = Written(), _ears(cursor), loop.create_future()
        listening = [
            asyncio.create_task(_hear(ear, ports, expected, random.Random(f"{seed} {ear.name}")), name=ear.name)
            for ear in ears
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(WRITERS):
                    choose = random.Random(f"{seed} {number}")
                    group.create_task(_write(ports, f"w{number}", refs, written, loop.time() + seconds, choose))
                if kill:
                    group.create_task(_kill(running[-1], seconds * 0.4))
                restarting = group.create_task(_restart(running, rounds))
            stored = await stored_after(cursor, database_url)
            expected.set_result(stored)
            _, late = await asyncio.wait(listening, timeout=_DRAIN_SECONDS)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.wait(listening)
    faults = [f"{task.get_name()}: still at it after {_DRAIN_SECONDS:.0f} s" for task in late]
    faults += _unwritten(stored, written)
    # Whatever came after the writers, by a deadline, may have been told, and need not.
    faults += _untold(ears, stored, await stored_after(cursor, database_url))
    faults += restarting.result()
    faults += [failure for each in running for failure in each.failures()]
    summary = (
        f"{len(written.acknowledged):,} mutations acknowledged, {written.refused:,} refused, {written.unknown:,} "
        f"broken off; {len(stored.events):,} events; {len(ears)} listeners took {sum(ear.items for ear in ears):,} "
        f"items over {sum(ear.connections for ear in ears):,} connections"
    )
    return Outcome(summary, faults)


def _some_of_each_kind(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    by_kind: dict[str, list[str]] = {}
    for node in nodes:
        by_kind.setdefault(node["kind"], []).append(node["id"])
    return [ref for refs in by_kind.values() for ref in refs[:_FOR_EACH_KIND]]


def _ears(cursor: str) -> list[Ear]:
    roads = (("ws", over_websocket), ("sse", over_events))
    fields = ("attentionChanged", "interactionChanged", "messageAdded")
    ears = [Ear(f"{field} over {road}", field, listen, None, cursor) for field in fields for road, listen in roads]
    kinds = ["CONVERSATION", "CHAT_SESSION"]
    return [*ears, Ear("interactionChanged of two kinds", "interactionChanged", over_websocket, kinds, cursor)]


# ---- writing ------------------------------------------------------------------------------------------------------


async def _write(
    ports: Sequence[int], name: str, refs: Sequence[str], written: Written, until: float, choose: random.Random
) -> None:
    loop, number = asyncio.get_running_loop(), 0
    caller = Caller(choose.choice(ports))
    while loop.time() < until:
        number += 1
        mutation = choose.choice(_COMMANDS)
        key = f"{name}-{number}"
        try:
            payload = (await caller.call(_DOCUMENTS[mutation], input=_input(mutation, refs, key, choose)))[mutation]
        except Refused as refused:
            written.failures.append(f"{mutation}: {refused}")
            continue
        except BROKEN:
            written.unknown += 1
            caller.port = choose.choice(ports)
            await asyncio.sleep(0.05)
            continue
        if payload["errors"]:
            written.refused += 1
            continue
        written.acknowledged[key] = mutation
        written.ids.update(payload[name]["id"] for name in ("message", "note") if payload.get(name))
    caller.close()


def _input(mutation: str, refs: Sequence[str], key: str, choose: random.Random) -> dict[str, Any]:
    ref = choose.choice(refs)
    if mutation == "receiveMessage":
        return {"target": {"interactionId": ref}, "contents": [text(key)], "clientMutationId": key}
    given = {**ON_INTERACTION[mutation], "id": ref, "clientMutationId": key}
    if mutation == "setLabels":
        given["labels"] = [key]
    elif mutation == "raiseAttention":
        given["level"] = choose.choice(["URGENT", "HIGH", "NORMAL", "LOW"])
    elif mutation == "assignInteraction":
        given["userId"] = "usr_1"
    return given


async def _kill(process: Process, after: float) -> None:
    await asyncio.sleep(after)
    await process.kill()
    await asyncio.sleep(_DOWN_SECONDS)
    await process.start()


async def _restart(running: Sequence[Process], rounds: int) -> list[str]:
    """Restart every server in each round; which of them did not stop when they were told to."""
    stuck = []
    for number in range(rounds):
        for process in running:
            if not await process.stop():
                stuck.append(f"{process.log.name} did not stop in round {number + 1}")
            await process.start()
    return stuck


# ---- listening ----------------------------------------------------------------------------------------------------


async def _hear(ear: Ear, ports: Sequence[int], expected: "asyncio.Future[Stored]", choose: random.Random) -> None:
    try:
        while not expected.done():
            with suppress(*BROKEN):
                await _hear_a_little(ear, choose.choice(ports), choose)
            await asyncio.sleep(0.01)
        while not await _hear_the_rest(ear, choose.choice(ports), expected.result()):
            pass
    except Refused as refused:
        ear.refusal = str(refused)


async def _hear_a_little(ear: Ear, port: int, choose: random.Random) -> None:
    async with (
        asyncio.timeout(choose.uniform(0.1, 2.0)),
        ear.listen(port, ear.document, {"after": ear.cursor}, choose.random() < 0.5) as items,
    ):
        ear.connections += 1
        for _ in range(choose.randint(1, 400)):
            await ear.take(items)


async def _hear_the_rest(ear: Ear, port: int, stored: Stored) -> bool:
    """Listen without breaking off; whether that was all: as many as there are, and then none for a while."""
    wanted = sum(map(len, facts_of(stored.events, ear.root, ear.kinds).values()))
    try:
        async with ear.listen(port, ear.document, {"after": ear.cursor}, False) as items:
            ear.connections += 1
            while True:
                patience = _UNHEARD_SECONDS if ear.items < wanted else _QUIET_SECONDS
                try:
                    async with asyncio.timeout(patience):
                        await ear.take(items)
                except TimeoutError:
                    return True
    except BROKEN:
        return False


# ---- comparing ----------------------------------------------------------------------------------------------------


def _unwritten(stored: Stored, written: Written) -> list[str]:
    """What was acknowledged and is not there, and what failed instead of being refused."""
    told = {each.event.client_mutation_id for each in stored.events}
    lost = [key for key, mutation in written.acknowledged.items() if mutation in _ALWAYS_TELL and key not in told]
    gone = written.ids - stored.ids
    found = [f"{len(lost)} acknowledged mutations have no event, such as {lost[0]}"] if lost else []
    found += [f"{len(gone)} acknowledged messages and notes are not there, such as {min(gone)}"] if gone else []
    return found + [f"{len(written.failures)} mutations failed, such as {each}" for each in written.failures[:1]]


def _untold(ears: Sequence[Ear], at_least: Stored, at_most: Stored) -> list[str]:
    """Where a listener was told anything but every event once and in order."""
    found: list[str] = []
    for ear in ears:
        least = facts_of(at_least.events, ear.root, ear.kinds)
        most = facts_of(at_most.events, ear.root, ear.kinds)
        for ref in sorted(most.keys() | ear.seen.keys()):
            seen, all_ = ear.seen.get(ref, []), most.get(ref, [])
            if seen == all_[: len(seen)] and len(seen) >= len(least.get(ref, ())):
                continue
            times = Counter(seen)
            found.append(
                f"{ear.name}: {ref}: {len(set(all_) - set(seen))} of {len(all_)} missing, "
                f"{sum(many > 1 for many in times.values())} twice, {len(set(seen) - set(all_))} unknown, "
                f"in order: {seen == sorted(seen, key=all_.index) if set(seen) <= set(all_) else 'no'}"
            )
        if ear.refusal is not None:
            found.append(f"{ear.name}: refused: {ear.refusal}")
        if ear.stale:
            found.append(f"{ear.name}: {ear.stale} items show a state from before their event")
    return found
