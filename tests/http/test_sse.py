"""GraphQL over Server-Sent Events, byte by byte, on the real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson
import pytest

from app.http.sse import prefers_stream, takes_stream
from app.storage.database import Database
from tests.kit.library import READER, tick
from tests.kit.library_server import BOOK, NUMBERS, TICKS, TITLE, Keys
from tests.live.test_connections import tell_of_user
from tests.serving import PATIENCE, Served, eventually

pytestmark = pytest.mark.anyio

STREAM = "text/event-stream"
JSON = "application/json"
HEADERS = {"authorization": "Bearer reader", "accept": STREAM}


class Stream:
    """A response read frame by frame; heartbeats are counted and passed over."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.beats = 0
        self._chunks = response.aiter_bytes()
        self._rest = b""

    async def frame(self) -> str:
        """The next frame without the empty line that ends it. Raises StopAsyncIteration at the end of the stream."""
        async with asyncio.timeout(PATIENCE):
            while True:
                head, separator, rest = self._rest.partition(b"\n\n")
                if not separator:
                    self._rest += await anext(self._chunks)
                    continue
                self._rest = rest
                if head != b":":
                    return head.decode()
                self.beats += 1

    async def data(self) -> Any:
        """The data of the next frame, which must be an answer without errors."""
        event, *_, data = (await self.frame()).split("\n")
        assert event == "event: next"
        return orjson.loads(data.removeprefix("data: "))["data"]


@asynccontextmanager
async def streaming(
    served: Served, query: str, variables: dict[str, Any] | None = None, /, **headers: str
) -> AsyncIterator[Stream]:
    """A stream on which the server listens: its first heartbeat has come."""
    async with httpx2.AsyncClient(headers=HEADERS | headers, timeout=PATIENCE) as client:
        content = {"query": query, "variables": variables}
        async with client.stream("POST", served.url, json=content) as response:
            assert response.status_code == 200
            yield Stream(response)


async def settled(served: Served) -> None:
    """The server listens on behalf of the stream that was opened."""
    await eventually(lambda: served.running == 1)


async def ask(served: Served, content: dict[str, Any], **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient(headers=HEADERS | headers, timeout=PATIENCE) as client:
        return await client.post(served.url, json=content)


async def test_a_subscription_is_a_stream_with_cursors(served: Served, library: Database) -> None:
    async with streaming(served, TICKS) as stream:
        headers = stream.response.headers
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert (headers["cache-control"], headers["x-accel-buffering"]) == ("private, no-store", "no")
        await settled(served)
        await library.command(tick, 1, 2)
        first = await stream.frame()
        event, place, data = first.split("\n")
        cursor = place.removeprefix("id: ")
        assert event == "event: next"
        assert orjson.loads(data.removeprefix("data: ")) == {"data": {"ticks": {"number": 1, "cursor": cursor}}}
        assert (await stream.data())["ticks"]["number"] == 2
    async with streaming(served, TICKS, **{"last-event-id": cursor}) as stream:
        assert (await stream.data())["ticks"]["number"] == 2
        await library.command(tick, 3)
        assert (await stream.data())["ticks"]["number"] == 3
    async with streaming(served, TICKS, {"after": cursor, "over": 2}) as stream:
        assert (await stream.data())["ticks"]["number"] == 3


async def test_heartbeats_show_that_the_stream_lives(sqlite_served: Served, sqlite_library: Database) -> None:
    async with streaming(sqlite_served, NUMBERS) as stream:
        await settled(sqlite_served)
        await asyncio.sleep(0.5)
        await sqlite_library.command(tick, 1)
        assert await stream.frame() == 'event: next\nid: AQEBE345DQ\ndata: {"data":{"ticks":{"number":1}}}'
        assert stream.beats >= 2


@pytest.mark.parametrize("accept", [STREAM, f"{STREAM}, {JSON};q=0.5"])
async def test_an_operation_with_one_answer_is_a_short_stream(sqlite_served: Served, accept: str) -> None:
    response = await ask(sqlite_served, {"query": BOOK}, accept=accept)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    data = orjson.dumps({"data": TITLE}).decode()
    assert response.text == f"event: next\ndata: {data}\n\nevent: complete\ndata:\n\n"


@pytest.mark.parametrize("accept", [JSON, "*/*", f"{JSON}, {STREAM}", f"{JSON}, {STREAM};q=0.9"])
async def test_who_does_not_prefer_a_stream_gets_json(sqlite_served: Served, accept: str) -> None:
    response = await ask(sqlite_served, {"query": BOOK}, accept=accept)
    assert (response.json(), response.headers["content-type"]) == ({"data": TITLE}, f"{JSON}; charset=utf-8")


async def test_a_subscription_is_a_stream_for_everyone_who_takes_one(sqlite_served: Served) -> None:
    async with streaming(sqlite_served, NUMBERS, accept=f"{JSON}, {STREAM}, multipart/mixed") as stream:
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    response = await ask(sqlite_served, {"query": NUMBERS}, accept=JSON)
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_SUPPORTED"


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (TICKS, {"over": "many"}, "BAD_USER_INPUT"),
        (TICKS, {"over": -1}, "INVALID_INPUT"),
        (TICKS, {"after": "x"}, "INVALID_CURSOR"),
    ],
)
async def test_errors_come_through_the_stream(
    sqlite_served: Served, query: str, variables: dict[str, Any], code: str
) -> None:
    response = await ask(sqlite_served, {"query": query, "variables": variables})
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    event, data, *end = response.text.split("\n")
    assert (event, end) == ("event: next", ["", "event: complete", "data:", "", ""])
    body = orjson.loads(data.removeprefix("data: "))
    assert [error["extensions"]["code"] for error in body["errors"]] == [code]


