import asyncio
import logging
import socket
import sqlite3
import struct
from contextlib import closing, suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import get_introspection_query
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.core.actor import Actor
from app.core.log_limit import MOST_ALIKE
from app.core.logs import configure_logs
from app.http import http_protocol, server, socket_protocol
from app.http.accepting import notice_the_vanished
from app.http.watching import access_line
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.kit.library import ADMIN, tick, update_book
from tests.kit.library_server import BOOK, Keys, serving_library
from tests.serving import PATIENCE, Served, eventually

pytestmark = pytest.mark.anyio


async def sent(served: Served, *parts: bytes) -> bytes:
    """What the server answers until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        for part in parts:
            writer.write(part)
        return await asyncio.wait_for(reader.read(), PATIENCE)
    finally:
        writer.close()


async def test_a_head_without_an_end_is_cut_off(sqlite_served: Served) -> None:
    answer = await sent(sqlite_served, b"GET /healthz HTTP/1.1\r\nx: ", *[b"y" * 16_384] * 5)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"The head of the request is too long.")


async def test_head_that_is_refused_is_answered_while_the_client_still_sends(sqlite_served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port)
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nx: " + b"y" * 70_000)
        await writer.drain()
        for _ in range(20):
            writer.write(b"y" * 100_000)
            await asyncio.sleep(0)
        await writer.drain()
        assert (await asyncio.wait_for(reader.read(), PATIENCE)).startswith(b"HTTP/1.1 400 ")
    finally:
        writer.close()


async def test_a_long_head_that_ends_is_a_request(sqlite_served: Served) -> None:
    head = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: " + b"y" * 60_000 + b"\r\n\r\n"
    assert (await sent(sqlite_served, head)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\n",
        b"POST /graphql HTTP/1.1\r\ncontent-length: 9\r\ncontent-type: application/json\r\n\r\n{",
    ],
)
async def test_a_request_that_never_comes_or_never_comes_whole_is_cut_off(
    sqlite_served: Served, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(http_protocol, "SLOWEST_REQUEST", 0.02)
    assert b"HTTP/1.1 200" not in await sent(sqlite_served, start)


async def test_a_socket_outlives_the_time_of_its_request(
    sqlite_served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "SLOWEST_REQUEST", 0.02)
    async with sqlite_served.socket({"Authorization": "Bearer reader"}) as socket:
        await asyncio.sleep(0.1)
        await socket.send(type="ping")
        assert await socket.take() == {"type": "pong"}


@pytest.mark.parametrize("length", [1, 200, 70_000])
async def test_items_of_any_length_are_frames_that_clients_read(
    sqlite_served: Served, sqlite_library: Database, length: int
) -> None:
    title = "é" * length
    await sqlite_library.command(update_book, ADMIN, "boo_1", {"title": title}, None)
    async with sqlite_served.socket({"Authorization": "Bearer admin"}) as socket:
        await socket.listen("1", "subscription { t: ticks { b: book { title } } }")
        await sqlite_library.command(tick, 1, 2)
        assert [await socket.data("1") for _ in range(2)] == [{"t": {"b": {"title": title}}}] * 2


@pytest.mark.parametrize("requests", [1, 12])
async def test_a_client_that_takes_no_answer_is_cut_off(
    sqlite_served: Served, monkeypatch: pytest.MonkeyPatch, requests: int
) -> None:
    monkeypatch.setattr(http_protocol, "LONGEST_STALL", 0.1)
    sqlite_served.server.config.timeout_keep_alive = 0.05  # type: ignore[assignment]
    # What the system takes off the server's hands is little, so that the rest stays with the server.
    sqlite_served.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    with client:
        client.connect(("127.0.0.1", sqlite_served.port))
        body = orjson.dumps({"query": get_introspection_query()})
        head = f"POST /graphql HTTP/1.1\r\nhost: x\r\nx-api-key: admin\r\ncontent-length: {len(body)}\r\n"
        client.sendall((head.encode() + b"content-type: application/json\r\n\r\n" + body) * requests)
        connections = sqlite_served.server.server_state.connections
        await eventually(lambda: len(connections) == 1)
        await eventually(lambda: len(connections) == 0)


async def test_a_client_that_takes_its_answer_slowly_gets_it(
    sqlite_served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "LONGEST_STALL", 0.1)
    sqlite_served.server.config.timeout_keep_alive = 0.05  # type: ignore[assignment]
    sqlite_served.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port, limit=2_048)
    body = orjson.dumps({"query": get_introspection_query()})
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\nx-api-key: admin\r\ncontent-length: {len(body)}\r\n"
    writer.write(head.encode() + b"content-type: application/json\r\n\r\n" + body)
    answer = b""
    async with asyncio.timeout(PATIENCE):
        while part := await reader.read(2_048):
            answer += part
            await asyncio.sleep(0.02)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["data"]["__schema"]


class Waiting(Keys):
    """Keys that are never found, and who asks for them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.left = 0

    async def actor_of(self, key: str) -> Actor | None:
        self.asked += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.left += 1
            raise
        return None


