"""graphql-transport-ws, frame by frame, on the real server."""

import gc
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import orjson
import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from app.execution.outcome import GraphQLRequest
from app.http.handshake import FORMS
from app.storage.database import Database
from tests.kit.library import ADMIN, tick
from tests.kit.library_server import BOOK, KEY, LIMITS, NUMBERS, TICKS, TITLE, Keys
from tests.serving import PROTOCOL, Served, eventually

pytestmark = pytest.mark.anyio


async def test_queries_mutations_and_subscriptions_share_a_socket(served: Served, library: Database) -> None:
    async with served.socket(KEY) as socket:
        assert socket.connection.subprotocol == PROTOCOL
        await socket.listen("t", NUMBERS)
        await socket.subscribe("q", BOOK)
        assert await socket.take() == {"id": "q", "type": "next", "payload": {"data": TITLE}}
        assert await socket.take() == {"type": "complete", "id": "q"}
        update = 'mutation { updateBook(input: {id: "boo_1", title: "New"}) { book { title } } }'
        await socket.subscribe("m", update)
        assert await socket.data("m") == {"updateBook": {"book": {"title": "New"}}}
        assert await socket.take() == {"type": "complete", "id": "m"}
        await library.command(tick, 1, 2)
        assert await socket.data("t") == {"ticks": {"number": 1}}
        assert await socket.data("t") == {"ticks": {"number": 2}}
        await socket.send(id="t", type="complete")
        await socket.send(type="ping", payload={"n": 1})
        assert await socket.take() == {"type": "pong", "payload": {"n": 1}}
        await library.command(tick, 3)
        assert await socket.silent()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("[]", 4400),
        ("{", 4400),
        ("null", 4400),
        ("{}", 4400),
        ('{"type": 1}', 4400),
        ('{"type": "start", "id": "1"}', 4400),
        ('{"type": "connection_ack"}', 4400),
        ('{"type": "ping", "payload": 1}', 4400),
        ('{"type": "subscribe", "payload": {"query": "{__typename}"}}', 4400),
        ('{"type": "subscribe", "id": "", "payload": {"query": "{__typename}"}}', 4400),
        ('{"type": "subscribe", "id": 1, "payload": {"query": "{__typename}"}}', 4400),
        ('{"type": "complete"}', 4400),
        ('{"type": "ping", "payload": {"a": ' + "[" * 101 + "]" * 101 + "}}", 4400),
        ('{"type": "connection_init"}', 4429),
        ("[" * 5_000, 4400),
        ("x" * 20_001, 1009),
        (b'{"type": "ping"}', 4400),
    ],
)
async def test_a_message_that_breaks_the_protocol_closes_the_socket(
    sqlite_served: Served, message: str | bytes, code: int
) -> None:
    async with sqlite_served.socket(KEY) as socket:
        await socket.connection.send(message)
        assert (await socket.closed())[0] == code


async def test_an_id_is_used_once_at_a_time(sqlite_served: Served) -> None:
    async with sqlite_served.socket(KEY) as socket:
        await socket.subscribe("1", TICKS)
        await socket.send(id="1", type="complete")
        await socket.subscribe("1", TICKS)
        await socket.subscribe("1", TICKS)
        assert await socket.closed() == (4409, "Subscriber for 1 already exists")


async def test_who_does_not_begin_with_a_key_is_turned_away(sqlite_served: Served) -> None:
    for message in ({"type": "subscribe", "id": "1", "payload": {"query": BOOK}}, {"type": "complete", "id": "1"}):
        async with sqlite_served.socket(begin=False) as socket:
            await socket.send(**message)
            assert await socket.closed() == (4401, "Unauthorized: connection_init comes first")
    unknown = "Unauthorized: This key is not valid."
    for init, says in (
        ({}, FORMS),
        ({"payload": {"authorization": 5}}, FORMS),
        ({"payload": {"authorization": "Bearer nobody"}}, unknown),
    ):
        async with sqlite_served.socket(begin=False) as socket:
            await socket.send(type="connection_init", **init)
            assert await socket.closed() == (4401, says)
    async with sqlite_served.socket(begin=False) as socket:
        assert await socket.closed() == (4408, "Connection initialisation timeout")


@pytest.mark.parametrize(
    "init",
    [
        {"x-api-key": "admin"},
        {"X-API-Key": "admin"},
        {"authorization": "bearer admin"},
        {"headers": {"Authorization": "Bearer admin"}},
        {"headers": {"x-api-key": "admin"}, "other": 1},
        {"headers": {"x-api-key": "nobody"}, "x-api-key": "admin"},
    ],
)
async def test_the_key_comes_in_the_first_message(sqlite_served: Served, init: dict[str, str]) -> None:
    async with sqlite_served.socket(begin=False) as socket:
        await socket.send(type="ping")
        assert await socket.take() == {"type": "pong"}
        await socket.send(type="connection_init", payload=init)
        assert await socket.take() == {"type": "connection_ack"}


