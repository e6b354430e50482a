"""Attacks over WebSocket and Server-Sent Events."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.serving import Socket, open_socket
from tests.soak.hostile.target import Hostile
from tests.soak.hostile.wire import BROKEN, post

_CHANGES = "subscription($after: String) { interactionChanged(after: $after) { cursor topic interaction { id } } }"
_WATCHED = "subscription($id: ID) { interactionChanged(id: $id, viewing: true) { topic } }"
_SUMMARY = "subscription { attentionSummaryChanged(groupBy: KIND) { count groups { count } } }"
_ALERTS = "subscription { attentionChanged { topic interaction { id labels } } }"
_QUERY = "query($filter: InteractionFilter) { interactions(first: 1, filter: $filter) { nodes { id } } }"

_SOCKET_BROKEN = (*BROKEN, ConnectionClosed, InvalidHandshake, AssertionError)


async def replays(to: Hostile) -> None:
    """A thousand subscriptions that all begin with the first event, over ten sockets of one key."""

    async def replay() -> None:
        async with _socket(to, to.target.able) as socket:
            for number in range(100):
                await socket.subscribe(str(number), _CHANGES, after=to.target.beginning)
            await _take_all(to, socket)

    await _again(to, replay, 10)


async def replay_streams(to: Hostile) -> None:
    """Two hundred event streams from the first event on, of which nothing is read."""
    await _streams(
        to, post(_CHANGES, {"after": to.target.beginning}, key=to.target.able, accept="text/event-stream"), 200
    )


async def many_streams(to: Hostile) -> None:
    """Three thousand event streams of one key, opened as fast as they are let in."""
    await _streams(to, post(_ALERTS, key=to.target.able, accept="text/event-stream"), 3_000)


async def subscription_churn(to: Hostile) -> None:
    """Subscriptions that are completed as soon as they have begun, without a pause."""

    async def churn() -> None:
        async with _socket(to, to.target.able) as socket:
            number = 0
            while True:
                number += 1
                await socket.subscribe(str(number), _SUMMARY)
                await socket.send(id=str(number), type="complete")
                if number % 50 == 0:
                    await _take_what_is_there(to, socket)

    await _again(to, churn, 8)


async def watch_storm(to: Hostile) -> None:
    """Interactions that are viewed for a moment, one after the other, by one user."""

    async def watch() -> None:
        async with _socket(to, to.target.able) as socket:
            number = 0
            while True:
                number += 1
                await socket.subscribe(str(number), _WATCHED, id=to.target.refs[number % len(to.target.refs)])
                await asyncio.sleep(0.002)
                await socket.send(id=str(number), type="complete")

    await _again(to, watch, 8)


async def socket_variables(to: Hostile) -> None:
    """Operations over a socket whose variables hold 40,000 unknown members."""
    members = {f"u{number}": 1 for number in range(40_000)}

    async def ask() -> None:
        async with _socket(to, to.target.nobody) as socket:
            number = 0
            while True:
                number += 1
                await socket.subscribe(str(number), _QUERY, filter=members)
                message = await socket.take()
                to.tally.answers[str(message["type"])] += 1

    await _again(to, ask, 2)


async def pings(to: Hostile) -> None:
    """Pings with a payload, as fast as a socket takes them."""

    async def ping() -> None:
        async with _socket(to, to.target.nobody) as socket:
            while True:
                for _ in range(50):
                    await socket.send(type="ping", payload={"x": "y" * 1_000})
                await _take_what_is_there(to, socket)

    await _again(to, ping, 4)


async def handshakes(to: Hostile) -> None:
    """Handshakes with a long query string, of clients that then leave."""

    async def shake() -> None:
        while True:
            with suppress(*_SOCKET_BROKEN):
                async with open_socket(to.target.port, begin=False, query="q" * 6_000):
                    to.tally.answers["handshake"] += 1

    await to.at_once(shake, 8)


async def sockets_of_nobody(to: Hostile) -> None:
    """A thousand sockets that never say who they are."""
    held: list[asyncio.StreamWriter] = []
    upgrade = (
        b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    )
    try:
        for _ in range(1_000):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", to.target.port)
                held.append(writer)
                writer.write(upgrade)
                to.tally.answers[(await reader.readuntil(b"\r\n"))[9:12].decode()] += 1
            except BROKEN as broken:
                to.broke(broken)
        await asyncio.Event().wait()
    finally:
        for writer in held:
            writer.close()


@asynccontextmanager
async def _socket(to: Hostile, key: str) -> AsyncIterator[Socket]:
    async with open_socket(to.target.port, {"authorization": f"Bearer {key}"}) as socket:
        yield socket


async def _again(to: Hostile, visit: Callable[[], Awaitable[None]], times: int) -> None:
    """Make so many visits at once, each anew after the server has ended it."""

    async def visits() -> None:
        while True:
            try:
                await visit()
            except _SOCKET_BROKEN as broken:
                to.broke(broken)
                await asyncio.sleep(0.1)

    await to.at_once(visits, times)


async def _take_all(to: Hostile, socket: Socket) -> None:
    while True:
        message = await socket.take()
        to.tally.answers[str(message["type"])] += 1


async def _take_what_is_there(to: Hostile, socket: Socket) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.005):
            await _take_all(to, socket)


async def _streams(to: Hostile, request: bytes, many: int) -> None:
    """Open so many streams and read the head of each."""
    held: list[asyncio.StreamWriter] = []

    async def open_some() -> None:
        for _ in range(many // 10):
            try:
                async with asyncio.timeout(10):
                    reader, writer = await asyncio.open_connection("127.0.0.1", to.target.port)
                    held.append(writer)
                    writer.write(request)
                    status = (await reader.readuntil(b"\r\n"))[9:12].decode()
                to.tally.answers[status] += 1
                if status != "200":
                    writer.close()
                    await asyncio.sleep(0.05)
            except BROKEN as broken:
                to.broke(broken)
        await asyncio.Event().wait()

    try:
        await to.at_once(open_some, 10)
    finally:
        for writer in held:
            writer.close()
