"""Two Switchboards, one attached to the other over a rude network, and random work in both: equal in the end."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from tests.soak.clients import BROKEN, Caller, Refused
from tests.soak.connections.comparing import Troubles, both, differing
from tests.soak.connections.ending import Said, left, unsaid, woken
from tests.soak.connections.hooks import Hooks
from tests.soak.connections.notes import ADDED, Node
from tests.soak.connections.proxy import Proxy
from tests.soak.connections.sides import Openings, Side
from tests.soak.connections.source import NAME, Source
from tests.soak.connections.systems import (
    DOOMED,
    SYSTEMS,
    Bea,
    System,
    hears,
    makes_message,
    new_connection,
    says,
)
from tests.soak.log import read_of
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
_DOOMED_AFTER = 5
_CURSOR = "query { events { cursor } }"


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
    for side in (there, here):
        await side.let_in("Bea")
    assert there.bea is not None
    await openings.prepare()
    old = {system.name: [await _over(openings, there, system) for _ in range(_OLD)] for system in SYSTEMS}
    for system in SYSTEMS:
        for number in range(_YOUNG):
            await openings.open(system, f"{system.name} was asked {number}")
    hooks = await _connected(here, proxy, there.bea, choose)
    source = await _source(here, choose)
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
            group.create_task(source.run(until))
            group.create_task(_kill(running, seconds))
        proxy.rude = source.rude = False
        faults = await _quiet(there, here, said, database_url, whole=False)
        drained = time.monotonic() - until
        troubles = Troubles()
        for system in SYSTEMS:
            troubles.see(await both(system, there, here), proxy, _kills(running))
        troubles.see_notes(proxy, _kills(running))
        faults += troubles.faults
        await _put_right(troubles.entries, here, proxy)
        faults += await _quiet(there, here, said, database_url, whole=False)
        await hooks.tell_all(there)
        await _touch(there)
        faults += await _quiet(there, here, said, database_url, whole=True)
    finally:
        telling.cancel()
        await asyncio.wait([telling])
    if not telling.cancelled() and telling.exception() is not None:
        faults.append(f"webhooks ended: {telling.exception()!r}")
    found = [await both(system, there, here) for system in SYSTEMS]
    faults += unsaid(found, said) + await source.differing()
    faults += [fault for each in found if each.system.noted for fault in said.notes.missing(each.there, each.here)]
    if said.doomed and not troubles.uncertain:
        faults.append(f"{sorted(said.doomed)} never arrived, and nobody is asked about them")
    faults += await woken(old, found, cursors[1], database_url)
    faults += said.failures[:3]
    faults += [failure for each in running for failure in each.failures()]
    summary = (
        f"{said.done:,} commands on both sides, {said.refused:,} refused; {proxy.requests['GET']:,} reads and "
        f"{proxy.requests.total() - proxy.requests['GET']:,} writes, of which {proxy.faults.total():,} went wrong; "
        f"{hooks.sent.total():,} webhooks, {hooks.sent['lost']:,} lost; {source.sent['new']:,} deliveries of a source, "
        f"{len(source.answered):,} answers to it; {len(said.notes.left):,} notes; {troubles.refused} writes refused, "
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


async def _connected(here: Side, proxy: Proxy, bea: Bea, choose: random.Random) -> Hooks:
    paths = {}
    for system in SYSTEMS:
        made = await here.made("createConnection", **new_connection(system, proxy.port, bea))
        paths[system.name] = made["connection"]["hookPath"], made["secret"]
    return Hooks(here.ports, paths, random.Random(f"{choose.random()}"))


async def _source(here: Side, choose: random.Random) -> Source:
    made = await here.made("createConnection", system="HTTP", name=NAME)
    path, own = made["connection"]["hookPath"], random.Random(f"{choose.random()}")
    return Source(Side(here.ports, own), path, made["secret"], own)


async def _put_right(entries: Sequence[tuple[str, str]], here: Side, proxy: Proxy) -> None:
    """Have a human look after all that was refused or is uncertain: messages and notes go once more, values are
    left."""
    proxy.dooms = False
    for number, action in entries:
        mutation = "retryOutboxEntry" if action in ("MESSAGE", ADDED) else "dropOutboxEntry"
        with suppress(RuntimeError):
            # One that was about the same value may have gone with another one.
            await here.made(mutation, id=number)


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
    number, told, nodes = 0, said.there if name == "there" else said.here, list[Node]()
    tried: set[str] = set()
    while time.monotonic() < until:
        await asyncio.sleep(choose.uniform(*_BETWEEN))
        number += 1
        text = f"{system.name} {name} {number}"
        try:
            if name == "there" and choose.random() < _OPENS:
                await openings.open(system, text)
                continue
            if number % _LOOKS_EVERY == 1 or not nodes:
                nodes = await _known(system, side, mirrored=name == "here")
            if not nodes:
                continue
            do = choose.choice(system.there if name == "there" else system.here)
            if name == "here" and number > _DOOMED_AFTER and system.name not in tried:
                # One of each system, so that nothing else waits for long behind it.
                tried.add(system.name)
                do, text = hears if system.kind == "AGENT_SESSION" else says, DOOMED + text
            node = choose.choice(nodes)
            done = do(node, text, choose)
            if done is None:
                continue
            mutation, given = done
            said.notes.asked(done, node, here=name == "here")
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
        said.notes.done(done)
        if makes_message((mutation, given)):
            told.add(text)
        if text.startswith(DOOMED):
            said.doomed.add(text)


async def _known(system: System, side: Side, *, mirrored: bool) -> list[Node]:
    """The interactions of the system that may be worked on: not those that were over."""
    nodes = await side.interactions(system, "upstream { name }")
    return [
        each
        for each in nodes
        if (each["upstream"] == {"name": system.name} if mirrored else each["upstream"] is None)
        and not any(message["text"] == "Hello?" for message in each["messages"]["nodes"])
    ]


def _kills(running: Sequence[Process]) -> int:
    """How many processes are killed: a single one twice."""
    return max(len(running), 2)


async def _kill(running: Sequence[Process], seconds: float) -> None:
    """Kill each process once, as a power cut would, so also the one that has the leases."""
    began = time.monotonic()
    for number in range(_kills(running)):
        await asyncio.sleep(max(began + seconds * (0.3 + 0.35 * number) - time.monotonic(), 0.0))
        process = running[number % len(running)]
        await process.kill()
        await asyncio.sleep(_DOWN_SECONDS)
        await process.start()


async def _quiet(there: Side, here: Side, said: Said, database_url: str, *, whole: bool) -> list[str]:
    """Wait until nothing is to be done and both sides are equal; what is not, once that takes too long."""
    ends = time.monotonic() + _LIMIT_SECONDS
    while True:
        faults = await read_of(database_url, left)
        for system in SYSTEMS:
            with suppress(*BROKEN):
                faults += differing(await both(system, there, here), said.notes, whole=whole)
        if not faults:
            return []
        if time.monotonic() > ends:
            return faults
        await asyncio.sleep(_LOOK_SECONDS)


async def _touch(there: Side) -> None:
    """Have the customer of each conversation write once more: so what no list shows is seen, too."""
    (bot,) = [each for each in SYSTEMS if each.name == "Bot"]
    for node in await _known(bot, there, mirrored=False):
        _, given = hears(node, f"Last of {node['id']}", there.choose)
        await there.made("receiveMessage", **given)
