"""Access lines and slow operations of a real server, as entries of its log."""

from collections.abc import AsyncIterator, Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import httpx2
import orjson
import pytest

from app.asgi import create_app
from app.core.actor import Actor
from app.core.logs import configure_logs
from app.core.trail import Trail, follow
from app.http.watching import Asked
from app.settings import Settings
from app.storage.database import MOST_NOTED, Database, Query, Row
from tests.serving import Served, eventually, serving

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("own_logs"), pytest.mark.one_database_each]

ADMIN = Actor(user_id=7, name="Ada", is_admin=True)
KEY = {"authorization": "Bearer admin", "x-client-name": "wallboard"}
ALIAS = "aliasOfTheClient"


class Keys:
    """Knows one key."""

    async def actor_of(self, key: str) -> Actor | None:
        return ADMIN if key == "admin" else None


@pytest.fixture
def log() -> StringIO:
    stream = StringIO()
    configure_logs("info", "json", stream)
    return stream


@pytest.fixture
def more() -> dict[str, Any]:
    return {}


@pytest.fixture
async def served(database: Database, database_url: str, log: StringIO, more: dict[str, Any]) -> AsyncIterator[Served]:
    settings = Settings.model_validate({"database_url": database_url, "pool_size": 2, **more})
    app = create_app(settings, authenticator=lambda _: Keys())
    async with serving(app, settings) as running:
        yield running


def entries(log: StringIO, event: str) -> list[dict[str, Any]]:
    found = [orjson.loads(line) for line in log.getvalue().splitlines()]
    return [each for each in found if each["event"] == event]


def ours(log: StringIO) -> str:
    """The log without what the client of this test says."""
    return "\n".join(line for line in log.getvalue().splitlines() if '"httpx2"' not in line)


async def ask(served: Served, document: str, **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        return await client.post(served.url, json={"query": document}, headers={**KEY, **headers})


@pytest.mark.parametrize("more", [{"access_log": True}])
async def test_access_line_names_operation_client_and_user(served: Served, log: StringIO) -> None:
    await ask(served, "query Who { viewer { user { name } } }", **{"x-request-id": "my-request"})
    async with httpx2.AsyncClient() as client:
        base = served.url.removesuffix("/graphql")
        await client.get(f"{base}/third-party/v1/conversations/987654", headers=KEY)
        await client.get(f"{base}/nowhere?key=secret")
    async with served.socket({**KEY, "x-client-name": "pager"}) as socket:
        await socket.subscribe("1", "query Again { viewer { user { id } } }")
        assert (await socket.take())["type"] == "next"
        await eventually(lambda: len(entries(log, "answered")) == 4)
    first, second, third, fourth = entries(log, "answered")
    assert {name: first[name] for name in ("operation", "client", "user_id", "request_id", "status", "transport")} == {
        "operation": "Who",
        "client": "wallboard",
        "user_id": 7,
        "request_id": "my-request",
        "status": 200,
        "transport": "graphql",
    }
    assert first["ms"] > 0
    assert (second["transport"], second["status"] >= 400, second["user_id"]) == ("rest", True, 7)
    assert (third["transport"], third["status"], third["path"], "client" in third) == ("other", 404, "/nowhere", False)
    assert (fourth["transport"], fourth["operation"], fourth["client"]) == ("websocket", "Again", "pager")
    assert "secret" not in ours(log)
    assert "987654" not in ours(log)


@pytest.mark.parametrize("more", [{"access_log": True}])
async def test_access_line_has_the_address_that_a_proxy_names(served: Served, log: StringIO) -> None:
    for named in ({}, {"x-forwarded-for": "203.0.113.9"}, {"x-forwarded-proto": "https"}):
        assert "errors" not in (await ask(served, "{ viewer { user { name } } }", **named)).json()
    await eventually(lambda: len(entries(log, "answered")) == 3)
    addresses = [each["address"] for each in entries(log, "answered")]
    assert addresses == ["127.0.0.1", "203.0.113.9", "127.0.0.1"]


@pytest.mark.both_databases
@pytest.mark.parametrize("more", [{"slow_log": timedelta(microseconds=1)}])
async def test_slow_operation_is_logged_with_its_statements_and_no_value(served: Served, log: StringIO) -> None:
    document = f'query Slow {{ {ALIAS}: searchInteractions(text: "Eleonora Secret") {{ nodes {{ id }} }} }}'
    assert "errors" not in (await ask(served, document)).json()
    mutation = (
        'mutation Make { createCustomer(input: { system: SESSION, name: "Eleonora Secret" }) { customer { name } } }'
    )
    assert "errors" not in (await ask(served, mutation)).json()
    await eventually(lambda: len(entries(log, "slow operation")) == 2)
    slow, made = entries(log, "slow operation")
    assert (slow["operation"], slow["level"], slow["steps"]) == ("Slow", "warning", len(slow["plan"]))
    assert all(step["kind"] == "statement" and "SELECT" in step["text"] for step in slow["plan"])
    assert [step["kind"] for step in made["plan"]] == ["command", "statement"]
    assert made["plan"][0]["text"] == "create_customer"
    assert "Secret" not in ours(log)
    assert ALIAS not in ours(log)


@pytest.mark.parametrize("more", [{"slow_log": timedelta(hours=1)}, {}])
async def test_fast_operation_is_not_logged(served: Served, log: StringIO) -> None:
    await ask(served, "query Fast { viewer { user { name } } }")
    assert entries(log, "slow operation") == entries(log, "answered") == []


@pytest.mark.both_databases
async def test_steps_that_are_noted_are_not_without_end(database: Database) -> None:
    trail = Trail(noting=True)
    follow(trail)

    def many() -> Generator[Query, Sequence[Row], None]:
        for _ in range(MOST_NOTED + 10):
            yield Query("SELECT 1")

    await database.plan(many, snapshot=False, caller="somebody")
    assert trail.steps is not None
    assert [step.text for step in trail.steps] == ["SELECT 1"] * MOST_NOTED


async def test_code_of_the_first_error_is_told(served: Served) -> None:
    told: list[Trail] = []

    def watch(trail: Trail, _asked: Asked) -> None:
        told.append(trail)

    state = served.server.lifespan.state
    state["services"] = replace(state["services"], watchers=(watch,))
    served.config.watched = True
    await ask(served, "{ nothing }")
    await ask(served, 'mutation { deleteCustomer(input: { id: "cus_999" }) { errors { code } } }')
    await ask(served, "query Fine { viewer { user { id } } }", **{"x-client-name": "x" * 65})
    await eventually(lambda: len(told) == 3)
    assert [(each.operation, each.code) for each in told] == [
        (None, "GRAPHQL_VALIDATION_FAILED"),
        (None, "NOT_FOUND"),
        ("Fine", None),
    ]
    assert told[2].client is None
