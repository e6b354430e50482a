"""What the vectara SDK has to be able to do, sync and async, with each kind of credentials."""

import asyncio
import itertools
import os
from typing import Any

import httpx
from vectara import AsyncVectara, Vectara
from vectara.core.api_error import ApiError
from vectara.environment import VectaraEnvironment
from vectara.errors import BadRequestError, ForbiddenError, NotFoundError
from vectara.types import AgentModel, AgentOutputParser_Default, FirstAgentStep

from tests.conformance.checks import Checks

SERVER = os.environ["SERVER"]
ADMIN_KEY = os.environ["ADMIN_KEY"]
READER_KEY = os.environ["READER_KEY"]
ENVIRONMENT = VectaraEnvironment(default=SERVER, auth=SERVER)
STEP = FirstAgentStep(name="one", instructions=[], output_parser=AgentOutputParser_Default())
ONCE: Any = {"max_retries": 0}
ABSENT = object()


def client_id() -> str:
    """The prefix of the admin's key, which the graph shows."""
    query = {"query": "{ viewer { apiKey { prefix } } }"}
    answer = httpx.post(f"{SERVER}/graphql", json=query, headers={"authorization": f"Bearer {ADMIN_KEY}"}).json()
    prefix: str = answer["data"]["viewer"]["apiKey"]["prefix"]
    return prefix


def credentials() -> list[dict[str, Any]]:
    return [
        {"api_key": ADMIN_KEY},
        {"token": lambda: ADMIN_KEY},
        {"client_id": client_id(), "client_secret": ADMIN_KEY},
    ]


def updates() -> list[dict[str, Any]]:
    """Every combination of absent, null and a value."""
    values = {
        "name": (ABSENT, "N"),
        "description": (ABSENT, None, "", "D"),
        "metadata": (ABSENT, None, {}, {"b": [1, None], "a": "x"}),
        "enabled": (ABSENT, False, True),
        "tti_minutes": (ABSENT, 0, 60),
    }
    made = (dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values()))
    return [{name: value for name, value in each.items() if value is not ABSENT} for each in made]


def expected(before: Any, given: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "description", "metadata", "enabled", "tti_minutes")
    after = {name: getattr(before, name) for name in names} | given
    return after | {"metadata": after["metadata"] or {}}


def shown(session: Any) -> dict[str, Any]:
    return {name: getattr(session, name) for name in ("name", "description", "metadata", "enabled", "tti_minutes")}


def walk(client: Vectara, key: str) -> None:
    agent = client.agents.create(
        key=key, name="Support", tool_configurations={}, model=AgentModel(name="m"), first_step=STEP
    )
    assert (agent.key, agent.model.name, agent.first_step.name) == (key, "m", "one")
    assert client.agents.get(key) == agent
    assert client.agents.update(key, description="D").description == "D"
    assert key in [each.key for each in client.agents.list(limit=1)]
    sessions = client.agent_sessions
    made = [
        sessions.create(key, key=f"s{number}", name=f"support {number}", metadata={"n": number}) for number in range(5)
    ]
    assert {each.key for each in sessions.list(key, limit=2)} == {each.key for each in made}
    assert [each.key for each in sessions.list(key, filter="sup.*[13]$", limit=1)] == ["s3", "s1"]
    assert sessions.get(key, "s0") == made[0]
    before = made[0]
    for given in updates():
        after = sessions.update(key, "s0", **given)
        assert shown(after) == expected(before, given), given
        before = after
    events = client.agent_events
    assert list(events.list(key, "s1", limit=20)) == []
    for number in range(5):
        httpx.post(
            f"{SERVER}/v2/agents/{key}/sessions/s1/events",
            json={"messages": [{"content": str(number)}]},
            headers={"x-api-key": ADMIN_KEY},
        ).raise_for_status()
    assert [each.messages[0].content for each in events.list(key, "s1", limit=2)] == list("01234")
    hidden, deleted, *_ = events.list(key, "s1", limit=2)
    assert events.hide(key, "s1", hidden.id) == events.get(key, "s1", hidden.id)
    events.delete(key, "s1", deleted.id)
    assert [each.messages[0].content for each in events.list(key, "s1")] == list("234")
    assert events.unhide(key, "s1", hidden.id) == hidden
    assert [each.messages[0].content for each in events.list(key, "s1")] == list("0234")
    for refused, run in refusals(sessions, key):
        try:
            run()
        except ApiError as error:
            check_refusal(error, refused)
        else:
            raise AssertionError(refused)
    for session in made:
        sessions.delete(key, session.key)
    client.agents.delete(key)


