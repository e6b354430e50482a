import gc
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson
import pytest

from app.asgi import create_app
from app.core.actor import Actor
from app.core.errors import Unavailable
from app.http.graphql_http import read_json
from app.http.negotiation import negotiate, prefers_page
from app.rest.errors import BadRequest
from app.settings import Settings
from app.storage.database import open_database
from tests.conftest import CountingIds, ManualClock
from tests.kit.library import ADMIN, READER, SLICES, fill

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
BOOK = '{ book(id: "boo_1") { title } }'
TITLE = {"data": {"book": {"title": "The Dispossessed"}}}


class Keys:
    async def actor_of(self, key: str) -> Actor | None:
        if key == "later":
            raise Unavailable("The database cannot be reached.")
        if key == "broken":
            raise RuntimeError("secret detail")
        return {"admin": ADMIN, "reader": READER}.get(key)


@pytest.fixture(scope="module")
async def lasting_client(module_database_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """For all tests of the module: none of them changes anything."""
    clock = ManualClock()
    settings = Settings(
        database_url=module_database_url,
        max_body_bytes=2_000,
        max_document_bytes=1_000,
        allowed_origins=("https://ui.example",),
        allowed_headers=("X-Ours",),
    )
    app = create_app(settings, clock=clock, ids=CountingIds(), slices=SLICES, authenticator=lambda _: Keys())
    database = await open_database(module_database_url, clock=clock, ids=CountingIds(), settings=settings)
    await database.command(fill)
    await database.close()
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx2.ASGITransport(with_state)
        headers = {"authorization": "Bearer admin", "accept": GRAPHQL}
        async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as opened:
            yield opened


@pytest.fixture
async def client(lasting_client: httpx2.AsyncClient) -> AsyncIterator[httpx2.AsyncClient]:
    """A client whose requests must leave the books as they are."""
    yield lasting_client
    found = await lasting_client.post("/graphql", json={"query": "{ books { nodes { title version } } }"})
    titles = ("The Dispossessed", "Steering the Craft", "Invisible Cities")
    assert found.json()["data"]["books"]["nodes"] == [{"title": title, "version": 1} for title in titles]


def code_of(response: httpx2.Response) -> str:
    body = response.json()
    assert list(body) == ["errors"]
    code: str = body["errors"][0]["extensions"]["code"]
    return code


async def test_post_and_get(client: httpx2.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": BOOK})
    assert (response.status_code, response.json()) == (200, TITLE)
    assert response.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    query = "query A { __typename } query B($id: ID!) { book(id: $id) { title } }"
    parameters = {"query": query, "operationName": "B", "variables": '{"id": "boo_1"}', "extensions": "{}"}
    response = await client.get("/graphql?" + urlencode(parameters))
    assert (response.status_code, response.json()) == (200, TITLE)
    response = await client.head("/graphql?" + urlencode(parameters))
    assert (response.status_code, response.content) == (200, b"")


async def test_cache_that_is_shared_keeps_no_answer(client: httpx2.AsyncClient) -> None:
    for path in ("/graphql?query=%7B__typename%7D", "/graphql?query=%7B"):
        for key in ("Bearer admin", "Bearer nobody"):
            response = await client.get(path, headers={"authorization": key})
            assert response.headers["cache-control"] == "private, no-store"
            assert response.headers["vary"] == "Accept, Accept-Encoding, Authorization, X-API-Key"


def by_hash(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}


async def test_persisted_query_is_found_by_its_hash_once_it_came_with_it(client: httpx2.AsyncClient) -> None:
    entry = {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
    hashed = {"extensions": by_hash(BOOK)}
    in_address = {"extensions": orjson.dumps(by_hash(BOOK)).decode()}
    for accept in ("application/json", "application/graphql-response+json"):
        for without in ({}, {"query": None}, {"query": ""}):
            response = await client.post("/graphql", json={**hashed, **without}, headers={"accept": accept})
            assert (response.status_code, response.json()) == (200, {"errors": [entry]})
    response = await client.get("/graphql", params=in_address)
    assert (response.status_code, response.json()) == (200, {"errors": [entry]})
    response = await client.post("/graphql", json={"query": BOOK, **hashed})
    assert response.json() == TITLE
    for without in ({}, {"query": None}, {"query": ""}):
        assert (await client.post("/graphql", json={**hashed, **without})).json() == TITLE
    assert (await client.get("/graphql", params=in_address)).json() == TITLE
    # Of another caller it is not known.
    other = await client.post("/graphql", json=hashed, headers={"authorization": "Bearer reader"})
    assert other.json() == {"errors": [entry]}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"query": BOOK, "extensions": by_hash("{ x }")}, "The hash is not that of the query."),
        ({"extensions": {"persistedQuery": {}}}, "persistedQuery has the version 1 and"),
        ({"extensions": {"persistedQuery": None}}, "persistedQuery has the version 1 and"),
        ({"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}}}, "persistedQuery has the version"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "A" * 64}}}, "persistedQuery has the version"),
        ({"documentId": 5}, "documentId has to be sha256: and"),
        ({"documentId": "md5:" + "0" * 64}, "documentId has to be sha256: and"),
        ({"documentId": "sha256:" + "0" * 64, "query": BOOK}, "A request has a documentId or a query, not both."),
    ],
)
async def test_document_that_is_named_wrongly_is_refused(
    client: httpx2.AsyncClient, given: dict[str, Any], says: str
) -> None:
    accept = {"accept": "application/graphql-response+json"}
    response = await client.post("/graphql", json=given, headers=accept)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert error["message"].startswith(says)


async def test_document_that_nobody_has_added_has_no_id(client: httpx2.AsyncClient) -> None:
    document_id = "sha256:" + hashlib.sha256(BOOK.encode()).hexdigest()
    await client.post("/graphql", json={"query": BOOK, "extensions": by_hash(BOOK)})
    response = await client.post("/graphql", json={"documentId": document_id})
    (error,) = response.json()["errors"]
    assert (error["extensions"]["code"], document_id in error["message"]) == ("UNKNOWN_DOCUMENT", True)


@pytest.mark.parametrize("null", [{}, {"variables": None, "operationName": None, "extensions": None}])
async def test_null_is_the_same_as_absent(client: httpx2.AsyncClient, null: dict[str, None]) -> None:
    response = await client.post("/graphql", json={"query": BOOK, **null})
    assert (response.status_code, response.json()) == (200, TITLE)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query ($n: Int!) { authors(first: $n) { totalCount } }"}, "BAD_USER_INPUT"),
        ({"query": BOOK, "operationName": "X"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "# " + "x" * 1_000 + "\n{ __typename }"}, "TOO_COMPLEX"),
    ],
)
async def test_a_document_that_cannot_be_run(client: httpx2.AsyncClient, body: dict[str, Any], code: str) -> None:
    response = await client.post("/graphql", json=body)
    assert (response.status_code, code_of(response)) == (400, code)
    # The older media type keeps other statuses for what stands between client and server.
    response = await client.post("/graphql", json=body, headers={"accept": JSON})
    assert (response.status_code, code_of(response)) == (200, code)
    assert response.headers["content-type"] == f"{JSON}; charset=utf-8"


