"""What goes over the wire compressed: answers, request bodies and WebSocket messages."""

import asyncio
import gzip
import threading
import tracemalloc
import zlib
from typing import Any

import httpx2
import orjson
import pytest
from websockets.asyncio.client import connect

from app.asgi import create_app
from app.http.bodies import inflated
from app.http.compression import LARGE, MOST_WAITING, Compression, takes_gzip
from app.http.server import server_config
from app.rest.errors import BadRequest
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import CountingIds, ManualClock
from tests.kit.library import SLICES, tick
from tests.kit.library_server import BOOK, KEY, TICKS, TITLE, Keys
from tests.serving import PATIENCE, PROTOCOL, Served, eventually, serving

pytestmark = pytest.mark.anyio

LONG = "{ " + " ".join(f"b{number}: books {{ nodes {{ id title }} }}" for number in range(20)) + " }"
JSON = "application/json"
GZIP = {"accept-encoding": "gzip"}
PLAIN = {"accept-encoding": "identity"}


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5, br", True),
        ("x-gzip", True),
        ("*", True),
        ("", False),
        ("br, zstd", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.5", False),
        ("gzip;q=none", False),
    ],
)
def test_accept_encoding_decides_about_compression(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted.encode()) is takes


async def test_long_answers_are_compressed_for_those_who_take_it(sqlite_served: Served) -> None:
    root = sqlite_served.url.removesuffix("/graphql")
    async with httpx2.AsyncClient(headers=KEY) as client:
        for query, media_type in ((LONG, JSON), (None, "text/html")):
            asked: dict[str, Any] = {"url": sqlite_served.url, "params": query and {"query": query}}
            plain = await client.get(**asked, headers={"accept": media_type, **PLAIN})
            small = await client.get(**asked, headers={"accept": media_type, **GZIP})
            assert "content-encoding" not in plain.headers
            assert small.headers["content-encoding"] == "gzip"
            assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
            assert small.content == plain.content
            assert small.headers.get_list("vary") == plain.headers.get_list("vary")
            assert "Accept-Encoding" in plain.headers["vary"]
        short = await client.get(sqlite_served.url, params={"query": BOOK}, headers=GZIP)
        assert "content-encoding" not in short.headers
        assert short.json() == {"data": TITLE}
        head = await client.head(root, headers=GZIP)
        assert "content-encoding" not in head.headers
        script = await client.get(f"{root}/assets/pages/explorer.js", headers=GZIP)
        assert (script.headers["content-encoding"], script.headers["etag"][:3]) == ("gzip", 'W/"')
        kept = await client.get(f"{root}/assets/pages/explorer.js", headers={"if-none-match": script.headers["etag"]})
        assert kept.status_code == 304


async def test_streams_of_events_are_not_compressed_nor_held_back(
    sqlite_served: Served, sqlite_library: Database
) -> None:
    headers = {"accept": "text/event-stream", **KEY, **GZIP}
    async with (
        httpx2.AsyncClient(headers=headers) as client,
        client.stream("POST", sqlite_served.url, json={"query": TICKS}) as response,
    ):
        assert "content-encoding" not in response.headers
        chunks = response.aiter_bytes()
        await sqlite_library.command(tick, 1)
        async with asyncio.timeout(PATIENCE):
            while b'"number":1' not in await anext(chunks):
                pass


class Wire:
    """What an answer becomes; `body` is sent by an application in parts."""

    def __init__(self, compression: Any = Compression) -> None:
        self.threads: set[int] = set()
        self.parts: tuple[bytes, ...] = ()
        self.media_type = b"application/json"
        self.middleware = compression(self.app)

    async def app(self, _scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-type", self.media_type), (b"content-length", b"%d" % sum(map(len, self.parts)))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in self.parts[:-1]:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": self.parts[-1]})

    async def answer(self, *parts: bytes, caller: str = "a") -> list[Any]:
        self.parts = parts
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "headers": [(b"accept-encoding", b"gzip")],
            "state": {"caller": caller},
        }
        await self.middleware(scope, None, send)
        return sent


async def test_large_answers_are_compressed_beside_the_loop_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[int] = []
    most = 0
    real = zlib.compressobj

    class Watched:
        def __init__(self, level: int, method: int, bits: int) -> None:
            self.inner = real(level, method, bits)

        def compress(self, body: bytes) -> bytes:
            nonlocal most
            assert threading.current_thread() is not threading.main_thread()
            at_work.append(1)
            most = max(most, len(at_work))
            made = self.inner.compress(body)
            at_work.pop()
            return made

        def flush(self, mode: int) -> bytes:
            return self.inner.flush(mode)

    monkeypatch.setattr(zlib, "compressobj", Watched)
    wire = Wire()
    body = b"x" * (LARGE + 1)
    answers = await asyncio.gather(*(wire.answer(body) for _ in range(MOST_WAITING + 5)))
    answers.append(await wire.answer(body, caller="another"))
    compressed = [answer for answer in answers if (b"content-encoding", b"gzip") in answer[0]["headers"]]
    # One is at work and some wait; nobody waits longer for it: the others go as they are.
    assert (len(compressed), most, wire.middleware.beside) == (1 + MOST_WAITING + 1, 1, 1 + MOST_WAITING + 1)
    for start, sent in answers:
        length = dict(start["headers"])[b"content-length"]
        assert int(length) == len(sent["body"])
        assert (gzip.decompress(sent["body"]) if [start, sent] in compressed else sent["body"]) == body


