"""Whatever is sent, the answer is well formed, and never a failure of ours."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.asgi import create_app
from app.core.actor import Actor
from app.settings import Settings
from app.storage.migrations import migrate
from tests.conftest import CountingIds, ManualClock
from tests.kit.library import ADMIN, SLICES, fill

json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(
    [
        "{",
        "}",
        "(",
        ")",
        "query",
        "mutation",
        "subscription",
        "fragment A on Book",
        "...A",
        "... on Author",
        "book",
        '(id: "boo_1")',
        "(id: $id)",
        "($id: ID!)",
        "($id: ID)",
        "id",
        "title",
        "author",
        "books",
        "(first: 1)",
        "a:",
        "@skip(if: true)",
        "@include(if: $b)",
        "$b",
        "node",
        "edges",
        "__typename",
        "__schema",
        '"\\u0000"',
        '"""',
        "#",
        "updateBook",
        '(input: {id: "boo_1", title: null})',
        "9" * 30,
        "-1",
        "1e400",
        "\ufeff",
        "é",
        "\x00",
        "&",
        "|",
    ]
)
queries = st.lists(words, max_size=20).map(" ".join) | st.text(max_size=30)
valid = st.sampled_from(
    [
        "query ($id: ID!) { book(id: $id) { title author { books(first: 2) { edges { node { id } } } } } }",
        "query ($f: BookFilter, $n: Int, $c: String) { books(filter: $f, first: $n, after: $c) { totalCount } }",
        "mutation ($i: UpdateBookInput!) { updateBook(input: $i) { errors { code } } }",
        "query ($b: Boolean!) { __typename @skip(if: $b) books(last: 3) { pageInfo { endCursor } } }",
    ]
)
names = st.sampled_from(["id", "f", "n", "c", "i", "b"])
inputs = st.dictionaries(
    st.sampled_from(["id", "title", "note", "tags", "extra", "genres", "ifVersion"]), json, max_size=4
)
variables = st.dictionaries(names, json | inputs, max_size=4) | json
requests = st.fixed_dictionaries(
    {"query": valid | queries | json},
    optional={"variables": variables, "operationName": json, "extensions": json, "id": json},
)
accepted = st.sampled_from(["application/json", "application/graphql-response+json"])
bodies = requests.map(orjson.dumps) | json.map(orjson.dumps) | st.binary(max_size=40)


class Keys:
    async def actor_of(self, key: str) -> Actor | None:
        return ADMIN


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = f"sqlite:///{tmp_path_factory.mktemp('malformed') / 'library.db'}"
    asyncio.run(migrate(found))
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(bodies, st.sampled_from(["application/json", "application/graphql-response+json"])), min_size=20)
)
def test_no_request_is_a_failure_of_ours(url: str, sent: list[tuple[bytes, str]]) -> None:
    asyncio.run(_send_all(url, sent))


async def _send_all(url: str, sent: list[tuple[bytes, str]]) -> None:
    async for client in _client(url):
        for body, accept in sent:
            headers = {"content-type": "application/json", "accept": accept, "x-api-key": "k"}
            response = await client.post("/graphql", content=body, headers=headers)
            assert response.status_code in (200, 400), (body, response.text)
            answer = orjson.loads(response.content)
            assert answer.keys() <= {"data", "errors"}
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            assert "INTERNAL" not in codes, (body, response.text)
            assert codes or answer["data"] is not None


async def _client(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(
        Settings(database_url=url),
        clock=ManualClock(),
        ids=CountingIds(),
        slices=SLICES,
        authenticator=lambda _: Keys(),
    )
    async with app.router.lifespan_context(app) as state:
        assert state is not None
        await state["services"].database.command(fill_once)

        async def with_state(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "state": dict(state)}, receive, send)

        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(with_state), base_url="http://test") as client:
            yield client


def fill_once(work: Any) -> None:
    if "book" not in _tables(work):
        fill(work)


def _tables(work: Any) -> list[str]:
    found: list[str] = sa.inspect(work.connection).get_table_names()
    return found
