import httpx2
import pytest

from tests.kinds.agent_session.rest.conftest import AGENT, SESSION

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

STEP = {"name": "one", "instructions": [], "output_parser": {"type": "default"}}


async def test_an_agent_is_made_changed_replaced_and_deleted(client: httpx2.AsyncClient) -> None:
    given = {
        "key": "agt_x",
        "name": "X",
        "description": "D",
        "tool_configurations": {"t": {"type": "web"}},
        "model": {"name": "m", "parameters": {"t": 0.10}},
        "first_step": STEP,
        "metadata": {"b": 1, "a": 2},
        "compaction": {"enabled": False},
    }
    response = await client.post("/v2/agents", json=given)
    made = {
        "key": "agt_x",
        "name": "X",
        "description": "D",
        "tool_configurations": {"t": {"type": "web"}},
        "model": {"name": "m", "parameters": {"t": 0.1}},
        "first_step": STEP,
        "first_step_name": "one",
        "steps": {},
        "skills": {},
        "metadata": {"b": 1, "a": 2},
        "enabled": True,
        "compaction": {"enabled": False},
        "created_at": "2026-01-05T09:00:00Z",
        "updated_at": "2026-01-05T09:00:00Z",
    }
    assert (response.status_code, response.json()) == (201, made)
    path = "/v2/agents/agt_x"
    assert (await client.get(path)).json() == made
    assert (await client.patch(path, json={})).json() == made
    patched = await client.patch(path, json={"description": None, "enabled": None, "metadata": None, "name": "Y"})
    assert patched.json() == made | {"description": None, "metadata": {}, "name": "Y"}
    replaced = (await client.put(path, json={"name": "Z", "enabled": False})).json()
    assert replaced["model"] == {"name": ""}
    assert replaced["first_step"] == {**STEP, "name": ""}
    assert (replaced["name"], replaced["enabled"], replaced["tool_configurations"]) == ("Z", False, {})
    assert "compaction" not in replaced
    nameless = await client.put(path, json={})
    assert (nameless.status_code, list(nameless.json()["field_errors"])) == (400, ["name"])
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_agents_are_listed_in_order(client: httpx2.AsyncClient) -> None:
    for number in range(12):
        given = {"key": f"a{number}", "name": f"Agent {number}", "enabled": number > 1}
        assert (await client.post("/v2/agents", json=given)).status_code == 201
    first = (await client.get("/v2/agents")).json()
    assert [each["key"] for each in first["agents"]] == ["agt_customer_support", *(f"a{number}" for number in range(9))]
    rest = (await client.get("/v2/agents", params=first["metadata"])).json()
    assert ([each["key"] for each in rest["agents"]], rest["metadata"]) == (["a9", "a10", "a11"], {})
    for query, found in (("filter=Agent 1", ["a1", "a10", "a11"]), ("enabled=false", ["a0", "a1"])):
        body = (await client.get(f"/v2/agents?{query}")).json()
        assert [each["key"] for each in body["agents"]] == found


async def test_an_agent_with_sessions_stays(client: httpx2.AsyncClient) -> None:
    response = await client.delete(AGENT)
    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_request")
    assert (await client.delete(SESSION)).status_code == 204
    assert (await client.delete(AGENT)).status_code == 204