def request(query: str) -> bytes:
    body = orjson.dumps({"query": query})
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\nx-api-key: admin\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"content-type: application/json\r\n\r\n" + body


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize("requests", [1, 3])
async def test_request_of_a_client_that_has_left_is_cancelled(
    sqlite_library: Database, tmp_path: Path, clock: ManualClock, requests: int
) -> None:
    keys, stream = Waiting(), StringIO()
    configure_logs("warning", "console", stream)
    async with serving_library(f"sqlite:///{tmp_path / 'library.db'}", clock, keys) as served:
        before = await served.tasks()
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(request(BOOK) * requests)
        await eventually(lambda: keys.asked == 1)
        assert await served.tasks() > before
        if requests == 1:
            writer.transport.abort()
        else:
            # Of requests behind each other uvicorn reads one, and does not see that their client has left.
            (connection,) = served.server.server_state.connections
            served.server.servers[0].get_loop().call_soon_threadsafe(connection.transport.abort)
        await eventually(lambda: keys.left == 1)
        await eventually(lambda: not served.server.server_state.tasks)
        assert await served.tasks() == before
        writer.close()
    assert stream.getvalue() == ""


async def test_command_of_a_client_that_has_left_is_finished(
    sqlite_served: Served, sqlite_library: Database, tmp_path: Path
) -> None:
    queue: Any = sqlite_served.server.lifespan.state["services"].database._commands._queue
    with closing(sqlite3.connect(tmp_path / "library.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        _, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port)
        update = 'mutation { updateBook(input: {id: "boo_1", title: "Left"}) { errors { code } } }'
        writer.write(request(update))
        await eventually(lambda: queue.waiting(ADMIN.caller) + queue.running(ADMIN.caller) == 1)
        writer.transport.abort()
        await eventually(lambda: not sqlite_served.server.server_state.tasks)
        other.execute("ROLLBACK")
        await eventually(lambda: other.execute("SELECT title FROM book WHERE id = 1").fetchone() == ("Left",))


async def test_requests_after_each_other_are_answered_each(sqlite_served: Served) -> None:
    last = request(BOOK).replace(b"host: x", b"host: x\r\nconnection: close")
    assert (await sent(sqlite_served, request(BOOK) * 3 + last)).count(b"The Dispossessed") == 4


async def stop(served: Served) -> None:
    """Stop it, and wait until its connections know."""
    connections: Any = served.server.server_state.connections
    served.stop()
    await eventually(lambda: all(each._is_last for each in set(connections)))


@pytest.mark.parametrize("sent_before", [0, 20, -3], ids=["nothing", "a part of the head", "a part of the body"])
@pytest.mark.parametrize("earlier", [0, 1])
async def test_request_on_its_way_to_a_server_that_stops_is_answered(
    sqlite_served: Served, monkeypatch: pytest.MonkeyPatch, sent_before: int, earlier: int
) -> None:
    if earlier and not sent_before:
        pytest.skip("A connection that waits for a further request is closed at once.")
    monkeypatch.setattr(http_protocol, "LAST_REQUEST", PATIENCE)
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port)
    connections = sqlite_served.server.server_state.connections
    try:
        for _ in range(earlier):
            writer.write(request(BOOK))
            assert (await reader.readuntil(b"The Dispossessed")).startswith(b"HTTP/1.1 200 ")
            await reader.readuntil(b"}}}")
        whole = request(BOOK)
        writer.write(whole[:sent_before])
        await eventually(lambda: len(connections) == 1)
        (connection,) = connections
        await eventually(lambda: not sent_before or not connection._is_whole)  # type: ignore[union-attr]
        await stop(sqlite_served)
        writer.write(whole[sent_before:])
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert (answer.count(b"connection: close"), answer.count(b"The Dispossessed")) == (1, 1)
    finally:
        writer.close()
    await sqlite_served.stopped()


async def test_connections_without_a_request_do_not_hold_up_a_server_that_stops(
    sqlite_served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "LAST_REQUEST", 0.05)
    connections = sqlite_served.server.server_state.connections
    opened = [await asyncio.open_connection("127.0.0.1", sqlite_served.port) for _ in range(2)]
    opened[1][1].write(b"GET /healthz HTTP/1.1\r\n")
    await eventually(lambda: len(connections) == 2)
    sqlite_served.stop()
    await sqlite_served.stopped()
    for reader, writer in opened:
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()


async def test_connection_between_two_requests_is_closed_at_once_by_a_server_that_stops(
    sqlite_served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "LAST_REQUEST", 10 * PATIENCE)
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port)
    writer.write(request(BOOK))
    await reader.readuntil(b"The Dispossessed")
    sqlite_served.stop()
    await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    await sqlite_served.stopped()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has the option")
