"""Clients that come and go in every way: `python -m tests.soak.rude <port> <connections> <how many of them stay>`.

Those that stay do nothing more, as a machine that has lost its power does: it is for the server to end them. They are
held until standard input ends."""

import asyncio
import os
import random
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson

from tests.graph.running import mutation_text
from tests.soak.clients import BROKEN, Caller, http_request
from tests.soak.processes import KEY

_AT_ONCE = 32
_PATIENCE = 20.0
_BETWEEN_CHANGES = 0.02

_CHANGES = "subscription { interactionChanged { topic cursor interaction { id labels } } }"
_SUMMARY = "subscription { attentionSummaryChanged(groupBy: KIND) { count } }"
_FIRST = "{ interactions(first: 1) { nodes { id } } }"
_UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
_CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Visit = Callable[[Streams], Awaitable[None]]


def _frame(**message: object) -> bytes:
    """A frame of text, masked with zeros."""
    text = orjson.dumps(message)
    length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + struct.pack(">H", len(text))
    return b"\x81" + length + b"\x00\x00\x00\x00" + text


_INIT = _frame(type="connection_init", payload={"authorization": f"Bearer {KEY}"})


def _subscribe(id_: str, query: str) -> bytes:
    return _frame(id=id_, type="subscribe", payload={"query": query})


async def _upgraded(streams: Streams) -> None:
    streams[1].write(_UPGRADE)
    await streams[0].readuntil(b"\r\n\r\n")


async def _admitted(streams: Streams) -> None:
    await _upgraded(streams)
    streams[1].write(_INIT)
    await streams[0].readuntil(b"connection_ack")


# ---- what they come to; each returns while the connection is open ---------------------------------------------------


async def nothing(_streams: Streams) -> None:
    pass


async def half_a_head(streams: Streams) -> None:
    streams[1].write(_UPGRADE[:60])


async def half_a_body(streams: Streams) -> None:
    streams[1].write(http_request(_FIRST, {}, "application/json")[:-5])


async def a_query(streams: Streams) -> None:
    streams[1].write(http_request(_FIRST, {}, "application/json"))
    await streams[0].readuntil(b"\r\n\r\n")


async def no_init(streams: Streams) -> None:
    await _upgraded(streams)


async def an_init(streams: Streams) -> None:
    await _admitted(streams)


async def a_wrong_key(streams: Streams) -> None:
    await _upgraded(streams)
    streams[1].write(_frame(type="connection_init", payload={"authorization": "Bearer nobody"}))


async def half_a_frame(streams: Streams) -> None:
    await _admitted(streams)
    streams[1].write(_subscribe("1", _CHANGES)[:20])


async def subscriptions(streams: Streams) -> None:
    await _admitted(streams)
    streams[1].write(b"".join(_subscribe(str(n), query) for n, query in enumerate((_CHANGES, _CHANGES, _SUMMARY))))
    await streams[0].readuntil(b'"next"')


async def subscriptions_not_awaited(streams: Streams) -> None:
    await _admitted(streams)
    streams[1].write(_subscribe("1", _CHANGES) + _subscribe("2", _FIRST))


async def completed(streams: Streams) -> None:
    await subscriptions(streams)
    streams[1].write(b"".join(_frame(id=str(n), type="complete") for n in range(3)))


async def broken_protocol(streams: Streams) -> None:
    await subscriptions(streams)
    streams[1].write(_frame(type="connection_init"))


async def events(streams: Streams) -> None:
    streams[1].write(http_request(_CHANGES, {}, "text/event-stream"))
    await streams[0].readuntil(b"event: next")


async def events_not_awaited(streams: Streams) -> None:
    streams[1].write(http_request(_SUMMARY, {}, "text/event-stream"))


VISITS: tuple[Visit, ...] = (
    nothing,
    half_a_head,
    half_a_body,
    a_query,
    no_init,
    an_init,
    a_wrong_key,
    half_a_frame,
    subscriptions,
    subscriptions_not_awaited,
    completed,
    broken_protocol,
    # Of these nobody can say that they are gone, before what is sent to them is not taken.
    events,
    events_not_awaited,
)
_NOTICED = VISITS[:-2]


# ---- how they go ----------------------------------------------------------------------------------------------------


async def _close(streams: Streams) -> None:
    streams[1].close()


async def _close_politely(streams: Streams) -> None:
    streams[1].write(_CLOSE)
    streams[1].close()


async def _close_one_side(streams: Streams) -> None:
    streams[1].write_eof()
    await asyncio.sleep(0.01)
    streams[1].close()


async def _reset(streams: Streams) -> None:
    # Without lingering a close is a reset.
    found: socket.socket = streams[1].get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    streams[1].transport.abort()


_LEAVING = (_close, _close_politely, _close_one_side, _reset)


async def _visit(port: int, visit: Visit, choose: random.Random, kept: list[Streams] | None) -> None:
    streams = await asyncio.open_connection("127.0.0.1", port)
    stays = False
    try:
        async with asyncio.timeout(_PATIENCE):
            await visit(streams)
        if kept is not None:
            streams[1].transport.pause_reading()  # type: ignore[attr-defined]
            kept.append(streams)
            stays = True
    finally:
        if not stays:
            with suppress(OSError):  # the server was first
                await choose.choice(_LEAVING)(streams)


async def _change(port: int) -> None:
    """Something for those who listen."""
    caller, number = Caller(port), 0
    ref = (await caller.call(_FIRST))["interactions"]["nodes"][0]["id"]
    document = mutation_text("setLabels")
    try:
        while True:
            number += 1
            await caller.call(document, input={"id": ref, "labels": [str(number)]})
            await asyncio.sleep(_BETWEEN_CHANGES)
    finally:
        caller.close()


async def main(port: int, count: int, staying: int) -> None:
    numbers = iter(range(count))
    choose, kept, failed = random.Random(count), list[Streams](), list[str]()

    async def some() -> None:
        for number in numbers:
            visits = _NOTICED if number < staying else VISITS
            visit = visits[number % len(visits)]
            try:
                await _visit(port, visit, choose, kept if number < staying else None)
            except BROKEN as error:
                failed.append(f"{visit.__name__}: {error!r}")

    changing = asyncio.create_task(_change(port))
    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
    changing.cancel()
    with suppress(asyncio.CancelledError):
        await changing
    print(orjson.dumps(failed).decode(), flush=True)  # noqa: T201 - read by who started it
    await asyncio.to_thread(sys.stdin.read)
    # Without a farewell to those that are held.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:4])))