async def test_the_variables_of_a_subscription_are_short(sqlite_served: Served) -> None:
    frame, _ = (await ask(sqlite_served, {"query": TICKS, "variables": {"after": "x" * 65_536}})).text.split("\n\n", 1)
    (error,) = orjson.loads(frame.partition("data: ")[2])["errors"]
    assert error["message"] == "The variables of a subscription may have 65,536 bytes at most."
    assert error["extensions"]["code"] == "TOO_COMPLEX"


async def test_faults_of_the_request_have_a_status(sqlite_served: Served) -> None:
    assert (await ask(sqlite_served, {"query": NUMBERS}, authorization="Bearer nobody")).status_code == 401
    assert (await ask(sqlite_served, {"query": 1})).status_code == 400
    async with httpx2.AsyncClient(headers=HEADERS) as client:
        mutation = {"query": 'mutation { updateBook(input: {id: "boo_1", title: "New"}) { book { title } } }'}
        response = await client.get(f"{sqlite_served.url}?{urlencode(mutation)}")
        assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_a_get_can_subscribe(sqlite_served: Served, sqlite_library: Database) -> None:
    url = f"{sqlite_served.url}?{urlencode({'query': NUMBERS})}"
    async with httpx2.AsyncClient(headers=HEADERS, timeout=PATIENCE) as client, client.stream("GET", url) as response:
        stream = Stream(response)
        await settled(sqlite_served)
        await sqlite_library.command(tick, 1)
        assert await stream.data() == {"ticks": {"number": 1}}


async def test_a_head_holds_no_stream(sqlite_served: Served) -> None:
    async with httpx2.AsyncClient(headers=HEADERS, timeout=PATIENCE) as client:
        response = await client.head(f"{sqlite_served.url}?{urlencode({'query': NUMBERS})}")
        assert (response.status_code, response.content, sqlite_served.running) == (200, b"", 0)


async def test_who_may_listen_no_more_is_disconnected(served: Served, library: Database, keys: Keys) -> None:
    async with streaming(served, NUMBERS) as stream:
        await settled(served)
        await library.command(tick, 1)
        assert await stream.data() == {"ticks": {"number": 1}}
        del keys.known["reader"]
        await library.command(tell_of_user, READER.user_id)
        await library.command(tick, 2)
        # The end without `complete` has clients come back, and be told 401.
        with pytest.raises(StopAsyncIteration):
            await stream.frame()


async def test_a_key_that_ends_before_the_request_is_whole_gets_no_event(
    served: Served, library: Database, keys: Keys
) -> None:
    body = orjson.dumps({"query": NUMBERS})
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    head = f"POST /graphql HTTP/1.1\r\nhost: a\r\n{head}content-type: {JSON}\r\ncontent-length: {len(body)}\r\n\r\n"
    async with asyncio.timeout(PATIENCE), streaming(served, NUMBERS, authorization="Bearer admin") as other:
        await settled(served)
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head.encode() + body[:-1])
        await asyncio.sleep(0.2)  # the caller is known by now
        del keys.known["reader"]
        await library.command(tell_of_user, READER.user_id)
        await library.command(tick, 1)
        assert await other.data() == {"ticks": {"number": 1}}
        writer.write(body[-1:])
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        await library.command(tick, 2)
        assert b"number" not in await reader.readuntil(b"0\r\n\r\n")
        writer.close()


async def test_a_shutdown_ends_streams(sqlite_served: Served) -> None:
    async with streaming(sqlite_served, NUMBERS) as stream:
        await settled(sqlite_served)
        sqlite_served.stop()
        with pytest.raises(StopAsyncIteration):
            await stream.frame()
    await sqlite_served.stopped()


async def test_who_leaves_is_forgotten(sqlite_served: Served) -> None:
    connections = sqlite_served.server.lifespan.state["services"].connections
    async with streaming(sqlite_served, NUMBERS):
        await eventually(lambda: len(connections) == 1)
    await eventually(lambda: len(connections) == 0)


@pytest.mark.parametrize(
    ("accept", "takes", "prefers"),
    [
        ("", False, False),
        ("*/*", False, False),
        ("text/*", False, False),
        (STREAM, True, True),
        ("TEXT/Event-Stream", True, True),
        (f"{STREAM};q=0", False, False),
        (f"{STREAM}, {JSON}", True, False),
        (f"{STREAM}, {JSON};q=0.9", True, True),
        (f"{STREAM};q=0.5, application/graphql-response+json", True, False),
        (f"{STREAM}, */*;q=0.1", True, True),
    ],
)
def test_what_an_accept_header_says_of_streams(accept: str, takes: bool, prefers: bool) -> None:
    assert (takes_stream(accept), prefers_stream(accept)) == (takes, prefers)
