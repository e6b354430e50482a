"""Requests for the graph that get a whole answer pass no layer; all others do."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope

from app.http.cycle import Whole
from app.http.shortcut import FORWARDED, Shortcut
from app.http.watching import Noting
from app.rest.headers import Headers
from tests.conftest import CountingIds
from tests.kit.library_server import BOOK, KEY
from tests.serving import Served


class Straight:
    def streams(self, headers: Headers) -> bool:
        return headers.get(b"accept") == b"text/event-stream"

    async def answer(self, scope: Scope, headers: Headers, receive: Receive) -> Whole:
        return 200, [(b"content-length", b"8")], b"straight"


async def routed(request: Request) -> PlainTextResponse:
    return PlainTextResponse("routed")


@pytest.mark.parametrize(
    ("root_path", "path", "headers", "answer"),
    [
        ("", "/graphql", {}, "straight"),
        ("", "/graphql", {"x-forwarded-for": "203.0.113.9"}, "straight"),
        ("", "/graphql/", {}, "routed"),
        ("", "/other", {}, "routed"),
        ("/api", "/graphql", {}, "routed"),
        ("", "/graphql", {"origin": "https://elsewhere.example"}, "routed"),
        ("", "/graphql", {"accept": "text/event-stream"}, "routed"),
    ],
)
def test_shortcut_takes_one_path_alone(root_path: str, path: str, headers: dict[str, str], answer: str) -> None:
    routes = Starlette(routes=[Route("/{rest:path}", routed)])
    app = Shortcut(routes, "/graphql", Straight(), CountingIds(), None, Noting())
    assert TestClient(app, root_path=root_path).get(path, headers=headers).text == answer


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("x-request-id", "straight"),
        ("origin", "routed"),
        ("x-forwarded-for", "routed"),
        ("X-Forwarded-Proto", "routed"),
    ],
)
def test_shortcut_before_uvicorn_leaves_it_what_a_proxy_sent(name: str, answer: str) -> None:
    routes = Starlette(routes=[Route("/{rest:path}", routed)])
    app = Shortcut(routes, "/graphql", Straight(), CountingIds(), None, Noting(), FORWARDED)
    assert TestClient(app).get("/graphql", headers={name: "https"}).text == answer


@pytest.mark.anyio
@pytest.mark.parametrize("key", [KEY, {}], ids=["answered", "refused"])
async def test_answers_by_the_shortcut_are_those_of_the_layers(sqlite_served: Served, key: dict[str, str]) -> None:
    async with httpx2.AsyncClient(headers={**key, "x-request-id": "r1"}) as client:
        straight, around = [
            await client.post(sqlite_served.url, json={"query": BOOK}, headers=more)
            for more in ({}, {"origin": sqlite_served.url.removesuffix("/graphql")})
        ]
    assert (straight.status_code, straight.content) == (around.status_code, around.content)
    cors = {name for name in around.headers if name.startswith("access-control-")}
    assert set(straight.headers) == set(around.headers) - cors
    assert straight.headers["x-request-id"] == "r1"


@pytest.mark.anyio
async def test_server_that_is_asked_to_close_says_so(sqlite_served: Served) -> None:
    async with httpx2.AsyncClient(headers=KEY) as client:
        kept = await client.post(sqlite_served.url, json={"query": BOOK})
        closed = await client.post(sqlite_served.url, json={"query": BOOK}, headers={"connection": "close"})
    assert ("connection" in kept.headers, closed.headers["connection"]) == (False, "close")
    assert kept.json() == closed.json()
