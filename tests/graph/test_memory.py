"""Refused requests leave nothing behind that only a full collection would find."""

import gc
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

import orjson
import pytest

from app.asgi import CONTRACTS, create_app
from app.core.actor import Actor
from app.rest import Contract
from app.settings import Settings
from tests.conftest import CountingIds, ManualClock

pytestmark = pytest.mark.anyio

TIMES = 3
NOT_SMALL = 1_000
"""Bytes of a value that has to be gone with its request."""

IDS = [f"ses_{number}" for number in range(1, 4_000)]
NODES = "query ($f: [ID!]!) { nodes(ids: $f) { id } }"
FILTER = "query ($f: InteractionFilter) { interactions(filter: $f) { totalCount } }"
AFTER = "query ($f: String) { interactions(after: $f) { totalCount } }"
LABELS = "mutation ($f: SetLabelsInput!) { setLabels(input: $f) { errors { code } } }"
NEEDS = "mutation ($f: UpdateSessionInput!) { updateSession(input: $f) { errors { code } } }"
CHANGED = "subscription ($f: String) { attentionChanged(after: $f) { cursor } }"

Sent = tuple[str, str, bytes, Mapping[str, str]]


def graphql(query: str, value: object, **headers: str) -> Sent:
    return "POST", "/graphql", orjson.dumps({"query": query, "variables": {"f": value}}), headers


REFUSED: dict[str, tuple[Sent, str]] = {
    "too many ids": (graphql(NODES, IDS), "INVALID_INPUT"),
    "ids over the bound of JSON": (graphql(NODES, IDS * 15), "TOO_COMPLEX"),
    "a bad cursor": (graphql(AFTER, "A" * 900_000), "INVALID_CURSOR"),
    "a bad cursor of a subscription": (graphql(CHANGED, "A" * 60_000, accept="text/event-stream"), "INVALID_CURSOR"),
    "unknown members": (graphql(FILTER, dict.fromkeys(IDS)), "BAD_USER_INPUT"),
    "wrong items": (graphql(NODES, [{}] * 4_000), "BAD_USER_INPUT"),
    "text that cannot be stored": (graphql(NODES, [*IDS, "\0"]), "INVALID_INPUT"),
    "a command that is refused": (graphql(LABELS, {"id": "ses_99", "labels": IDS}), "NOT_FOUND"),
    "a command that does not fit": (graphql(LABELS, {"id": "ses_99", "labels": [{}] * 4_000}), "BAD_USER_INPUT"),
    "null in a command": (graphql(NEEDS, {"id": "x" * 9_000, "needAttention": None}), "INVALID_INPUT"),
    "no JSON": (("POST", "/graphql", b'{"query": ' + b"1" * 900_000, {}), "BAD_REQUEST"),
    "no key": (("POST", "/graphql", b"{}", {"x-api-key": "x" * 9_000}), "UNAUTHENTICATED"),
    "another type": (("POST", "/graphql", b"{}", {"content-type": "x" * 9_000}), "BAD_REQUEST"),
}


class Keys:
    async def actor_of(self, key: str) -> Actor | None:
        return Actor(user_id=1, name="Ada", is_admin=True) if key == "key" else None


Ask = Any


@pytest.fixture(scope="module")
async def ask(module_database_url: str) -> AsyncIterator[Ask]:
    """Ask the application itself: a client would leave cycles of its own."""
    settings = Settings(database_url=module_database_url)
    app = create_app(settings, clock=ManualClock(), ids=CountingIds(), authenticator=lambda _: Keys())
    async with app.router.lifespan_context(app) as state:

        async def ask(sent: Sent) -> bytes:
            method, path, body, headers = sent
            named = {"content-type": "application/json", "x-api-key": "key", "authorization": "Bearer key", **headers}
            if "x-api-key" in headers:
                del named["authorization"]
            answer: list[bytes] = []
            bodies = iter([body])

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": next(bodies), "more_body": False}

            async def send(message: Any) -> None:
                answer.append(message.get("body", b""))

            scope = {
                "type": "http",
                "method": method,
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "headers": [(name.encode(), value.encode()) for name, value in named.items()],
                "state": dict(state or {}),
                "scheme": "http",
            }
            await app(scope, receive, send)
            return b"".join(answer)

        yield ask


def large(found: object) -> bool:
    return isinstance(found, (list, dict, str, bytes)) and len(found) >= NOT_SMALL


@contextmanager
def leaving_nothing(what: str) -> Iterator[None]:
    """Fail where only the collector of cycles finds errors with their frames, or what of a request those hold."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [each for each in gc.garbage if isinstance(each, (BaseException, FrameType, TracebackType))]
        left += [each for each in gc.garbage if any(map(large, (each, *gc.get_referents(each))))]
        assert (what, left) == (what, [])
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()  # what lives still stays out of the collections, as it was before


@pytest.mark.parametrize("name", REFUSED)
async def test_memory_of_a_refused_operation_is_free_at_once(ask: Ask, name: str) -> None:
    sent, code = REFUSED[name]
    assert code.encode() in await ask(sent)
    with leaving_nothing(name):
        for _ in range(TIMES):
            await ask(sent)


@pytest.mark.parametrize("contract", CONTRACTS, ids=[contract.name for contract in CONTRACTS])
@pytest.mark.parametrize(
    "body", [b'{"a": ["' + b"x" * 9_000 + b'"]}', b'{"a": ' + b"[1]" * 900], ids=["JSON", "no JSON"]
)
async def test_memory_of_refused_calls_of_a_contract_is_free_at_once(ask: Ask, contract: Contract, body: bytes) -> None:
    calls: list[Sent] = [
        (operation.method, operation.path.replace("{", "").replace("}", ""), body, {})
        for operation in contract.operations
    ]
    for call in calls:
        await ask(call)
    with leaving_nothing(contract.name):
        for call in calls:
            await ask(call)
