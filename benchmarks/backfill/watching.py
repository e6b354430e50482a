"""Attaches one server to another, and watches what comes in while the other goes on."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa
from rich.console import Console
from sqlalchemy.ext.asyncio import create_async_engine

from app.interactions.tables import interaction
from app.storage.engines import parse_database_url
from benchmarks.cases import INBOX, KEY, request
from benchmarks.client import BenchmarkError, KeptAlive, ask

SYSTEMS = ("conversation", "chat_session", "agent_session")
"""The kinds whose systems list all that they have."""

LIVE = "live change "

_CONNECTORS = (
    ("Bot", "VOICEBOT", "/third-party/v1"),
    ("Office", "SUPEROFFICE", "/api"),
    ("Agents", "VECTARA", ""),
)
_CREATE = "mutation($input: CreateConnectionInput!) { createConnection(input: $input) { errors { message } } }"
_STANDING = "{ connections(first: 10) { nodes { name state pendingReads error { code } } } }"
_ARRIVED = sa.select(sa.func.count()).select_from(interaction)
_OPEN = """{ interactions(first: 50, filter: {kinds: [CONVERSATION], states: [OPEN]}) { nodes { id } } }"""
_LATEST = "{ interactions(first: 10) { nodes { latestMessage { text } } } }"
_HEAR = "mutation($input: ReceiveMessageInput!) { receiveMessage(input: $input) { errors { message } } }"
_EVERY = 1.0
_LOOK = 0.05
_PATIENCE = 60.0
_SAYS_EVERY = 30.0
_AFTERWARDS = 20.0
LATE = 2.0
"""After how many seconds a live change is late."""


@dataclass
class Seen:
    """What callers felt, in seconds: until a live change was here, and for a page of the inbox, while the history came
    in and `afterwards`.

    `first` are the first changes after the start and after the kill, which wait for the server; `lost` came never.
    `resumed` is how long after the kill something more of the history was here."""

    first: list[float] = field(default_factory=list)
    live: list[float] = field(default_factory=list)
    inbox: list[float] = field(default_factory=list)
    afterwards: list[float] = field(default_factory=list)
    lost: int = 0
    number: int = 0
    killed_at: float | None = None
    resumed: float | None = None

    @property
    def late(self) -> int:
        """How many live changes were late, apart from those that were lost."""
        return sum(each > LATE for each in self.live)

    def told(self, name: str) -> str:
        """The times of one of them in a line."""
        ordered: Sequence[float] = sorted(getattr(self, name))
        if not ordered:
            return "none"
        middle, slow = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        return (
            f"{len(ordered):,}, half of them within {middle * 1_000:,.0f} ms, 99 % within {slow * 1_000:,.0f} ms, "
            f"the slowest {ordered[-1] * 1_000:,.0f} ms"
        )


async def attach(here: int, there: int, requests: float) -> None:
    """Connect the server at one port to that at the other, which bears so many requests a second."""
    connection = await KeptAlive.connect(here)
    try:
        for name, system, path in _CONNECTORS:
            given = {
                "system": system,
                "name": name,
                "address": f"http://127.0.0.1:{there}{path}",
                "credential": KEY,
                "settings": {"pollSeconds": 1, "requestsPerSecond": requests},
            }
            made = await _ask(connection, _CREATE, input=given)
            if made["createConnection"]["errors"]:
                raise BenchmarkError(f"{name}: {made['createConnection']['errors']}")
    finally:
        await connection.close()


async def watch(
    here: int, there: int, url: str, enough: int | None, until: float, seen: Seen, console: Console
) -> bool:
    """Have live changes happen there and look at the inbox here, until so many interactions are here, or all; `url` is
    that of the database here.

    Returns False when the time was up before that."""
    live = asyncio.create_task(_go_on(here, there, seen))
    inbox = asyncio.create_task(_look_at_inbox(here, seen.inbox))
    connection = await KeptAlive.connect(here)
    # Not counted by the server, whose lists are counted up to a bound.
    database = create_async_engine(parse_database_url(url))
    said, first = 0.0, None
    try:
        while True:
            for each in (live, inbox):
                if each.done():
                    each.result()
            found = await _ask(connection, _STANDING)
            nodes = found["connections"]["nodes"]
            async with database.connect() as reading:
                count = int((await reading.execute(_ARRIVED)).scalar_one())
            if first is None:
                first = count
            if seen.killed_at is not None and seen.resumed is None and count > first:
                seen.resumed = time.monotonic() - seen.killed_at
            if time.monotonic() > said + _SAYS_EVERY:
                said = time.monotonic()
                states = ", ".join(
                    f"{each['name']} {each['state']} {each['pendingReads']} {each['error']}" for each in nodes
                )
                console.print(f"{count:,} are here: {states}; live {seen.told('live')}, {seen.late} late")
            is_whole = all(each["state"] == "CONNECTED" and not each["pendingReads"] for each in nodes)
            if is_whole if enough is None else count >= enough:
                return True
            if time.monotonic() > until:
                console.print(f"The time is up, and {count:,} interactions are here: {nodes}")
                return False
            await asyncio.sleep(_EVERY if seen.killed_at is None or seen.resumed is not None else _LOOK)
    finally:
        for each in (live, inbox):
            each.cancel()
        await asyncio.gather(live, inbox, return_exceptions=True)
        await connection.close()
        await database.dispose()


async def look_afterwards(here: int, seen: Seen) -> None:
    """Look at the inbox for some seconds while nothing else is done."""
    with suppress(TimeoutError):
        await asyncio.wait_for(_look_at_inbox(here, seen.afterwards), _AFTERWARDS)


async def _go_on(here: int, there: int, seen: Seen) -> None:
    """The customers of open conversations write there, one after the other."""
    reading = await KeptAlive.connect(here)
    refs = [each["id"] for each in (await _ask(there, _OPEN))["interactions"]["nodes"]]
    found = seen.first
    while True:
        seen.number += 1
        text = f"{LIVE}{seen.number}"
        given = {"target": {"interactionId": refs[seen.number % len(refs)]}, "contents": [{"text": {"content": text}}]}
        heard = await _ask(there, _HEAR, input=given)
        if heard["receiveMessage"]["errors"]:
            # Who is blocked there says nothing.
            del refs[seen.number % len(refs)]
            continue
        began = time.perf_counter()
        while not await _is_latest(reading, text):
            if time.perf_counter() > began + _PATIENCE:
                seen.lost += 1
                break
            await asyncio.sleep(_LOOK)
        else:
            found.append(time.perf_counter() - began)
            found = seen.live
        await asyncio.sleep(_EVERY)


async def _is_latest(connection: KeptAlive, text: str) -> bool:
    found = (await _ask(connection, _LATEST))["interactions"]["nodes"]
    return any(each["latestMessage"] == {"text": text} for each in found)


async def _look_at_inbox(here: int, seconds: list[float]) -> None:
    connection, page = await KeptAlive.connect(here), request(INBOX)
    while True:
        began = time.perf_counter()
        await connection.ask(page)
        seconds.append(time.perf_counter() - began)
        await asyncio.sleep(0.2)


async def _ask(at: KeptAlive | int, document: str, **variables: Any) -> Any:
    """The data of an answer over a connection, or over one of its own to the server at a port."""
    asked = request(document, variables)
    answer = orjson.loads(await (ask(at, asked) if isinstance(at, int) else at.ask(asked)))
    if "errors" in answer:
        raise BenchmarkError(f"The server answered: {answer['errors']}")
    return answer["data"]
