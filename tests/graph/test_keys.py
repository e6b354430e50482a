"""Over HTTP nobody is let in without a key that is valid now."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.asgi import create_app
from app.core.clock import rfc3339
from app.directory import service
from app.settings import Settings
from app.storage.database import open_database
from tests.conftest import CountingIds, ManualClock
from tests.graph.running import running_graph
from tests.graph.state import rows_of

QUERY = {"query": "{ viewer { user { name } } }"}
UNREADABLE = "{ a: destinations { nodes { id } } b: policies { nodes { id } } connections { nodes { id } } }"
UNHEARD = 'subscription { interactionChanged(id: "cnv_1") { version } }'
SECRETS = ("valid", "revoked", "expired", "inactive", "narrow")


@pytest.fixture
def secrets(database_url: str, clock: ManualClock) -> dict[str, str]:
    """A key of each sort, of a user of its own; those that expire do so after an hour."""

    async def make() -> dict[str, str]:
        async with running_graph(database_url) as graph:
            await graph.database.command(service.bootstrap, None)
            found = {}
            for name in SECRETS:
                user = (await graph.do("createUser", {"name": name, "login": name}, "user { id }"))["user"]["id"]
                given: dict[str, Any] = {"name": name, "userId": user}
                if name == "expired":
                    given["expiresAt"] = rfc3339(clock.now + timedelta(hours=1))
                made = await graph.do("createApiKey", given, "secret apiKey { id }")
                found[name] = made["secret"]
                if name == "revoked":
                    await graph.do("revokeApiKey", {"id": made["apiKey"]["id"]})
                if name == "inactive":
                    await graph.do("deactivateUser", {"id": user})
            return found

    return asyncio.run(make())


def test_readiness_tells_of_a_changed_pepper(database_url: str, clock: ManualClock) -> None:
    old, new = SecretStr("the old pepper of ours"), SecretStr("the new pepper of ours")

    async def start(settings: Settings) -> str:
        database = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
        try:
            await database.command(service.bootstrap, None)
            return await database.command(service.local_key, None, "k")
        finally:
            await database.close()

    settings = Settings(database_url=database_url, key_pepper=old)
    key = asyncio.run(start(settings))
    with TestClient(create_app(settings, clock=clock, ids=CountingIds())) as client:
        assert client.get("/readyz").status_code == 200
        changed = asyncio.run(start(Settings(database_url=database_url, key_pepper=new, key_pepper_previous=(old,))))
        clock.advance(1)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert "key pepper was changed" in answer.json()["reason"]
        # Neither a valid key that it cannot check nor an invalid one is called invalid.
        for text in (changed, "nonsense"):
            refused = client.post("/graphql", json=QUERY, headers={"Authorization": f"Bearer {text}"})
            assert [error["extensions"]["code"] for error in refused.json()["errors"]] == ["UNAVAILABLE"]
            assert refused.status_code == 503
        assert client.post("/graphql", json=QUERY, headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_only_a_valid_key_lets_in(database_url: str, clock: ManualClock, secrets: dict[str, str]) -> None:
    app = create_app(Settings(database_url=database_url), clock=clock, ids=CountingIds())
    clock.advance(3600)
    refused = {"errors", "UNAUTHENTICATED"}
    with TestClient(app) as client:

        def ask(**headers: str) -> tuple[int, dict[str, Any]]:
            answer = client.post("/graphql", json=QUERY, headers=headers)
            return answer.status_code, answer.json()

        for headers in (
            {},
            {"Authorization": ""},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer nonsense"},
            {"Authorization": f"Basic {secrets['valid']}"},
            {"Authorization": f"Bearer {secrets['valid']}x"},
            {"Authorization": f"Bearer {secrets['revoked']}"},
            {"Authorization": f"Bearer {secrets['expired']}"},
            {"Authorization": f"Bearer {secrets['inactive']}"},
            {"X-API-Key": secrets["revoked"]},
        ):
            status, body = ask(**headers)
            assert status == 401, headers
            assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]
            assert not any(secret in str(body) for secret in secrets.values()), refused
        for headers in ({"Authorization": f"Bearer {secrets['valid']}"}, {"X-API-Key": secrets["valid"]}):
            assert ask(**headers) == (200, {"data": {"viewer": {"user": {"name": "valid"}}}})


def test_refusals_of_a_flood_are_few_entries(database_url: str, clock: ManualClock, secrets: dict[str, str]) -> None:
    forbidden = 'mutation { createUser(input: {name: "x", login: "x"}) { errors { code } } }'
    with TestClient(create_app(Settings(database_url=database_url), clock=clock, ids=CountingIds())) as client:
        for _ in range(20):
            assert client.post("/graphql", json=QUERY, headers={"X-API-Key": secrets["revoked"]}).status_code == 401
            answer = client.post("/graphql", json={"query": forbidden}, headers={"X-API-Key": secrets["valid"]}).json()
            assert answer["data"]["createUser"]["errors"] == [{"code": "FORBIDDEN"}]
        valid = {"X-API-Key": secrets["valid"]}
        for _ in range(2):
            answer = client.post("/graphql", json={"query": UNREADABLE}, headers=valid).json()
            assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"] * 3
            stream = client.post(
                "/graphql", json={"query": UNHEARD}, headers={**valid, "Accept": "text/event-stream"}
            ).text
            assert '"FORBIDDEN"' in stream
            for path in ("/v1/customers/7", "/v1/customers/7/sessions"):
                assert client.get(path, headers={"Authorization": f"Bearer {secrets['valid']}"}).status_code == 403

    async def told() -> list[Any]:
        async with running_graph(database_url) as graph:
            rows = (await rows_of(graph.database))["event_log"]
            return [orjson.loads(row["data"]) for row in rows if row["topic"] == "user.refused"]

    # They are written when the server ends, at the latest. Should it run for minutes, each has an entry of its own.
    found, times = asyncio.run(told()), Counter[tuple[str, str | None]]()
    for each in found:
        times[each["reason"], each["permission"]] += each["times"]
    expected: dict[tuple[str, str | None], int] = {("FORBIDDEN", "users:manage"): 20, ("KEY_REVOKED", None): 20}
    for permission in (
        "destinations:manage",
        "connections:manage",
        "conversation:read",
        "directory:read",
        "session:read",
    ):
        expected["FORBIDDEN", permission] = 2
    assert times == expected
    assert len(found) < 20
