import asyncio
import base64
import gzip
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from app.core.fairness import Caller
from app.execution.compiling import Compiling
from app.http import contracts
from app.http.bodies import LARGE_BODY
from app.http.in_flight import InFlight, Slot
from app.rest import Contract, call
from app.rest.openapi import written
from app.rest.parameters import Parameters
from app.settings import Settings
from tests.conftest import ManualClock
from tests.kit.library import READER
from tests.rest.conftest import serving_shelf
from tests.rest.shelf import CONTRACT

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

BOOK = {"id": "boo_1", "name": "The Dispossessed", "tags": ["a", "b"]}


async def test_a_read_is_a_selection(unchanging: httpx2.AsyncClient) -> None:
    response = await unchanging.get("/shelf/books/boo_1")
    assert (response.status_code, response.json()) == (200, BOOK)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["x-request-id"]
    response = await unchanging.get("/shelf/books/boo_9")
    assert (response.status_code, response.json()) == (404, {"none": "boo_9"})


@pytest.mark.both_databases
async def test_a_root_that_only_rest_reads(unchanging: httpx2.AsyncClient) -> None:
    italo = {"name": "Italo", "books": {"nodes": [{"title": "Invisible Cities"}]}}
    ursula = {"name": "Ursula", "books": {"nodes": [{"title": "The Dispossessed"}, {"title": "Steering the Craft"}]}}
    response = await unchanging.get("/shelf?long=True")
    (found, long) = response.json()
    for each in found["authors"]:
        page_info = each["books"].pop("pageInfo")
        assert page_info["hasNextPage"] is False
    assert (found, long) == ({"authors": [italo, ursula], "more": False}, True)
    response = await unchanging.get("/shelf", params={"offset": "1"})
    assert [each["name"] for each in response.json()[0]["authors"]] == ["Ursula"]
    response = await unchanging.post("/graphql", json={"query": "{ shelf { more } }"})
    assert response.json()["errors"][0]["message"] == "Cannot query field 'shelf' on type 'Query'."