async def test_or_in_the_header_of_the_upgrade(sqlite_served: Served) -> None:
    async with sqlite_served.socket(begin=False, additional_headers=KEY) as socket:
        await socket.send(type="connection_init")
        assert await socket.take() == {"type": "connection_ack"}


async def test_other_protocols_are_not_spoken(sqlite_served: Served) -> None:
    for protocols in ([], [Subprotocol("graphql-ws")]):
        async with sqlite_served.socket(begin=False, subprotocols=protocols or None) as socket:
            assert (await socket.closed())[0] == 4406


async def test_only_pages_of_allowed_origins_may_connect(sqlite_served: Served) -> None:
    own = f"http://127.0.0.1:{sqlite_served.port}"
    for origin in (own, "https://ui.example", "https://UI.example/"):
        async with sqlite_served.socket(KEY, origin=origin) as socket:
            await socket.subscribe("1", BOOK)
            assert await socket.data("1") == TITLE
    for origin in ("https://evil.example", "null", "https://ui.example.evil.example", "http://127.0.0.1:1"):
        async with sqlite_served.socket(begin=False, origin=origin) as socket:
            # A code after which no client comes back by itself, with a reason that a browser shows to the page.
            told = f"Origin {origin} is not in SWITCHBOARD_ALLOWED_ORIGINS; another port is another origin"
            assert await socket.closed() == (4400, told)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "subscription { nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "subscription { __typename }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "subscription { a: ticks { number } b: ticks { number } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": TICKS, "variables": {"over": "many"}}, "BAD_USER_INPUT"),
        ({"query": TICKS, "variables": {"over": -1}}, "INVALID_INPUT"),
        ({"query": TICKS, "variables": {"after": "x"}}, "INVALID_CURSOR"),
        ({"query": TICKS, "operationName": "Other"}, "OPERATION_RESOLUTION_FAILURE"),
        ({}, "BAD_REQUEST"),
        (None, "BAD_REQUEST"),
        ([], "BAD_REQUEST"),
        ({"query": 1}, "BAD_REQUEST"),
        ({"query": "", "variables": []}, "BAD_REQUEST"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"query": "", "extensions": {"persistedQuery": {}}}, "BAD_REQUEST"),
        ({"query": TICKS, "variables": {"after": orjson.loads("[" * 101 + "]" * 101)}}, "TOO_COMPLEX"),
    ],
)
async def test_a_bad_operation_fails_alone(
    sqlite_served: Served, sqlite_library: Database, payload: Any, code: str
) -> None:
    async with sqlite_served.socket(KEY) as socket:
        await socket.listen("good", NUMBERS)
        await socket.send(id="bad", type="subscribe", payload=payload)
        failed = await socket.take()
        assert (failed["id"], failed["type"]) == ("bad", "error")
        assert [error["extensions"]["code"] for error in failed["payload"]] == [code]
        await sqlite_library.command(tick, 1)
        assert await socket.data("good") == {"ticks": {"number": 1}}
        # Its id is free again.
        await socket.subscribe("bad", BOOK)
        assert await socket.data("bad") == TITLE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # Half an emoji, of a text that was cut between its halves.
        (
            r'{"id":"bad","type":"subscribe","payload":{"query":"{ __typename }","variables":{"a":"\ud83d"}}}',
            "BAD_REQUEST",
        ),
        ('{"type": "subscribe", "id": "bad", "payload": {"query": "{", "variables": {"a": NaN}}}', "BAD_REQUEST"),
        ('{"id":"bad","payload":{"query":"{","variables":{"a":1e400}},"type":"subscribe"}', "BAD_REQUEST"),
        ('{"payload":{"query":"{","variables":{"a":-Infinity}}, "id":"bad" ,"type":"subscribe"} ', "BAD_REQUEST"),
        ('{"id":"bad","type":"subscribe","payload":' + "[" * 2_000 + "]" * 2_000 + "}", "TOO_COMPLEX"),
    ],
)
async def test_an_operation_that_cannot_be_read_fails_alone(
    sqlite_served: Served, sqlite_library: Database, text: str, code: str
) -> None:
    async with sqlite_served.socket(KEY) as socket:
        await socket.listen("good", NUMBERS)
        await socket.connection.send(text)
        failed = await socket.take()
        assert (failed["id"], failed["type"]) == ("bad", "error")
        assert [error["extensions"]["code"] for error in failed["payload"]] == [code]
        await sqlite_library.command(tick, 1)
        assert await socket.data("good") == {"ticks": {"number": 1}}
        # One that runs has its id.
        await socket.connection.send(text.replace("bad", "good"))
        assert (await socket.closed())[0] == 4409