async def walk_async(client: AsyncVectara, key: str) -> None:
    await client.agents.create(
        key=key, name="Support", tool_configurations={}, model=AgentModel(name="m"), first_step=STEP
    )
    sessions = client.agent_sessions
    made = [await sessions.create(key, key=f"s{number}", name=f"support {number}") for number in range(5)]
    found = [each.key async for each in await sessions.list(key, limit=2)]
    assert sorted(found) == [each.key for each in made]
    assert await sessions.get(key, "s0") == made[0]
    before = made[0]
    for given in updates()[::7]:
        after = await sessions.update(key, "s0", **given)
        assert shown(after) == expected(before, given), given
        before = after
    for refused, run in refusals(sessions, key):
        try:
            await run()
        except ApiError as error:
            check_refusal(error, refused)
        else:
            raise AssertionError(refused)
    for session in made:
        await sessions.delete(key, session.key)
    await client.agents.delete(key)


def refusals(sessions: Any, key: str) -> list[tuple[type[ApiError], Any]]:
    return [
        (NotFoundError, lambda: sessions.get(key, "none", request_options=ONCE)),
        (NotFoundError, lambda: sessions.get("none", "none", request_options=ONCE)),
        (NotFoundError, lambda: sessions.update(key, "sess ion?x", name="x", request_options=ONCE)),
        (BadRequestError, lambda: sessions.update(key, "s0", enabled=None, request_options=ONCE)),
        (BadRequestError, lambda: sessions.update(key, "s0", name=None, request_options=ONCE)),
        (BadRequestError, lambda: sessions.create(key, key="s0", name="again", request_options=ONCE)),
        (ApiError, lambda: sessions.list(key, filter="(", request_options=ONCE)),
    ]


def check_refusal(error: ApiError, wanted: type[ApiError]) -> None:
    assert type(error) is wanted, error
    body = error.body if isinstance(error.body, dict) else error.body.dict()
    assert body["messages"], body
    assert body["request_id"], body


def check_credentials() -> None:
    reader = Vectara(environment=ENVIRONMENT, api_key=READER_KEY)
    list(reader.agents.list())
    try:
        reader.agents.create(
            name="x", tool_configurations={}, model=AgentModel(name="m"), first_step=STEP, request_options=ONCE
        )
    except ForbiddenError as error:
        check_refusal(error, ForbiddenError)
    else:
        raise AssertionError("a reader wrote")
    for given in ({"api_key": "nobody"}, {"client_id": "nobody", "client_secret": "nothing"}):
        try:
            list(Vectara(environment=ENVIRONMENT, **given).agents.list(request_options=ONCE))
        except ApiError as error:
            status = error.status_code
        else:
            status = 200
        assert status == 401, given


def main() -> int:
    checks = Checks("vectara")
    with checks.check("keys that may only read, and credentials that are none, are refused"):
        check_credentials()
    for number, given in enumerate(credentials()):
        name = " and ".join(given)
        with checks.check(f"the sync client by {name}: agents, sessions, every update, events, refusals"):
            walk(Vectara(environment=ENVIRONMENT, **given), f"agt_sync_{number}")
        with checks.check(f"the async client by {name}: agents, sessions, updates, refusals"):
            asyncio.run(walk_async(AsyncVectara(environment=ENVIRONMENT, **given), f"agt_async_{number}"))
    return checks.finish()


if __name__ == "__main__":
    raise SystemExit(main())
