"""Requests for the graph do not pass the router; all others do."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.http.shortcut import Shortcut


async def to(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("straight")(scope, receive, send)


async def routed(request: Request) -> PlainTextResponse:
    return PlainTextResponse("routed")


@pytest.mark.parametrize(
    ("root_path", "path", "answer"),
    [
        ("", "/graphql", "straight"),
        ("", "/graphql/", "routed"),
        ("", "/other", "routed"),
        ("/api", "/graphql", "routed"),
    ],
)
def test_shortcut_takes_one_path_alone(root_path: str, path: str, answer: str) -> None:
    app = Starlette(routes=[Route("/{rest:path}", routed)], middleware=[Middleware(Shortcut, path="/graphql", to=to)])
    assert TestClient(app, root_path=root_path).get(path).text == answer