async def test_a_socket_has_so_many_operations_at_once(sqlite_served: Served, sqlite_library: Database) -> None:
    async with sqlite_served.socket(KEY) as socket:
        for number in range(6):
            await socket.subscribe(str(number), TICKS)
        failed = await socket.take()
        assert (failed["id"], failed["type"]) == ("5", "error")
        assert failed["payload"][0]["extensions"]["code"] == "TOO_COMPLEX"
        await eventually(lambda: sqlite_served.running == 5)
        await sqlite_library.command(tick, 1)
        assert sorted([(await socket.take())["id"] for _ in range(5)]) == ["0", "1", "2", "3", "4"]


async def test_what_a_subscription_was_asked_with_is_not_held_while_it_lasts(sqlite_served: Served) -> None:
    query = "subscription OfThisTest { ticks { number } }"

    def held() -> bool:
        return any(type(each) is GraphQLRequest and each.query == query for each in gc.get_objects())

    async with sqlite_served.socket(KEY) as socket:
        await socket.listen("1", query)
        await eventually(lambda: not held())


async def test_plans_of_subscriptions_are_kept_by_how_large_they_are(sqlite_served: Served) -> None:
    plans = sqlite_served.server.lifespan.state["services"].operations.documents.plans
    fields = " ".join(f"f{number}: title" for number in range(190))
    async with sqlite_served.socket(KEY) as socket:
        for number in range(3):
            await socket.listen(str(number), f"subscription S{number} {{ ticks {{ book {{ {fields} }} }} }}")
    # Each has 190, two around them, and 10 for the plan itself.
    assert plans.weight == 3 * 202


async def test_a_client_that_is_silent_is_asked_for_a_sign_of_life(sqlite_served: Served) -> None:
    async with sqlite_served.socket(KEY) as socket:
        assert await socket.take(pings=True) == {"type": "ping"}
        await socket.send(type="pong")
        assert await socket.take(pings=True) == {"type": "ping"}


async def test_sockets_of_one_user_are_bounded(sqlite_served: Served, keys: Keys) -> None:
    keys.known["second"] = ADMIN
    async with AsyncExitStack() as open_ones:
        for number in range(LIMITS.sockets):
            init = {"x-api-key": ("admin", "second")[number % 2]}
            await open_ones.enter_async_context(sqlite_served.socket(init))
        async with sqlite_served.socket(begin=False) as socket:
            await socket.send(type="connection_init", payload={"x-api-key": "admin"})
            # Before the acknowledgement, after which clients begin again with the shortest pause.
            assert await socket.closed() == (1013, f"This user has {LIMITS.sockets} sockets and streams open")
        async with sqlite_served.socket({"x-api-key": "reader"}) as socket:
            await socket.subscribe("1", BOOK)
            assert await socket.data("1") == TITLE
        async with httpx2.AsyncClient(headers=KEY | {"accept": "text/event-stream"}) as client:
            refused = await client.post(sqlite_served.url, json={"query": NUMBERS})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert refused.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 5}
    places = sqlite_served.server.lifespan.state["services"].connections.sockets
    await eventually(lambda: places.taken == 0)
    async with sqlite_served.socket(KEY):
        pass


async def test_subscriptions_of_one_user_are_bounded(sqlite_served: Served) -> None:
    async with sqlite_served.socket(KEY) as first, sqlite_served.socket(KEY) as second:
        for number in range(LIMITS.subscriptions):
            await (first, second)[number % 2].listen(str(number), NUMBERS)
        await second.subscribe("more", NUMBERS)
        refused = await second.take()
        assert (refused["type"], refused["id"]) == ("error", "more")
        assert refused["payload"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 5}
        async with sqlite_served.socket({"x-api-key": "reader"}) as other:
            await other.listen("1", NUMBERS)
        # The place of one that ends is free again.
        await first.send(id="0", type="complete")
        await eventually(lambda: sqlite_served.running == LIMITS.subscriptions - 1)
        await second.listen("more", NUMBERS)


async def test_subscriptions_that_are_refused_hold_no_place(sqlite_served: Served) -> None:
    async with sqlite_served.socket(KEY) as socket:
        for number in range(LIMITS.subscriptions + 1):
            await socket.subscribe(str(number), TICKS, over=-1)
            assert (await socket.take())["payload"][0]["extensions"]["code"] == "INVALID_INPUT"
        await socket.listen("1", TICKS)


async def test_sockets_without_a_key_are_bounded(sqlite_served: Served) -> None:
    places = sqlite_served.server.lifespan.state["services"].connections.strangers
    async with AsyncExitStack() as open_ones:
        # Those that have shown their key do not count.
        await open_ones.enter_async_context(sqlite_served.socket(KEY))
        await eventually(lambda: places.taken == 0)
        waiting = [
            await open_ones.enter_async_context(sqlite_served.socket(begin=False)) for _ in range(LIMITS.strangers)
        ]
        with pytest.raises(InvalidStatus) as refused:
            async with sqlite_served.socket(begin=False):
                pass
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["retry-after"] == "5"
        # They are let go when their time is over.
        for socket in waiting:
            assert (await socket.closed())[0] == 4408
    await eventually(lambda: places.taken == 0)
    async with sqlite_served.socket(KEY):
        pass
