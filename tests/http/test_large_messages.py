"""Messages of WebSockets that are too large to be parsed on the loop."""

from types import SimpleNamespace

import orjson
import pytest

from app.core import json_input
from app.execution.compiling import Compiling
from tests.kit.library_server import BOOK, KEY, NUMBERS, TITLE
from tests.serving import Served

pytestmark = pytest.mark.anyio

LARGE = 2_000


@pytest.fixture(autouse=True)
def soon_large(sqlite_served: Served) -> None:
    sqlite_served.limit(large_bytes=LARGE, message_bytes=200_000)


def compiling_of(served: Served) -> Compiling:
    found: Compiling = served.server.lifespan.state["services"].operations.compiling
    return found


async def test_large_message_is_parsed_beside_the_loop_and_in_order(sqlite_served: Served) -> None:
    async with sqlite_served.socket(KEY) as socket:
        await socket.subscribe("known", BOOK)
        assert await socket.data("known") == TITLE
        assert await socket.take() == {"type": "complete", "id": "known"}
        before = compiling_of(sqlite_served).done
        await socket.send(type="ping", payload={"n": 1, "x": "x" * LARGE})
        await socket.send(type="ping", payload={"n": 2})
        await socket.subscribe("1", BOOK, more="x" * LARGE)
        await socket.send(type="ping", payload={"n": 3})
        assert (await socket.take())["payload"]["n"] == 1
        assert (await socket.take())["payload"]["n"] == 2
        assert {(await socket.take())["type"] for _ in range(3)} == {"next", "complete", "pong"}
        assert compiling_of(sqlite_served).done == before + 2


@pytest.mark.parametrize(
    "text", ["{" + "x" * LARGE, '{"type":"ping","payload":{"a":' + "[" * LARGE + "]" * LARGE + "}}"]
)
async def test_large_message_that_is_wrong_closes_its_socket(sqlite_served: Served, text: str) -> None:
    async with sqlite_served.socket(KEY) as socket:
        await socket.connection.send(text)
        assert (await socket.closed())[0] == 4400


async def test_large_message_of_a_user_without_a_share_closes_its_socket(sqlite_served: Served) -> None:
    async with sqlite_served.socket(KEY) as socket, sqlite_served.socket({"authorization": "Bearer reader"}) as other:
        services = sqlite_served.server.lifespan.state["services"]
        caller = (await services.keys.actor_of("admin")).caller
        compiling_of(sqlite_served).charge(caller, 3_600)
        await socket.send(type="ping", payload={"n": 1})
        assert await socket.take() == {"type": "pong", "payload": {"n": 1}}
        await socket.send(type="ping", payload={"x": "x" * LARGE})
        assert (await socket.closed())[0] == 1013
        await other.send(type="ping", payload={"x": "x" * LARGE})
        assert (await other.take())["type"] == "pong"


async def test_large_operation_of_a_user_without_a_share_fails_alone(sqlite_served: Served) -> None:
    async with sqlite_served.socket(KEY) as socket:
        services = sqlite_served.server.lifespan.state["services"]
        caller = (await services.keys.actor_of("admin")).caller
        await socket.listen("good", NUMBERS)
        compiling_of(sqlite_served).charge(caller, 3_600)
        # A close would have its client come back and send the same again.
        await socket.subscribe("large", BOOK, more="x" * LARGE)
        failed = await socket.take()
        assert (failed["id"], failed["type"]) == ("large", "error")
        (error,) = failed["payload"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert error["extensions"]["retryAfter"] > 0
        await socket.send(type="ping")
        assert await socket.take() == {"type": "pong"}
        assert sqlite_served.running == 1


async def test_large_message_before_the_key_closes_the_socket(sqlite_served: Served) -> None:
    async with sqlite_served.socket(begin=False) as socket:
        await socket.send(type="connection_init", payload={**KEY, "x": "x" * LARGE})
        assert (await socket.closed())[0] == 1009


MANY = ",".join(f'"u{number}":1' for number in range(json_input.MOST_VALUES + 1))
PAYLOAD = f'"payload":{{"query":"{{ __typename }}","variables":{{{MANY}}}}}'


@pytest.mark.parametrize(
    ("head", "end"),
    [
        ('{"id":"a\\"b","type":"subscribe",', "}"),
        ('{"type":"subscribe","id":"a\\"b",', "}"),
        (' { "id" : "a\\u0022b" , ', "}"),
        ("{", ',"id":"a\\"b","type":"subscribe"}'),
        ("{", ' , "type" : "subscribe" , "id" : "a\\u0022b" } '),
    ],
)
async def test_operation_with_too_many_values_is_refused_and_not_parsed(
    sqlite_served: Served, monkeypatch: pytest.MonkeyPatch, head: str, end: str
) -> None:
    lengths = list[int]()
    loads = orjson.loads

    def noted(text: str) -> object:
        lengths.append(len(text))
        return loads(text)

    async with sqlite_served.socket(KEY) as socket:
        await socket.listen("good", NUMBERS)
        monkeypatch.setattr(json_input, "orjson", SimpleNamespace(loads=noted, JSONDecodeError=orjson.JSONDecodeError))
        await socket.connection.send(head + PAYLOAD + end)
        failed = await socket.take()
        assert (failed["id"], failed["type"]) == ('a"b', "error")
        (error,) = failed["payload"]
        assert error["extensions"]["code"] == "TOO_COMPLEX"
        assert max(lengths) < 20
        # Its id is free, and the socket goes on.
        await socket.subscribe('a"b', BOOK)
        assert await socket.data('a"b') == TITLE


@pytest.mark.parametrize(
    "text",
    [
        "{" + PAYLOAD + ',"id":"1","type":"ping"}',
        '{"type":"subscribe",' + PAYLOAD + "}",
        '{"id":"1","type":"ping",' + PAYLOAD + "}",
        '{"id":1,"type":"subscribe",' + PAYLOAD + "}",
        '{"id":"' + "x" * 3_000 + '","type":"subscribe",' + PAYLOAD + "}",
    ],
)
async def test_message_with_too_many_values_of_no_operation_closes_its_socket(sqlite_served: Served, text: str) -> None:
    async with sqlite_served.socket(KEY) as socket:
        await socket.connection.send(text)
        code, reason = await socket.closed()
        assert code == 4400
        assert "too many values" in reason
