"""Many snoozes that end in the same second, looked after by several servers: each is met once, and told once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.core.clock import rfc3339, utc_now
from app.core.events import topic_name
from tests.graph.exchanges import text
from tests.graph.running import mutation_text
from tests.soak.clients import BROKEN, Caller, over_websocket
from tests.soak.log import stored_after
from tests.soak.processes import Process, processes
from tests.soak.traffic import Outcome

SERVERS = 3

_CALLERS = 16
_AHEAD = timedelta(seconds=20)
_PATIENCE = 60.0
_UNTIL_TOLD_TWICE = 2.0
_ENDED = "conversation.snooze_ended"

_CURSOR = "query { events { cursor } }"
_CUSTOMER = mutation_text("createCustomer", "customer { id }")
_AGENT = mutation_text("createChannelAgent", "channelAgent { id }")
_RECEIVE = mutation_text("receiveMessage", "message { interaction { id } }")
_SNOOZE = mutation_text("snoozeInteraction")
_CHANGED = "subscription($after: String) { interactionChanged(after: $after) { cursor topic interactionId } }"


class Told:
    """How often a listener was told of each snooze's end."""

    def __init__(self, count: int) -> None:
        self.times: Counter[str] = Counter()
        self.first, self.all = asyncio.Event(), asyncio.Event()
        self._count = count

    def of(self, ref: str) -> None:
        self.times[ref] += 1
        self.first.set()
        if len(self.times) == self._count:
            self.all.set()


async def run(database_url: str, folder: Path, *, count: int, kill: bool = False) -> Outcome:
    """Have so many conversations asleep until one moment; `kill` ends a server without a warning as they wake."""
    async with processes(SERVERS, database_url, folder, {"SWITCHBOARD_DEMO": "false"}) as running:
        caller = Caller(running[0].port)
        try:
            cursor = (await caller.call(_CURSOR))["events"]["cursor"]
            until = utc_now() + _AHEAD
            refs = await _asleep(caller, [each.port for each in running], count, rfc3339(until))
            in_time = (until - utc_now()).total_seconds()
        finally:
            caller.close()
        if in_time < 1:
            return Outcome(f"{count:,} snoozes", ["this machine was too slow to snooze them all before they ended"])
        told = Told(count)
        listening = asyncio.create_task(_hear(running[0].port, cursor, told))
        killing = asyncio.create_task(_kill(running[-1], told)) if kill else None
        try:
            async with asyncio.timeout(in_time + _PATIENCE):
                await told.all.wait()
            late = (utc_now() - until).total_seconds()
            # Whoever would tell one twice does it by now.
            await asyncio.sleep(_UNTIL_TOLD_TWICE)
        except TimeoutError:
            late = _PATIENCE
        finally:
            for task in (listening, killing):
                if task is not None:
                    task.cancel()
                    await asyncio.wait([task])
    met: Counter[str] = Counter(
        f"cnv_{each.event.interaction_id}"
        for each in (await stored_after(cursor, database_url)).events
        if each.event.topic == _ENDED
    )
    faults = [*_not_once("met", met, refs), *_not_once("told", told.times, refs)]
    faults += [failure for each in running for failure in each.failures()]
    return Outcome(f"{len(refs):,} snoozes ended, {met.total():,} events, the last told after {late:.2f} s", faults)


async def _asleep(caller: Caller, ports: Sequence[int], count: int, until: str) -> list[str]:
    async def snooze(own: Caller, ref: str) -> None:
        slept = (await own.call(_SNOOZE, input={"id": ref, "until": until}))["snoozeInteraction"]
        if slept["errors"]:
            raise RuntimeError(f"{ref} cannot be snoozed: {slept['errors']}")

    return await conversations(caller, ports, count, snooze)


async def conversations(
    caller: Caller, ports: Sequence[int], count: int, also: Callable[[Caller, str], Awaitable[None]] | None = None
) -> list[str]:
    """So many conversations in which a customer has written, and with each of which something is done also."""
    given: dict[str, Any] = {"channel": "WIDGET", "displayId": "soak", "name": "Soak"}
    agent = (await caller.call(_AGENT, input=given))["createChannelAgent"]["channelAgent"]["id"]
    refs: list[str] = []

    async def some(port: int, numbers: Sequence[int]) -> None:
        own = Caller(port)
        for number in numbers:
            given = {"system": "CONVERSATION", "name": f"Customer {number}", "channel": "WIDGET"}
            made = (await own.call(_CUSTOMER, input=given))["createCustomer"]
            target = {
                "kind": "CONVERSATION",
                "customerId": made["customer"]["id"],
                "channelAgentId": agent,
            }
            heard = await own.call(_RECEIVE, input={"target": {"customer": target}, "contents": [text("Hello")]})
            ref = heard["receiveMessage"]["message"]["interaction"]["id"]
            if also is not None:
                await also(own, ref)
            refs.append(ref)
        own.close()

    async with asyncio.TaskGroup() as group:
        for turn in range(_CALLERS):
            group.create_task(some(ports[turn % len(ports)], range(turn, count, _CALLERS)))
    return refs


async def _hear(port: int, cursor: str, told: Told) -> None:
    while True:
        try:
            async with over_websocket(port, _CHANGED, {"after": cursor}, False) as items:
                async for item in items:
                    cursor = item["cursor"]
                    if item["topic"] == topic_name(_ENDED, "conversation"):
                        told.of(item["interactionId"])
        except BROKEN:
            await asyncio.sleep(0.1)


async def _kill(process: Process, told: Told) -> None:
    await told.first.wait()
    await process.kill()


def _not_once(what: str, found: "Counter[str]", refs: Sequence[str]) -> list[str]:
    missing = set(refs) - found.keys()
    twice = [ref for ref, times in found.items() if times > 1]
    unknown = found.keys() - set(refs)
    if not missing and not twice and not unknown:
        return []
    return [f"{what}: {len(missing)} missing, {len(twice)} twice, {len(unknown)} unknown"]
