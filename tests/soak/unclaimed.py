"""Alerts that nobody reacts to: each deadline of a policy fires once, though each of two servers is killed at one."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from standardwebhooks import Webhook

from app.destinations.events import AlertTold
from tests.graph.running import mutation_text
from tests.soak.clients import Caller
from tests.soak.deadlines import conversations
from tests.soak.destinations import NOTED_WITHIN, Receiver, ask, kill
from tests.soak.log import stored_after
from tests.soak.processes import processes
from tests.soak.traffic import Outcome

_WAITING = 200
_MINUTE = timedelta(minutes=1)
_LATE = timedelta(seconds=30)
"""As long as a process that dies may keep others from what it began."""

_PATIENCE = 150.0
_QUIET_SECONDS = 3.0

_CURSOR = "query { events { cursor } }"
_CREATE = mutation_text("createDestination", "destination { id } secret")
_POLICY = mutation_text("createPolicy")
_ACKNOWLEDGE = mutation_text("acknowledgeAttention")

Step = tuple[str, int]


@dataclass
class Pager(Receiver):
    """Takes every alert."""

    counts: set[Step] = field(default_factory=set)

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[str, Mapping[str, Any]]:
        item = Webhook(self.secret).verify(body, dict(headers))["data"]["alertChanged"]
        self.counts.add((item["step"], item["count"]))
        return headers["webhook-id"], item

    async def told(self, step: Step) -> None:
        """Wait until it was told this of any interaction."""
        async with asyncio.timeout(_PATIENCE):
            while step not in self.counts:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.005)

    async def everywhere(self, refs: Sequence[str], step: Step) -> None:
        """Wait until it was told this of all these interactions."""
        async with asyncio.timeout(_PATIENCE):
            while any(step not in self.steps(ref) for ref in refs):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.1)

    async def answered(self, refs: Sequence[str]) -> None:
        """Wait until it was told that somebody has acknowledged all these."""
        async with asyncio.timeout(_PATIENCE):
            while any(self.steps(ref)[-1][0] != "ACKNOWLEDGED" for ref in refs):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.1)

    def steps(self, ref: str) -> list[Step]:
        """What it was told of an interaction, each thing once."""
        said = {key: (item["step"], item["count"]) for key, item, _ in self.taken if item["interactionId"] == ref}
        return list(said.values())


async def run(database_url: str, folder: Path) -> Outcome:
    """Let customers wait for two minutes and more, and compare what the log has of their alerts with what has to be."""
    settings = {
        "SWITCHBOARD_DEMO": "false",
        "SWITCHBOARD_SECRETS_KEY": Fernet.generate_key().decode(),
        "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.1/32",
    }
    pager = Pager("pager")
    await pager.open()
    try:
        async with processes(2, database_url, folder, settings) as running:
            ports = [each.port for each in running]
            cursor, refs = await _prepared(ports, pager)
            kills: list[float] = []
            for process, step in zip(running, (("RAISED", 1), ("REPEATED", 2)), strict=True):
                await pager.told(step)
                kills.append(await kill(process, 0))
            await pager.everywhere(refs, ("REPEATED", 2))
            for number, ref in enumerate(refs):
                await ask(ports[number % len(ports)], _ACKNOWLEDGE, input={"id": ref})
            await pager.answered(refs)
            # What would come twice comes by now.
            await asyncio.sleep(_QUIET_SECONDS)
            log = await _log(cursor, database_url)
            faults = [failure for each in running for failure in each.failures()]
    except TimeoutError:
        return Outcome(f"{_WAITING:,} interactions that nobody claims", ["what was due was not told"])
    finally:
        pager.close()
    latest, found = _judged(log, refs)
    doubles = len(pager.taken) - len({key for key, _, _ in pager.taken})
    summary = (
        f"{len(refs):,} interactions that nobody claims, {sum(map(len, log.values())):,} alerts in the log, "
        f"the latest {latest.total_seconds():.1f} s after it was due; {pager.requests:,} requests, {doubles} twice"
    )
    return Outcome(summary, [*faults, *found, *pager.faults, *_told_wrongly(pager, log, kills)])


async def _prepared(ports: Sequence[int], pager: Pager) -> tuple[str, list[str]]:
    caller = Caller(ports[0])
    cursor = (await caller.call(_CURSOR))["events"]["cursor"]
    refs = await conversations(caller, ports, _WAITING)
    caller.close()
    address = f"http://127.0.0.1:{pager.port}/hook"
    made = (await ask(ports[0], _CREATE, input={"name": "pager", "address": address, "mostInFlight": 16}))[
        "createDestination"
    ]
    pager.secret = made["secret"]
    policy = {"name": "Unclaimed", "destinationIds": [made["destination"]["id"]], "afterMinutes": 1, "againMinutes": 1}
    await ask(ports[0], _POLICY, input=policy)
    return cursor, refs


async def _log(cursor: str, database_url: str) -> dict[str, list[tuple[Step, datetime]]]:
    """What was told of each interaction, and when, as the log has it."""
    found: dict[str, list[tuple[Step, datetime]]] = {}
    for each in (await stored_after(cursor, database_url)).events:
        if each.event.type is AlertTold:
            data = each.event.data
            found.setdefault(data["ref"], []).append(((data["step"], data["count"]), each.at))
    return found


def _judged(log: Mapping[str, Sequence[tuple[Step, datetime]]], refs: Sequence[str]) -> tuple[timedelta, list[str]]:
    """How late the latest alert was; and where one is missing, came twice, or at another time than its own."""
    faults = [f"{ref}: nothing was told" for ref in refs if ref not in log]
    latest = timedelta()
    for ref, told in log.items():
        steps = [step for step, _ in told]
        again = [("REPEATED", count) for count in range(2, len(told))]
        if steps != [("RAISED", 1), *again, ("ACKNOWLEDGED", len(told) - 1)] or len(told) < 3:
            faults.append(f"{ref}: {steps}")
            continue
        between = [later - earlier for (_, earlier), (_, later) in pairwise(told[:-1])]
        if min(between) < _MINUTE:
            faults.append(f"{ref}: told again after {min(between)}")
        latest = max(latest, max(between) - _MINUTE)
    if latest > _LATE:
        faults.append(f"the latest alert was told {latest} after it was due")
    return latest, faults


def _told_wrongly(
    pager: Pager, log: Mapping[str, Sequence[tuple[Step, datetime]]], kills: Sequence[float]
) -> list[str]:
    """Where the receiver was told anything else than the log has, or twice without a lost answer."""
    faults = [f"{ref} was told {pager.steps(ref)}" for ref in log if pager.steps(ref) != [step for step, _ in log[ref]]]
    first: dict[str, float] = {}
    for key, _, at in pager.taken:
        if key in first and not any(killed - NOTED_WITHIN <= first[key] <= killed for killed in kills):
            faults.append(f"{key} came twice without a lost answer")
        first.setdefault(key, at)
    return faults
