"""Whatever a client sends over a WebSocket: it is answered as the protocol says, nothing is left, nothing is logged."""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed

from app.http.socket_protocol import WebSocketProtocol
from app.storage.database import Database
from tests.kit.library import tick
from tests.kit.library_server import BOOK, KEY, LIMITS, NUMBERS, TICKS, TITLE
from tests.live.test_connections import MUCH
from tests.serving import PATIENCE, Served, Socket

pytestmark = pytest.mark.anyio


def examples(count: int) -> settings:
    return settings(
        max_examples=count, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture
async def calm(sqlite_served: Served, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Served]:
    """A server that must not log an error, and must hold nothing at the end that it did not hold before."""
    before = await sqlite_served.tasks()
    with capture_logs() as logs:
        yield sqlite_served
        await nothing_left(sqlite_served, before)
    assert [entry for entry in logs if entry["log_level"] in ("error", "critical")] == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def nothing_left(served: Served, tasks: int) -> None:
    """Wait until no connection, subscription or task is left of any client."""
    services = served.server.lifespan.state["services"]
    found: tuple[int, ...] = ()
    for _ in range(int(PATIENCE / 0.01)):
        found = (len(served.server.server_state.connections), len(services.connections), served.running)
        if found == (0, 0, 0) and await served.tasks() <= tasks:
            return
        await asyncio.sleep(0.01)
    raise AssertionError((found, await served.tasks(), tasks))


async def running(served: Served, count: int) -> None:
    """Wait until so many subscriptions run."""
    for _ in range(int(PATIENCE / 0.001)):
        if served.running == count:
            return
        await asyncio.sleep(0.001)
    assert served.running == count


# ---- what the protocol allows ---------------------------------------------------------------------------------------

IDS = st.sampled_from("abcdefg")
STEPS = st.one_of(
    st.tuples(st.sampled_from(["listen", "listen", "ask", "fail", "complete"]), IDS),
    st.tuples(st.just("ping"), st.none() | st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text())),
    st.tuples(st.sampled_from(["pong", "tick", "tick"]), st.none()),
    st.tuples(st.sampled_from(["again"]), st.integers(0, 9)),
)
DOCUMENTS = {"listen": NUMBERS, "ask": BOOK, "fail": "subscription { nothing }"}


