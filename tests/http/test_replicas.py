"""A server with a replica, as its clients and operators see it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.asgi import create_app
from app.core.actor import Actor
from app.settings import Settings
from tests.replication import Replicated
from tests.serving import PATIENCE, Served, eventually, serving

pytestmark = pytest.mark.anyio

KEY = {"authorization": "Bearer admin"}
ADMIN = Actor(user_id=7, name="Ada", is_admin=True)
MAKE = "mutation ($name: String!) { createProfile(input: { name: $name }) { profile { id } errors { code } } }"
PROFILE = "query ($id: ID!) { profile(id: $id) { name } }"
AGENT = 'mutation { createAiAgent(input: { agentKey: "agt_replicas", name: "A" }) { errors { code } } }'
OPEN = 'mutation { createAgentSession(input: { agentKey: "agt_replicas" }) { errors { code } } }'
LISTEN = "subscription { interactionChanged { interaction { kind } } }"


class Keys:
    """Knows one key."""

    async def actor_of(self, key: str) -> Actor | None:
        return ADMIN if key == "admin" else None


@pytest.fixture
def chosen(replicated: Replicated) -> Settings:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"database_url": replicated.url, "read_url": (replicated.replica_url,), "pool_size": 2, "read_lag": 100}
    return Settings.model_validate({**given, "metrics_port": port, "demo": False})


@pytest.fixture
async def served(chosen: Settings) -> AsyncIterator[Served]:
    async with serving(create_app(chosen, authenticator=lambda _: Keys()), chosen) as served:
        yield served


async def asked(client: httpx2.AsyncClient, served: Served, query: str, **variables: Any) -> Any:
    answer = (await client.post(served.url, json={"query": query, "variables": variables}, headers=KEY)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def test_replica_that_lags_is_seen_by_operators_and_by_no_client(
    served: Served, chosen: Settings, replicated: Replicated
) -> None:
    replicas = served.server.lifespan.state["services"].database.replicas
    async with httpx2.AsyncClient(timeout=PATIENCE) as client, served.socket(KEY) as listening:

        async def readiness() -> Any:
            answer = await client.get(served.url.replace("/graphql", "/readyz"))
            assert answer.status_code == 200
            return answer.json()

        async def metrics() -> dict[tuple[str, ...], float]:
            text = (await client.get(f"http://127.0.0.1:{chosen.metrics_port}/metrics")).text
            families = text_string_to_metric_families(text)
            samples = [sample for family in families for sample in family.samples]
            return {(each.name.removeprefix("switchboard_"), *each.labels.values()): each.value for each in samples}

        made = await asked(client, served, MAKE, name="before")
        profile = made["createProfile"]["profile"]["id"]
        await eventually(lambda: not replicas.left)
        assert await asked(client, served, PROFILE, id=profile) == {"profile": {"name": "before"}}
        await asked(client, served, AGENT)
        await listening.listen("1", LISTEN)
        async with replicated.held_up():
            made = await asked(client, served, MAKE, name="after")
            profile = made["createProfile"]["profile"]["id"]
            assert await asked(client, served, PROFILE, id=profile) == {"profile": {"name": "after"}}
            await asked(client, served, OPEN)
            assert await listening.data("1") == {"interactionChanged": {"interaction": {"kind": "AGENT_SESSION"}}}
            found = await readiness()
            assert (found["status"], found["degraded"]) == ("ready", [{"replica": 1, "reason": "lags"}])
            seen = await metrics()
            assert (seen["replica_used", "1"], seen["replica_left_total", "lags", "1"] >= 1) == (0, True)
            assert seen["replica_lag_seconds", "1"] > 0.1
            assert seen["reads_total", "primary"] >= 2
        for _ in range(int(PATIENCE / 0.01)):
            # A replica that is used may be left again in the same moment by a machine that is busy.
            assert await asked(client, served, PROFILE, id=profile) == {"profile": {"name": "after"}}
            if "degraded" not in await readiness() and replicas.all[0].reads:
                break
            await asyncio.sleep(0.01)
        assert (await metrics())["reads_total", "1"] >= 1
