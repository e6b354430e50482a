"""Two Switchboards, one attached to the other over a rude network, and random work in both: equal in the end."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from app.connections.tables import AGAIN, IS_ACTIVE, PENDING, dirty, in_state, inbox, outbox
from app.storage.database import Work
from tests.soak.clients import BROKEN, Caller, Refused
from tests.soak.connections.comparing import Both, Troubles, both, differing
from tests.soak.connections.hooks import Hooks
from tests.soak.connections.proxy import Proxy
from tests.soak.connections.sides import Openings, Side
from tests.soak.connections.systems import SYSTEMS, System, hears, makes_message, new_connection
from tests.soak.log import facts_of, read_of, stored_after
from tests.soak.processes import Process, processes
from tests.soak.traffic import Outcome

_OLD, _YOUNG = 3, 3
"""How many interactions of each system are over before it is connected, and how many are not."""

_BETWEEN = (0.1, 0.8)
_LOOKS_EVERY = 5
_DOWN_SECONDS = 2.0
_LIMIT_SECONDS = 150.0
_LOOK_SECONDS = 1.0
_OPENS = 0.03
_CURSOR = "query { events { cursor } }"


@dataclass
class Said:
    """What was said on each side, as it was acknowledged, and what was done and refused there by commands."""

    here: set[str] = field(default_factory=set)
    there: set[str] = field(default_factory=set)
    refused: int = 0
    done: int = 0
    failures: list[str] = field(default_factory=list)


async def run(database_url: str, folder: Path, *, seconds: float, seed: int, attached: int) -> Outcome:
    """Work on both sides for so long, kill the attached processes in between, and compare what both sides have."""
    common = {"SWITCHBOARD_DEMO": "false"}
    settings = {
        **common,
        "SWITCHBOARD_SECRETS_KEY": Fernet.generate_key().decode(),
        "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.1/32",
    }
    choose = random.Random(seed)
    upstream = Process("upstream", f"sqlite:///{folder}/upstream.db", folder, common)
    await upstream.start()
    try:
        async with (
            processes(attached, database_url, folder, settings) as running,
            Proxy(upstream.port, random.Random(f"{seed} proxy")).serving() as proxy,
        ):
            there = Side([upstream.port], random.Random(f"{seed} there"))
            here = Side([each.port for each in running], random.Random(f"{seed} here"))
            return await _run(there, here, running, proxy, database_url, seconds=seconds, choose=choose)
    finally:
        await upstream.stop()


async def _run(
    there: Side,
    here: Side,
    running: Sequence[Process],
    proxy: Proxy,
    database_url: str,
    *,
    seconds: float,
    choose: random.Random,
) -> Outcome:
    openings, said = Openings(there), Said()
    await openings.prepare()
    old = {system.name: [await _over(openings, there, system) for _ in range(_OLD)] for system in SYSTEMS}
    for system in SYSTEMS:
        for number in range(_YOUNG):
            await openings.open(system, f"{system.name} was asked {number}")
    hooks = await _connected(here, proxy, choose)
    cursors = [await _cursor(each) for each in (there, here)]
    telling = asyncio.create_task(hooks.run(there, cursors[0]))
    started = time.monotonic()
    until = started + seconds
    try:
        async with asyncio.TaskGroup() as group:
            for system in SYSTEMS:
                for side, name in ((there, "there"), (here, "here")):
                    own = random.Random(f"{choose.random()}")
                    group.create_task(_work(system, side, name, there, here, openings, said, until, own))
            group.create_task(_kill(running, seconds))
        proxy.rude = False
        faults = await _quiet(there, here, database_url, whole=False)
        drained = time.monotonic() - until
        await hooks.tell_all(there)
        await _touch(there)
        faults += await _quiet(there, here, database_url, whole=True)
    finally:
        telling.cancel()
        await asyncio.wait([telling])
    if not telling.cancelled() and telling.exception() is not None:
        faults.append(f"webhooks ended: {telling.exception()!r}")
    found = [await both(system, there, here) for system in SYSTEMS]
    troubles = Troubles()
    for each in found:
        troubles.see(each, proxy, len(running))
    faults += troubles.faults + _unsaid(found, said)
    faults += await _woken(old, found, cursors[1], database_url)
    faults += said.failures[:3]
    faults += [failure for each in running for failure in each.failures()]
    summary = (
        f"{said.done:,} commands on both sides, {said.refused:,} refused; {proxy.requests['GET']:,} reads and "
        f"{proxy.requests.total() - proxy.requests['GET']:,} writes, of which {proxy.faults.total():,} went wrong; "
        f"{hooks.sent.total():,} webhooks, {hooks.sent['lost']:,} lost; {troubles.refused} writes refused, "
        f"{troubles.uncertain} uncertain; equal after {drained:.0f} s"
    )
    return Outcome(summary, faults)


async def _over(openings: Openings, there: Side, system: System) -> str:
    """An interaction that is over: answered, and closed where that is possible. Its key there."""
    ref = await openings.open(system, "Hello?")
    assert ref is not None
    if system.kind == "AGENT_SESSION":
        await there.made("updateAgentSession", id=ref, enabled=False)
    else:
        await there.made("sendMessage", id=ref, content={"text": {"content": "Yes."}}, override=True)
        if system.kind != "SESSION":
            await there.made("closeInteraction", id=ref)
    return next(system.key(each) for each in await there.interactions(system) if each["id"] == ref)


async def _connected(here: Side, proxy: Proxy, choose: random.Random) -> Hooks:
    paths = {}
    for system in SYSTEMS:
        made = await here.made("createConnection", **new_connection(system, proxy.port))
        paths[system.name] = made["connection"]["hookPath"], made["secret"]
    return Hooks(here.ports, paths, random.Random(f"{choose.random()}"))


async def _cursor(side: Side) -> str:
    caller = Caller(side.ports[0])
    try:
        return str((await caller.call(_CURSOR))["events"]["cursor"])
    finally:
        caller.close()


async def _work(
    system: System,
    side: Side,
    name: str,
    there: Side,
    here: Side,
    openings: Openings,
    said: Said,
    until: float,
    choose: random.Random,
) -> None:
    """Do one thing after the other on one side of a system."""
    number, told, refs = 0, said.there if name == "there" else said.here, list[str]()
    while time.monotonic() < until:
        await asyncio.sleep(choose.uniform(*_BETWEEN))
        number += 1
        text = f"{system.name} {name} {number}"
        try:
            if name == "there" and choose.random() < _OPENS:
                await openings.open(system, text)
                continue
            if number % _LOOKS_EVERY == 1 or not refs:
                refs = await _known(system, side, mirrored=name == "here")
            if not refs:
                continue
            do = choose.choice(system.there if name == "there" else system.here)
            mutation, given = do(choose.choice(refs), text, choose)
            payload = await side.do(mutation, given)
        except BROKEN:
            continue
        except Refused as refused:
            said.failures.append(f"{system.name}: {refused}")
            continue
        if payload["errors"]:
            said.refused += 1
            continue
        said.done += 1
        if makes_message((mutation, given)):
            told.add(text)


async def _known(system: System, side: Side, *, mirrored: bool) -> list[str]:
    """The ids of the interactions of the system that may be worked on: not those that were over."""
    nodes = await side.interactions(system, "upstream { key }")
    return [
        each["id"]
        for each in nodes
        if (each["upstream"] is not None) is mirrored
        and not any(message["text"] == "Hello?" for message in each["messages"]["nodes"])
    ]


async def _kill(running: Sequence[Process], seconds: float) -> None:
    """Kill each process once, as a power cut would, so also the one that has the leases."""
    began = time.monotonic()
    for number in range(max(len(running), 2)):
        await asyncio.sleep(max(began + seconds * (0.3 + 0.35 * number) - time.monotonic(), 0.0))
        process = running[number % len(running)]
        await process.kill()
        await asyncio.sleep(_DOWN_SECONDS)
        await process.start()


async def _quiet(there: Side, here: Side, database_url: str, *, whole: bool) -> list[str]:
    """Wait until nothing is to be done and both sides are equal; what is not, once that takes too long."""
    ends = time.monotonic() + _LIMIT_SECONDS
    while True:
        faults = await read_of(database_url, _left)
        for system in SYSTEMS:
            with suppress(*BROKEN):
                faults += differing(await both(system, there, here), whole=whole)
        if not faults:
            return []
        if time.monotonic() > ends:
            return faults
        await asyncio.sleep(_LOOK_SECONDS)


def _left(work: Work) -> list[str]:
    """What has not been done yet."""
    asked = {
        "outbox": outbox.select().where(IS_ACTIVE),
        "inbox": inbox.select().where(in_state(PENDING)),
        "marks": dirty.select().where(dirty.c.fingerprint.is_distinct_from(AGAIN)),
    }
    counts = {name: len(work.connection.execute(select).all()) for name, select in asked.items()}
    return [f"{count} are left in the {name}" for name, count in counts.items() if count]


async def _touch(there: Side) -> None:
    """Have the customer of each conversation write once more: so what no list shows is seen, too."""
    (bot,) = [each for each in SYSTEMS if each.name == "Bot"]
    for ref in await _known(bot, there, mirrored=False):
        mutation, given = hears(ref, f"Last of {ref}", there.choose)
        await there.made(mutation, **given)


def _unsaid(found: Sequence[Both], said: Said) -> list[str]:
    """Where what was acknowledged is not on its side exactly once."""
    faults = []
    for side, texts in (("there", said.there), ("here", said.here)):
        counts = Counter(
            message["text"]
            for each in found
            for node in (each.there if side == "there" else each.here).values()
            for message in node["messages"]["nodes"]
        )
        wrong = sorted(text for text in texts if counts[text] != 1)
        faults += [f"{text!r} was said {side} and is there {counts[text]} times" for text in wrong]
    return faults


async def _woken(old: Mapping[str, Sequence[str]], found: Sequence[Both], cursor: str, database_url: str) -> list[str]:
    """Where what was over before the connection asked, or asks, for somebody here."""
    told = facts_of((await stored_after(cursor, database_url)).events, "attentionChanged", None)
    faults = []
    for each in found:
        for key in old[each.system.name]:
            node = each.here.get(key)
            if node is not None and (node["attention"]["needed"] or node["id"] in told):
                faults.append(f"{each.system.name}: {key} was over, and {node['attention']} {told.get(node['id'])}")
    return faults