def test_clients_that_vanish_are_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        notice_the_vanished(listener)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize("accessed", [False, True])
async def test_server_logs_hold_no_query_string_and_no_key(sqlite_served: Served, accessed: bool) -> None:
    stream = StringIO()
    configure_logs("debug", "console", stream)
    logging.getLogger(socket_protocol.SOCKET_LOG).setLevel("INFO" if accessed else "WARNING")
    services = sqlite_served.server.lifespan.state["services"]
    sqlite_served.server.lifespan.state["services"] = replace(services, watchers=(access_line,))
    sqlite_served.config.watched = accessed
    secret = b"very-secret"
    for key in (b"reader", b"nobody"):
        head = b"GET /graphql?key=%b HTTP/1.1\r\nhost: x\r\nx-api-key: %b-%b\r\n" % (secret, key, secret)
        await sent(sqlite_served, head + b"connection: close\r\n\r\n")
    for protocol in ("graphql-transport-ws", "graphql-ws"):
        async with sqlite_served.socket(
            begin=False, subprotocols=[Subprotocol(protocol)], query="key=very-secret"
        ) as opened:
            with suppress(ConnectionClosed):
                await opened.send(type="connection_init", payload={"authorization": "Bearer very-secret"})
            await opened.closed()
    await sent(sqlite_served, b"GET /graphql?key=%b HTTP/1.1\r\nbroken\r\n\r\n" % secret)
    # The clients of this test log here too.
    logged = "\n".join(line for line in stream.getvalue().splitlines() if "websockets.client" not in line)
    assert "very-secret" not in logged
    assert ("/graphql" in logged) is accessed


@pytest.mark.usefixtures("own_logs")
async def test_server_log_is_not_written_without_limit_by_strangers(sqlite_served: Served) -> None:
    stream = StringIO()
    configure_logs("info", "console", stream)
    logging.getLogger(socket_protocol.SOCKET_LOG).setLevel("WARNING")
    times = MOST_ALIKE + 10
    for _ in range(times):
        await sent(sqlite_served, b"nonsense\r\n\r\n")
        await sent(
            sqlite_served,
            b"GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n",
        )
        async with sqlite_served.socket(begin=False, subprotocols=None) as opened:
            await opened.closed()
    lines = stream.getvalue().splitlines()
    assert len([line for line in lines if "Invalid HTTP request" in line]) == MOST_ALIKE
    assert len(lines) <= 2 * MOST_ALIKE


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize("last", [b"", b"no request at all\r\n\r\n"], ids=["valid", "broken"])
async def test_pipelined_requests_whose_client_is_gone_are_no_errors(sqlite_served: Served, last: bytes) -> None:
    stream = StringIO()
    configure_logs("warning", "console", stream)
    body = b'{"query":"{ books(first: 1) { nodes { id } } }"}'
    request = (
        b"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer reader\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%b" % (len(body), body)
    )
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port)
        # Without lingering a close is a reset.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.write(request * 20 + last)
        await asyncio.sleep(0.01)
        writer.transport.abort()
    state = sqlite_served.server.server_state
    await eventually(lambda: not state.connections and not state.tasks)
    assert "Traceback" not in stream.getvalue()


@pytest.mark.parametrize(
    "frames", [b"\xff\xff", b"\x81\x81\x00\x00\x00\x00\xff"], ids=["no frames", "text that is not UTF-8"]
)
async def test_wrong_frames_before_the_upgrade_is_answered_end_the_connection(
    sqlite_served: Served, monkeypatch: pytest.MonkeyPatch, frames: bytes
) -> None:
    parsed, failed = [], []
    parse = socket_protocol.WebSocketProtocol.handle_parser_exception

    def handle(protocol: socket_protocol.WebSocketProtocol) -> None:
        parsed.append(protocol)
        parse(protocol)

    connect = socket_protocol.WebSocketProtocol.handle_connect

    def connect_and_read_on(protocol: socket_protocol.WebSocketProtocol, event: Any) -> None:
        connect(protocol, event)
        # As if it had come in the same turn of the loop as the request.
        protocol.loop.call_soon(protocol.data_received, frames)

    monkeypatch.setattr(socket_protocol.WebSocketProtocol, "handle_parser_exception", handle)
    monkeypatch.setattr(socket_protocol.WebSocketProtocol, "handle_connect", connect_and_read_on)
    answer = socket_protocol.WebSocketProtocol.run_asgi
    answered = []

    async def answer_late(protocol: socket_protocol.WebSocketProtocol) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await answer(protocol)
        answered.append(protocol)

    monkeypatch.setattr(socket_protocol.WebSocketProtocol, "run_asgi", answer_late)
    loop = sqlite_served.server.servers[0].get_loop()
    loop.call_soon_threadsafe(loop.set_exception_handler, lambda _, context: failed.append(context))
    upgrade = (
        b"GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert await sent(sqlite_served, upgrade) == b""
    await eventually(lambda: len(answered) == 1)
    assert (len(parsed), failed) == (1, [])


async def test_a_server_that_has_to_end_does_not_wait_for_its_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_TICK_SECONDS", 10 * PATIENCE)
    running = server.Server(server.server_config(Starlette(), Settings()))
    running.config.load()
    looping = asyncio.create_task(running.main_loop())
    await asyncio.sleep(0)  # it waits for its second tick
    await asyncio.sleep(0)
    await asyncio.to_thread(setattr, running, "should_exit", True)
    async with asyncio.timeout(PATIENCE):
        await looping