async def test_errors_of_execution_are_an_answer(client: httpx2.AsyncClient) -> None:
    response = await client.post(
        "/graphql", json={"query": '{ secret(id: "boo_1") { id } }'}, headers={"x-api-key": "x"}
    )
    assert response.status_code == 200
    headers = {"authorization": "Bearer reader"}
    response = await client.post("/graphql", json={"query": '{ secret(id: "boo_1") { id } }'}, headers=headers)
    assert (response.status_code, response.json()["data"]) == (200, {"secret": None})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nope",
        b"\xff\xfe",
        b'"\\ud800"',
        b'{"query": "\xc3"}',
        b"1",
        b'"query"',
        b"null",
        b"true",
        b"[]",
        b'[{"query": "{ __typename }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ["a"]}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "variables": "{}"}',
        b'{"query": "{ __typename }", "operationName": 1}',
        b'{"query": "{ __typename }", "extensions": "x"}',
    ],
)
async def test_a_malformed_body_is_a_bad_request(client: httpx2.AsyncClient, body: bytes) -> None:
    for accept in (GRAPHQL, JSON):
        response = await client.post("/graphql", content=body, headers={"content-type": JSON, "accept": accept})
        assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")
        assert response.headers["content-type"] == f"{accept}; charset=utf-8"


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("depth", [101, 900])
async def test_json_over_a_bound_is_refused_however_it_comes(client: httpx2.AsyncClient, depth: int) -> None:
    text = f'{{"query": "{{ __typename }}", "variables": {{"a": {nested(depth)}}}}}'
    for accept in (GRAPHQL, JSON, "text/event-stream"):
        headers = {"content-type": JSON, "accept": accept}
        for response in (
            await client.post("/graphql", content=text, headers=headers),
            await client.get(f"/graphql?query={{__typename}}&variables={nested(depth)}", headers=headers),
        ):
            assert (response.status_code, code_of(response)) == (400, "TOO_COMPLEX")


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=%ff",
        "query={__typename}&variables={",
        "query={__typename}&variables=[]",
        "query=a&query=b",
        "query={__typename}&operationName=a&operationName=b",
        "&".join(f"a{i}=" for i in range(60)),
    ],
)
async def test_a_malformed_query_string_is_a_bad_request(client: httpx2.AsyncClient, query_string: str) -> None:
    response = await client.get(f"/graphql?{query_string}")
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": ""}, 415),
        ({"content-type": f"{JSON}; charset=latin-1"}, 415),
        ({"content-type": JSON, "content-encoding": "br"}, 415),
        ({"content-type": f"{JSON}; charset=UTF-8"}, 200),
        ({"content-type": "Application/JSON"}, 200),
        ({"content-type": JSON, "accept": "text/csv"}, 406),
    ],
)
async def test_media_types(client: httpx2.AsyncClient, headers: dict[str, str], status: int) -> None:
    response = await client.post("/graphql", content=b'{"query": "{ __typename }"}', headers=headers)
    assert response.status_code == status
    assert status == 200 or code_of(response) == "BAD_REQUEST"