async def test_an_answer_in_parts_goes_out_in_parts() -> None:
    wire = Wire()
    start, *parts = await wire.answer(b"first" * 10, b"second", b"")
    inflater = zlib.decompressobj(31)
    assert b"content-length" not in dict(start["headers"])
    assert [inflater.decompress(part["body"]) for part in parts] == [b"first" * 10, b"second", b""]
    assert inflater.eof
    wire.media_type = b"text/event-stream; charset=utf-8"
    start, first, _ = await wire.answer(b"x" * 5_000, b"")
    assert (b"content-encoding", b"gzip") not in start["headers"]
    assert first["body"] == b"x" * 5_000


async def test_compression_can_be_turned_off(database_url: str, clock: ManualClock) -> None:
    settings = Settings(database_url=database_url, compression=False)
    async with serving(create_app(settings, clock=clock, slices=SLICES, contracts=()), settings) as served:
        async with httpx2.AsyncClient(headers=GZIP) as client:
            page = await client.get(served.url, headers={"accept": "text/html"})
        assert len(page.content) > 1_024
        assert "content-encoding" not in page.headers


async def test_bodies_may_come_compressed(sqlite_served: Served) -> None:
    body = orjson.dumps({"query": BOOK})
    packed = gzip.compress(body)
    headers = {"content-type": JSON, **KEY}

    async def ask(content: bytes, encoding: str) -> httpx2.Response:
        async with httpx2.AsyncClient() as client:
            return await client.post(
                sqlite_served.url, content=content, headers={**headers, "content-encoding": encoding}
            )

    for encoding in ("gzip", "x-gzip", "GZIP"):
        assert (await ask(packed, encoding)).json() == {"data": TITLE}
    assert (await ask(body, "identity")).json() == {"data": TITLE}
    most = Settings().max_body_bytes
    for content, encoding, status in (
        (packed[:-1], "gzip", 400),
        (packed + packed, "gzip", 400),
        (body, "gzip", 400),
        (gzip.compress(b" " * (most + 1)), "gzip", 413),
        (body, "br", 415),
        (packed, "gzip, gzip", 415),
    ):
        refused = await ask(content, encoding)
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (status, "BAD_REQUEST")
        assert refused.headers.get("accept-encoding") == ("gzip" if status == 415 else None)


def test_a_bomb_is_inflated_no_further_than_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000), 1)
    tracemalloc.start()
    try:
        with pytest.raises(BadRequest) as refused:
            inflated(bomb, 100_000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413
    assert inflated(gzip.compress(b"x" * 100_000), 100_000) == b"x" * 100_000


@pytest.mark.parametrize("compresses", [True, False])
async def test_sockets_compress_where_the_setting_says_so(
    sqlite_library: Database, tmp_path: Any, clock: ManualClock, keys: Keys, compresses: bool
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'library.db'}", websocket_compression=compresses)
    app = create_app(
        settings, clock=clock, ids=CountingIds(), slices=SLICES, authenticator=lambda _: keys, contracts=()
    )
    async with (
        serving(app, settings) as served,
        connect(f"ws://127.0.0.1:{served.port}/graphql", subprotocols=[PROTOCOL], compression="deflate") as socket,
    ):
        assert bool(socket.protocol.extensions) is compresses

        async def exchange(**message: Any) -> Any:
            await socket.send(orjson.dumps(message).decode())
            async with asyncio.timeout(PATIENCE):
                return orjson.loads(await socket.recv())

        assert (await exchange(type="connection_init", payload=KEY))["type"] == "connection_ack"
        subscribe = {"id": "1", "type": "subscribe", "payload": {"query": TICKS, "variables": {"over": 0}}}
        await socket.send(orjson.dumps(subscribe).decode())
        await eventually(lambda: served.running == 1)
        await sqlite_library.command(tick, 1)
        async with asyncio.timeout(PATIENCE):
            item = orjson.loads(await socket.recv())
        assert item["payload"]["data"]["ticks"]["number"] == 1


def test_connections_are_kept_as_long_as_the_setting_says() -> None:
    assert server_config(None, Settings(keep_alive=70)).timeout_keep_alive == 70