@pytest.mark.both_databases
async def test_a_command_changes(client: httpx2.AsyncClient) -> None:
    response = await client.patch("/shelf/books/boo_1", json={"title": "New", "other": "kept out"})
    assert (response.status_code, response.json()) == (201, {"id": 1})
    assert response.headers["location"] == "http://test/shelf/1"
    assert (await client.get("/shelf/books/boo_1")).json() == BOOK | {"name": "New"}


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer admin"},
        {"authorization": "bearer admin", "x-api-key": "nobody"},
        {"authorization": "Token admin"},
        {"authorization": 'Token token="admin"'},
        {"authorization": "", "x-api-key": "admin"},
        {"authorization": "Basic " + base64.b64encode(b"anna:admin").decode()},
        {"authorization": "SOTicket admin"},
    ],
)
async def test_every_scheme_finds_the_same_user(unchanging: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    response = await unchanging.get("/shelf/books/boo_1", headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer nobody", "Basic !!", "Basic " + base64.b64encode(b"admin").decode(), "admin"],
)
async def test_without_valid_credentials(unchanging: httpx2.AsyncClient, authorization: str) -> None:
    headers = {"authorization": authorization, "x-xsrf-token": "admin"}
    response = await unchanging.get("/shelf/books/boo_1", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")
    challenges = response.headers.get_list("www-authenticate")
    assert challenges == ["Bearer", "Token", 'Basic realm="Switchboard", charset="UTF-8"', "SOTicket"]


async def test_paths(unchanging: httpx2.AsyncClient) -> None:
    response = await unchanging.get("/shelf/nothing")
    assert (response.status_code, response.json()["code"]) == (404, "UNKNOWN_PATH")
    response = await unchanging.get("/shelf/books/a%00b")
    assert (response.status_code, response.json()["code"]) == (404, "UNKNOWN_PATH")
    response = await unchanging.get("/shelf/books/%0A")
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    response = await unchanging.get("/shelves")
    assert (response.status_code, response.text) == (404, "Not Found")
    response = await unchanging.get("/shelf/books/")
    assert response.status_code == 404
    response = await unchanging.get("/SHELF/Books/boo_1/")
    assert response.json() == BOOK
    # A text in a template wins over a parameter, and a slash inside a parameter stays one.
    response = await unchanging.get("/shelf/books/first")
    assert response.json() == {"value": None, "path": {}}
    response = await unchanging.post("/shelf/echo/a%2Fb/%C3%B6%20%3F", json=[1])
    assert response.json() == {"value": [1], "path": {"one": "a/b", "two": "ö ?"}}


async def test_verbs(unchanging: httpx2.AsyncClient) -> None:
    response = await unchanging.delete("/shelf/books/boo_1")
    assert (response.status_code, response.json()["code"]) == (405, "BAD_REQUEST")
    assert response.headers["allow"] == "GET, HEAD, PATCH"
    response = await unchanging.head("/shelf/books/boo_1")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 0


async def test_cache_that_is_shared_keeps_no_answer(unchanging: httpx2.AsyncClient) -> None:
    for path in ("/shelf/books/boo_1", "/shelf/books/boo_9", "/shelf/nothing", "/shelf/openapi.json"):
        for key in ("Bearer admin", "Bearer nobody"):
            response = await unchanging.get(path, headers={"authorization": key})
            assert response.headers["cache-control"] == "private, no-store"
            assert response.headers["vary"] == "Accept-Encoding, Authorization, X-API-Key"


async def test_a_body_of_wrong_types_changes_nothing(unchanging: httpx2.AsyncClient) -> None:
    response = await unchanging.patch("/shelf/books/boo_1", json={"title": "New", "tags": ["a", 1]})
    assert (response.status_code, response.json()["code"], response.json()["path"]) == (
        422,
        "INVALID_INPUT",
        ["tags", 1],
    )


async def test_the_document_needs_no_key(unchanging: httpx2.AsyncClient) -> None:
    response = await unchanging.get("/shelf/openapi.json", headers={"authorization": ""})
    assert (response.status_code, response.content) == (200, written(CONTRACT))


async def test_the_document_is_made_once_and_not_in_the_loop(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[int]()

    def told(contract: Contract) -> bytes:
        made.append(threading.get_ident())
        return written(contract)

    monkeypatch.setattr(contracts, "written", told)
    found = await asyncio.gather(*[client.get("/shelf/openapi.json") for _ in range(3)])
    assert {response.content for response in found} == {written(CONTRACT)}
    assert len(made) == 1
    assert made[0] != threading.get_ident()


async def test_public_operation_takes_a_place_of_its_address(
    unchanging: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers: list[Caller] = []
    of = InFlight.of

    def told(requests: InFlight, caller: Caller) -> Slot:
        callers.append(caller)
        return of(requests, caller)

    monkeypatch.setattr(InFlight, "of", told)
    assert (await unchanging.get("/shelf/openapi.json")).status_code == 200
    await unchanging.get("/shelf", headers={"authorization": "Bearer reader"})
    assert callers == ["127.0.0.1", READER.caller]


async def test_public_operation_reads_a_large_body_beside_the_loop_on_the_share_of_its_address(
    database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers: list[Caller] = []
    offload = Compiling.offload

    async def told(compiling: Compiling, caller: Caller, work: Callable[[], Any]) -> Any:
        callers.append(caller)
        return await offload(compiling, caller, work)

    monkeypatch.setattr(Compiling, "offload", told)
    form = urlencode({"b": "1", "a": "ä" * (LARGE_BODY // 6)})
    kind = "application/x-www-form-urlencoded"
    headers = {"authorization": "", "content-type": kind}
    async with serving_shelf(Settings(database_url=database_url), clock) as client:
        response = await client.post("/outside", content=form, headers=headers)
        assert (response.status_code, response.json()) == (200, ["a", "b"])
        # Inflated and parsed.
        compressed = gzip.compress(form.encode())
        response = await client.post("/outside", content=compressed, headers=headers | {"content-encoding": "gzip"})
        assert (response.status_code, response.json()) == (200, ["a", "b"])
        assert callers == ["127.0.0.1"] * 3
        assert (await client.post("/outside", data={"a": "2"}, headers={"authorization": ""})).status_code == 200
    assert len(callers) == 3


async def test_public_operation_reads_its_parameters_in_the_place_of_its_address(
    unchanging: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[int]()
    enter = InFlight.enter

    async def told(requests: InFlight, caller: Caller) -> None:
        read.append(len(seen))
        await enter(requests, caller)

    seen = list[bytes]()
    parameters = Parameters

    def noted(raw: bytes) -> Parameters:
        seen.append(raw)
        return parameters(raw)

    monkeypatch.setattr(InFlight, "enter", told)
    monkeypatch.setattr(call, "Parameters", noted)
    assert (await unchanging.get("/shelf/openapi.json?a=b")).status_code == 200
    assert (read, seen) == ([0], [b"a=b"])


async def test_a_public_path_outside_of_the_base(unchanging: httpx2.AsyncClient) -> None:
    response = await unchanging.post("/outside", data={"b": "1", "a": "2"}, headers={"authorization": ""})
    assert (response.status_code, response.json()) == (200, ["a", "b"])
    response = await unchanging.post("/outside", json={})
    assert response.status_code == 415
    response = await unchanging.get("/outside")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"", "application/json", 200),
        (b"[1]", "text/json; charset=utf-8", 200),
        (b"{", "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b'"\xff"', "application/json", 400),
        (b'"\\u0000"', "application/json", 400),
        (b'{"\\u0000": 1}', "application/json", 400),
        (b"1", "application/xml", 415),
        (b"1", "application/json; charset=utf-16", 415),
        (b"1" * 2_001, "application/json", 413),
    ],
)
async def test_bodies(unchanging: httpx2.AsyncClient, content: bytes, media_type: str, status: int) -> None:
    response = await unchanging.post("/shelf/echo/a/b", content=content, headers={"content-type": media_type})
    assert response.status_code == status
    if status != 200:
        assert response.json()["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("depth", [101, 1_000])
async def test_a_body_over_a_bound_of_json_is_refused(unchanging: httpx2.AsyncClient, depth: int) -> None:
    headers = {"content-type": "application/json"}
    response = await unchanging.post("/shelf/echo/a/b", content=b"[" * depth + b"]" * depth, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "TOO_COMPLEX")
    assert response.json()["message"] == "The JSON is nested too deeply; the limit is 100 objects and arrays."


@pytest.mark.parametrize("content", [b"[]", b"1", b"null", b'"x"', b""])
async def test_a_body_that_has_to_be_an_object(unchanging: httpx2.AsyncClient, content: bytes) -> None:
    response = await unchanging.patch("/shelf/books/boo_1", content=content)
    assert (response.status_code, response.json()["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("why", "status", "code", "path"),
    [
        ("claimed", 409, "ALREADY_CLAIMED", []),
        ("expired", 410, "CURSOR_EXPIRED", ["after"]),
        ("unavailable", 503, "UNAVAILABLE", []),
        ("invalid", 422, "INVALID_INPUT", ["tags", 0]),
        ("bug", 500, "INTERNAL", []),
    ],
)
async def test_refusals(unchanging: httpx2.AsyncClient, why: str, status: int, code: str, path: list[object]) -> None:
    response = await unchanging.post(f"/shelf/refuse/{why}", headers={"x-request-id": "r1"})
    body = response.json()
    assert (response.status_code, body["code"], body["path"], body["request"]) == (status, code, path, "r1")
    assert "secret" not in response.text
    assert response.headers.get("retry-after") == ("1" if why == "unavailable" else None)
    assert (await unchanging.get("/shelf/books/boo_1")).json() == BOOK


async def test_a_missing_permission(unchanging: httpx2.AsyncClient) -> None:
    response = await unchanging.post("/shelf/refuse/forbidden", headers={"authorization": "Bearer reader"})
    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("query", ["offset=x", "offset=101", "offset=-1", "offset=", "long=1", "offset=" + "9" * 30])
async def test_parameters_are_checked(unchanging: httpx2.AsyncClient, query: str) -> None:
    response = await unchanging.get(f"/shelf?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "INVALID_INPUT")
    assert response.json()["path"] == [query.partition("=")[0]]


@pytest.mark.parametrize("query", ["a=%ff", "a=%00", "&".join(f"a{n}=1" for n in range(101))])
async def test_parameters_that_cannot_be_read(unchanging: httpx2.AsyncClient, query: str) -> None:
    response = await unchanging.get(f"/shelf?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "BAD_REQUEST")


class TestRateLimit:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return Settings(database_url=database_url, rate_limit=3)

    async def test_each_key_has_its_own_over_both_transports(self, client: httpx2.AsyncClient) -> None:
        query = {"query": "{ __typename }"}
        accept = {"accept": "application/graphql-response+json"}
        for _ in range(2):
            assert (await client.get("/shelf")).status_code == 200
        assert (await client.post("/graphql", json=query)).status_code == 200
        response = await client.get("/shelf")
        assert (response.status_code, response.json()["code"]) == (429, "RATE_LIMITED")
        assert 1 <= int(response.headers["retry-after"]) <= 60
        response = await client.post("/graphql", json=query, headers=accept)
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
        assert 1 <= int(response.headers["retry-after"]) <= 60
        assert (await client.get("/shelf", headers={"authorization": "Bearer reader"})).status_code == 200
        assert (await client.get("/shelf/openapi.json")).status_code == 200


class TestShareOfCost:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return Settings(database_url=database_url, cost_limit=20_000)

    async def test_requests_and_the_rows_that_they_read_count(self, client: httpx2.AsyncClient) -> None:
        query = {"query": "{ __typename }", "extensions": {"cost": True}}
        accept = {"accept": "application/graphql-response+json"}

        async def left() -> int:
            found = (await client.post("/graphql", json=query, headers=accept)).json()
            return int(found["extensions"]["cost"]["remaining"])

        async def cost_of(path: str) -> int:
            before = await left()
            await client.get(path)
            return before - await left()

        assert await left() == 20_000
        nothing, book, all_books = [await cost_of(f"/shelf{path}") for path in ("/books/boo_9", "/books/boo_1", "")]
        # The description of the contract is for everybody.
        assert (nothing, await cost_of("/shelf/openapi.json")) == (1, 0)
        assert 1 < book < all_books