async def test_other_methods_and_mutations_by_get_are_not_allowed(client: httpx2.AsyncClient) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        response = await client.request(method, "/graphql")
        assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
    mutation = 'mutation { updateBook(input: {id: "boo_1", title: "T"}) { book { id } } }'
    response = await client.get("/graphql", params={"query": mutation})
    assert (response.status_code, response.headers["allow"], code_of(response)) == (405, "POST", "NOT_SUPPORTED")
    assert (await client.post("/graphql", json={"query": BOOK})).json() == TITLE


async def test_a_body_over_the_limit_is_refused(client: httpx2.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1_000

    for content in (b"x" * 2_001, chunks()):
        response = await client.post("/graphql", content=content, headers={"content-type": JSON})
        assert (response.status_code, code_of(response)) == (413, "BAD_REQUEST")


@pytest.mark.parametrize(
    "headers", [{"authorization": ""}, {"authorization": "Bearer no"}, {"authorization": "Basic admin"}]
)
async def test_without_a_valid_key_nothing_is_answered(client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    for response in (
        await client.post("/graphql", json={"query": BOOK}, headers=headers),
        await client.get("/graphql", params={"query": "{ __typename }"}, headers=headers),
    ):
        assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
@pytest.mark.parametrize(
    ("key", "status", "code", "message"),
    [
        ("later", 503, "UNAVAILABLE", "The database cannot be reached."),
        ("broken", 500, "INTERNAL", "Something went wrong on our side."),
    ],
)
async def test_who_cannot_be_recognised_gets_an_answer_of_the_same_form(
    client: httpx2.AsyncClient, accept: str, key: str, status: int, code: str, message: str
) -> None:
    headers = {"authorization": f"Bearer {key}", "accept": accept}
    response = await client.post("/graphql", json={"query": BOOK}, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (status, f"{accept}; charset=utf-8")
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": code}}]}


async def test_of_a_header_without_end_only_the_start_is_kept(client: httpx2.AsyncClient) -> None:
    negotiate.cache_clear()
    for number in range(3):
        accept = f"{JSON}, " + f"text/x{number}, " * 10_000
        assert (await client.post("/graphql", json={"query": BOOK}, headers={"accept": accept})).json() == TITLE
    known = {"accept": JSON + ", " + "a" * 10_000}, {"accept": JSON + ", " + "a" * 20_000}
    before = negotiate.cache_info().misses
    for headers in known:
        assert (await client.post("/graphql", json={"query": BOOK}, headers=headers)).json() == TITLE
    assert negotiate.cache_info().misses == before + 1


async def test_a_key_in_x_api_key(client: httpx2.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": BOOK}, headers={"authorization": "", "x-api-key": "reader"})
    assert response.json() == TITLE


async def test_a_browser_gets_the_page_without_a_key(client: httpx2.AsyncClient) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    response = await client.get("/graphql", headers={"accept": accept, "authorization": ""})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Switchboard" in response.text


async def test_every_answer_has_a_request_id(client: httpx2.AsyncClient) -> None:
    response = await client.get("/healthz", headers={"x-request-id": "abc-1"})
    assert (response.json(), response.headers["x-request-id"]) == ({"status": "up"}, "abc-1")
    for given in ("", "a" * 65, "a b"):
        response = await client.get("/healthz", headers={"x-request-id": given})
        assert response.headers["x-request-id"].startswith("00000000-0000-7000-8000-")


@pytest.mark.both_databases
async def test_readiness_is_that_of_the_database(client: httpx2.AsyncClient) -> None:
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "ready"
    for path in ("/readyz", "/healthz"):
        assert (await client.get(path)).headers["cache-control"] == "no-store"


async def test_pages_of_allowed_origins_may_call(client: httpx2.AsyncClient) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    response = await client.options("/graphql", headers={"origin": "https://ui.example", **asked})
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, "https://ui.example")
    # A page from outside may ask a server of its own house.
    private = {"access-control-request-private-network": "true"}
    response = await client.options("/graphql", headers={"origin": "https://ui.example", **asked, **private})
    assert (response.status_code, response.headers["access-control-allow-private-network"]) == (200, "true")
    response = await client.options("/graphql", headers={"origin": "https://evil.example", **asked})
    assert "access-control-allow-origin" not in response.headers
    told = "Origin https://evil.example is not in SWITCHBOARD_ALLOWED_ORIGINS; another port is another origin."
    assert (response.status_code, response.text) == (400, told)


SENT_BY_CLIENTS = (
    # The five APIs.
    "Authorization",
    "Content-Type",
    "Content-Encoding",
    "Idempotency-Key",
    "If-Unmodified-Since",
    "Last-Event-ID",
    "X-API-Key",
    "X-Request-ID",
    "X-Requested-With",
    "SO-AppToken",
    "SO-Culture",
    "SO-Language",
    "SO-TimeZone",
    # Tracing: W3C, Zipkin, Sentry, Datadog, New Relic.
    "Traceparent",
    "Tracestate",
    "Baggage",
    "B3",
    "X-B3-TraceId",
    "X-B3-SpanId",
    "X-B3-ParentSpanId",
    "X-B3-Sampled",
    "X-B3-Flags",
    "Sentry-Trace",
    "X-Datadog-Origin",
    "X-Datadog-Parent-Id",
    "X-Datadog-Sampling-Priority",
    "X-Datadog-Tags",
    "X-Datadog-Trace-Id",
    "NewRelic",
    # Clients that name themselves and their operations.
    "Apollo-Require-Preflight",
    "ApolloGraphQL-Client-Name",
    "ApolloGraphQL-Client-Version",
    "GraphQL-Client-Name",
    "GraphQL-Client-Version",
    "X-GraphQL-Client-Name",
    "X-GraphQL-Client-Version",
    "X-Apollo-Operation-Name",
    "X-Apollo-Operation-Id",
)


async def test_pages_of_allowed_origins_may_send_the_headers_of_our_clients(client: httpx2.AsyncClient) -> None:
    asked = {"origin": "https://ui.example", "access-control-request-method": "POST"}
    for header in (*SENT_BY_CLIENTS, "X-Ours"):
        response = await client.options("/graphql", headers={**asked, "access-control-request-headers": header.lower()})
        assert (response.status_code, header in response.headers["access-control-allow-headers"]) == (200, True), header
    response = await client.options("/graphql", headers={**asked, "access-control-request-headers": "x-other"})
    assert (response.status_code, "SWITCHBOARD_ALLOWED_HEADERS" in response.text) == (400, True)


async def test_pages_of_allowed_origins_may_read_what_a_refusal_says(client: httpx2.AsyncClient) -> None:
    response = await client.put("/graphql", headers={"origin": "https://ui.example"})
    assert response.status_code == 405
    exposed = response.headers["access-control-expose-headers"]
    assert exposed == "Allow, Retry-After, WWW-Authenticate, X-Request-ID"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};charset=utf-8, */*;q=0.1", GRAPHQL),
        (f"{GRAPHQL};charset=latin-1, {JSON}", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{JSON};q=x", None),
        ("text/html", None),
        ("*/*;q=0", None),
    ],
)
def test_the_media_type_of_the_answer(accept: str, media_type: str | None) -> None:
    assert negotiate(accept) == media_type


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("*/*", False),
        ("", False),
        (f"{JSON}, text/html;q=0.5", False),
        ("text/html;q=0", False),
    ],
)
def test_who_gets_the_page(accept: str, page: bool) -> None:
    assert prefers_page(accept) is page


@pytest.mark.parametrize("text", [b"[" * 200_000, b"[" + b"1," * 20_000 + b"1]"], ids=["broken", "too many"])
async def test_refused_json_is_held_by_no_reference_cycle(text: bytes) -> None:
    gc.collect()
    gc.disable()
    try:
        with suppress(BadRequest):
            read_json(text)
        assert gc.collect() == 0
    finally:
        gc.enable()