class Model:
    """The protocol as it is written: what each message has to be answered with."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.ticks = 0

    def answers(self, what: str, given: Any) -> list[tuple[Any, ...]] | int:
        """The messages that come, in any order where they are of several operations; or the code of a close."""
        match what:
            case "listen" | "ask" | "fail" if given in self.running:
                return 4409
            case "listen" | "ask" | "fail" if len(self.running) == LIMITS.operations:
                return [("error", given, "TOO_COMPLEX")]
            case "listen":
                self.running.add(given)
            case "ask":
                return [("next", given, TITLE), ("complete", given)]
            case "fail":
                return [("error", given, "GRAPHQL_VALIDATION_FAILED")]
            case "complete":
                self.running.discard(given)
            case "ping":
                return [("pong", given)]
            case "tick":
                self.ticks += 1
                return [("next", each, {"ticks": {"number": self.ticks}}) for each in sorted(self.running)]
            case "again" if given == 0:
                return 4429
        return []


def summary(message: dict[str, Any]) -> tuple[Any, ...]:
    match message:
        case {"type": "next", "id": id_, "payload": {"data": data}}:
            return "next", id_, data
        case {"type": "error", "id": id_, "payload": [{"extensions": {"code": code}}]}:
            return "error", id_, code
        case {"type": "complete", "id": id_}:
            return "complete", id_
        case {"type": "pong"}:
            return "pong", message.get("payload")
    raise AssertionError(message)


@examples(40)
@given(st.lists(STEPS, max_size=25))
async def test_any_order_of_messages_is_answered_as_the_protocol_says(
    calm: Served, sqlite_library: Database, steps: list[tuple[str, Any]]
) -> None:
    model = Model()
    async with calm.socket(KEY) as socket:
        for what, about in steps:
            wanted = model.answers(what, about)
            await say(socket, sqlite_library, what, about, model.ticks)
            if isinstance(wanted, int):
                assert (await socket.closed())[0] == wanted
                break
            found = [summary(await socket.take()) for _ in wanted]
            assert found == wanted if what != "tick" else sorted(found) == wanted
            await running(calm, len(model.running))
        else:
            await socket.send(type="ping", payload={"last": True})
            assert await socket.take() == {"type": "pong", "payload": {"last": True}}
    await running(calm, 0)


async def say(socket: Socket, library: Database, what: str, about: Any, ticks: int) -> None:
    match what:
        case "listen" | "ask" | "fail":
            await socket.subscribe(about, DOCUMENTS[what])
        case "complete":
            await socket.send(id=about, type="complete")
        case "ping":
            await socket.send(type="ping", **({} if about is None else {"payload": about}))
        case "pong":
            await socket.send(type="pong")
        case "tick":
            await library.command(tick, ticks)
        case "again" if about == 0:
            await socket.send(type="connection_init", payload={})


HURRIED = st.lists(st.tuples(st.sampled_from(["listen", "ask", "fail", "complete"]), IDS), max_size=60)
TRANSCRIPT = re.compile(r"((n*c)|e|(n*))*")


@examples(30)
@given(HURRIED)
async def test_messages_in_a_hurry_end_each_operation_once(
    calm: Served, sqlite_library: Database, steps: list[tuple[str, str]]
) -> None:
    used = {id_ for what, id_ in steps if what != "complete"}
    begun = {id_: sum(each == id_ and what != "complete" for what, each in steps) for id_ in used}
    found: dict[str, str] = {}
    async with calm.socket(KEY) as socket:
        for what, id_ in steps:
            with suppress(ConnectionClosed):
                await say(socket, sqlite_library, what, id_, 0)
        with suppress(ConnectionClosed):
            await socket.send(type="ping")
            await sqlite_library.command(tick, 1)
            while (message := await socket.take())["type"] != "pong":
                found[message["id"]] = found.get(message["id"], "") + message["type"][0]
        if socket.connection.close_code is not None:
            assert socket.connection.close_code == 4409
            assert max(begun.values()) > 1
    assert found.keys() <= used
    for id_, transcript in found.items():
        assert TRANSCRIPT.fullmatch(transcript)
        assert sum(transcript.count(end) for end in "ce") <= begun[id_]
    await running(calm, 0)


async def test_ten_thousand_operations_on_one_socket(calm: Served, sqlite_library: Database) -> None:
    count = 10_000
    async with calm.socket(KEY) as socket:
        sending = asyncio.create_task(send_many(socket, count))
        refused = set()
        for _ in range(count - LIMITS.operations):
            message = await socket.take()
            assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "TOO_COMPLEX")
            refused.add(message["id"])
        await sending
        assert refused == {str(number) for number in range(LIMITS.operations, count)}
        await running(calm, LIMITS.operations)
        await sqlite_library.command(tick, 1)
        told = sorted([(await socket.take())["id"] for _ in range(LIMITS.operations)])
        assert told == [str(number) for number in range(LIMITS.operations)]
        # One that ends makes room for another.
        await socket.send(id="0", type="complete")
        await running(calm, LIMITS.operations - 1)
        await socket.listen("more", TICKS)


async def send_many(socket: Socket, count: int) -> None:
    for number in range(count):
        await socket.subscribe(str(number), TICKS)


# ---- what it does not allow -----------------------------------------------------------------------------------------

CODES = {1002, 1007, 1009, 4400, 4401, 4409, 4429}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["subscribe", "complete", "ping", "pong", "next", "error", "connection_init", "connection_ack"])
MESSAGES = st.fixed_dictionaries(
    {"type": TYPES | ANYTHING},
    optional={
        "id": IDS | ANYTHING,
        "payload": ANYTHING
        | st.fixed_dictionaries(
            {"query": st.sampled_from([BOOK, TICKS, "{", ""]) | ANYTHING},
            optional={"variables": ANYTHING, "operationName": ANYTHING, "extensions": ANYTHING},
        ),
        "more": ANYTHING,
    },
)


def written(value: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def encodable(value: Any) -> bool:
    try:
        written(value)
    except orjson.JSONEncodeError:
        return False  # an integer that is too large for it
    return True


FRAMES = st.one_of(
    MESSAGES.filter(encodable).map(written),
    ANYTHING.filter(encodable).map(written),
    st.text(max_size=60),
    st.binary(max_size=60),
    st.sampled_from(
        ['{"type":"subscribe","id":"\\ud800"}', '{"type":"ping","type":"pong"}', "9" * 5_000, "x" * 20_001]
    ),
)


@examples(120)
@given(st.lists(FRAMES, min_size=1, max_size=4), st.booleans())
async def test_frames_of_any_kind_are_answered_or_end_the_socket(
    calm: Served, frames: list[str | bytes], admitted: bool
) -> None:
    async with calm.socket(KEY, begin=admitted) as socket:
        with suppress(ConnectionClosed):
            for frame in frames:
                await socket.connection.send(frame)
            await socket.send(type="ping", payload={"the": "last"})
            while (await socket.take()).get("payload") != {"the": "last"}:
                pass
        assert socket.connection.close_code in (None, *CODES)
    await running(calm, 0)


UPGRADE = {
    "host": "127.0.0.1",
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-protocol": "graphql-transport-ws",
}


@asynccontextmanager
async def raw(
    served: Served, target: bytes = b"/graphql", headers: dict[str, str] | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that asks to be a WebSocket, and then sends what it likes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in (UPGRADE if headers is None else headers).items())
    writer.write(b"GET " + target + b" HTTP/1.1\r\n" + lines.encode("latin-1") + b"\r\n")
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def frame(head: int, content: bytes) -> bytes:
    """A frame with these first eight bits, masked with zeros."""
    length = bytes([0x80 | len(content)]) if len(content) < 126 else b"\xfe" + len(content).to_bytes(2, "big")
    return bytes([head]) + length + b"\x00\x00\x00\x00" + content


INIT = frame(0x81, b'{"type":"connection_init","payload":{"x-api-key":"admin"}}')
BITS = st.one_of(
    st.builds(frame, st.sampled_from([0x81, 0x01, 0x80, 0x82, 0x88, 0x89, 0x8A, 0xC1, 0x83]), st.binary(max_size=100)),
    st.binary(min_size=1, max_size=100),
    st.just(frame(0x81, b"\xff\xfe")),
    st.just(b"\x81\x02{}"),  # not masked
    st.just(b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"),  # an absurd length
)


@examples(80)
@given(st.lists(BITS, min_size=1, max_size=3), st.booleans())
async def test_bits_of_any_kind_end_the_socket_at_most(calm: Served, bits: list[bytes], half: bool) -> None:
    async with raw(calm) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(INIT + b"".join(bits))
        # The server may have cut the connection already.
        with suppress(OSError, TimeoutError):
            if half:
                writer.write_eof()
            async with asyncio.timeout(0.02):
                await reader.read()


async def test_text_that_is_no_text_closes_the_socket(calm: Served, caplog: pytest.LogCaptureFixture) -> None:
    async with raw(calm) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(INIT + frame(0x81, b"\xff\xfe"))
        async with asyncio.timeout(PATIENCE):
            assert (await reader.read()).endswith(b"\x88\x02\x03\xef")  # 1007
    # It is the client's fault, and none of ours.
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (b"/graphql?\xff", {}, b"400"),
        (b"/\xc3\xa6", {}, b"400"),
        (b"/nowhere", {}, b"403"),
        (b"/graphql", {"sec-websocket-key": "short"}, b"400"),
        (b"/graphql", {"sec-websocket-version": "8"}, b"400"),
        (b"/graphql", {"sec-websocket-protocol": "\xe6,,;"}, b"400"),
        (b"/graphql", {"sec-websocket-extensions": "\xe6;=,"}, b"101"),
        (b"/graphql", {"origin": "\xe6://[::"}, b"101"),
        (b"/graphql", {"host": "\xe6"}, b"101"),
    ],
)
async def test_an_upgrade_is_made_or_refused(
    calm: Served, target: bytes, headers: dict[str, str], status: bytes
) -> None:
    async with raw(calm, target, UPGRADE | headers) as (reader, _):
        async with asyncio.timeout(PATIENCE):
            line = await reader.readline()
        assert line.split()[1] == status, line


# ---- who is gone ----------------------------------------------------------------------------------------------------


async def test_a_half_open_socket_is_cut_off(calm: Served) -> None:
    calm.server.config.ws_ping_interval = calm.server.config.ws_ping_timeout = 0.05
    subscribe = orjson.dumps({"id": "1", "type": "subscribe", "payload": {"query": NUMBERS}})
    async with raw(calm) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(INIT + frame(0x81, subscribe))
        await reader.readuntil(b"connection_ack")
        # It answers no ping, as one that has lost its power.
        async with asyncio.timeout(PATIENCE):
            await reader.read()
        await running(calm, 0)


async def test_a_half_open_socket_with_unsent_events_is_cut_off(calm: Served, sqlite_library: Database) -> None:
    calm.server.config.close_seconds = 0.1
    calm.server.config.ws_ping_interval = calm.server.config.ws_ping_timeout = 0.2
    # What the system takes off the server's hands is little, so that the rest stays with the server.
    calm.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    subscribe = orjson.dumps({"id": "1", "type": "subscribe", "payload": {"query": MUCH}})
    async with raw(calm) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(INIT + frame(0x81, subscribe))
        await reader.readuntil(b"connection_ack")
        await running(calm, 1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for number in range(1, 51):
            await sqlite_library.command(tick, number)
        await running(calm, 0)


async def test_an_open_socket_keeps_nothing_of_its_handshake(calm: Served) -> None:
    async with calm.socket(KEY) as opened:
        await opened.listen("1", NUMBERS)
        (connection,) = calm.server.server_state.connections
        assert isinstance(connection, WebSocketProtocol)
        assert connection.scope["headers"] == []
        assert not connection.request.headers
        assert not connection.response.headers


async def test_what_comes_after_the_server_has_begun_to_close_is_for_nobody(
    calm: Served, sqlite_library: Database
) -> None:
    loop = calm.server.servers[0].get_loop()
    async with calm.socket(KEY) as opened:
        await opened.listen("1", NUMBERS)
        (connection,) = calm.server.server_state.connections
        # As when a ping is not answered, while what was sent is not taken.
        loop.call_soon_threadsafe(setattr, connection, "close_sent", True)
        await sqlite_library.command(tick, 1)
        await running(calm, 0)
