"""AgentSessions: the same command and the same violation over both transports."""

import pytest

from app.kinds.agent_session.rest import CONTRACT
from tests.kinds.agent_session.rest.conftest import SESSIONS
from tests.kinds.parity import Case, compare
from tests.kinds.rest import House
from tests.turns import turns_of

pytestmark = pytest.mark.anyio

FIELDS = """... on AgentSession {
  name description metadata enabled ttiMinutes expiresAt status secrets agentKey customer { customerKey }
}"""
TARGET = {"agentKey": "agt_customer_support", "agentSessionKey": "{twin}"}


def update(name: str, body: object, given: dict[str, object], code: str | None = None, **more: object) -> Case:
    return Case(
        name=name,
        method="PATCH",
        path=f"{SESSIONS}/{{twin}}",
        body=body,
        mutation="updateAgentSession",
        input={**TARGET, **given},
        code=code,
        **more,  # type: ignore[arg-type]
    )


def said(name: str, content: str, code: str | None = None, **more: object) -> Case:
    return Case(
        name=name,
        method="POST",
        path=f"{SESSIONS}/{{twin}}/events",
        body={"type": "input_message", "messages": [{"type": "text", "content": content}]},
        mutation="receiveMessage",
        input={"target": {"interactionId": "{id}"}, "contents": [{"text": {"content": content}}]},
        code=code,
        **more,  # type: ignore[arg-type]
    )


ESCALATED = {"priority": "urgent", "escalation_level": "tier_2", "customer_id": "customer_1"}
OFF = ("PATCH", f"{SESSIONS}/{{twin}}", {"enabled": False})
CASES = [
    update("escalate", {"metadata": ESCALATED}, {"metadata": ESCALATED}),
    update(
        "calm down",
        {"metadata": None},
        {"metadata": None},
        before=(("PATCH", f"{SESSIONS}/{{twin}}", {"metadata": ESCALATED}),),
    ),
    update("switch off", {"enabled": False}, {"enabled": False}),
    update("switch on", {"enabled": True}, {"enabled": True}, before=(OFF,)),
    update("idle time", {"tti_minutes": 5, "name": "N"}, {"ttiMinutes": 5, "name": "N"}),
    update(
        "clear",
        {"description": None},
        {"description": None},
        before=(("PATCH", f"{SESSIONS}/{{twin}}", {"description": "D"}),),
    ),
    update("secrets", {"secrets": {"a": "hidden"}}, {"secrets": {"a": "hidden"}}),
    update("an empty name", {"name": ""}, {"name": ""}, "INVALID_INPUT"),
    update("a name too long", {"name": "x" * 256}, {"name": "x" * 256}, "TOO_LONG"),
    update("a negative time", {"tti_minutes": -1}, {"ttiMinutes": -1}, "INVALID_INPUT"),
    update("a bad secret", {"secrets": {"a b": "x"}}, {"secrets": {"a b": "x"}}, "INVALID_INPUT"),
    update("who may not write", {"name": "x"}, {"name": "x"}, "FORBIDDEN", actor="cy"),
    Case(name="delete", method="DELETE", path=f"{SESSIONS}/{{twin}}", mutation="deleteAgentSession", input=TARGET),
    Case(
        name="delete as a reader",
        method="DELETE",
        path=f"{SESSIONS}/{{twin}}",
        mutation="deleteAgentSession",
        input=TARGET,
        code="FORBIDDEN",
        actor="cy",
    ),
    said("said", "Hi"),
    said("nothing said", "", "INVALID_INPUT"),
    said("said to one that is off", "Hi", "DISABLED", before=(OFF,)),
    said("said by who may not write", "Hi", "FORBIDDEN", actor="cy"),
]


async def opened(house: House, key: str) -> dict[str, str]:
    """A new session with this key."""
    async with house.client() as client:
        assert (await client.post(SESSIONS, json={"key": key, "name": "Same"})).status_code == 201
        query = {"query": f'{{ agentSession(agentKey: "agt_customer_support", agentSessionKey: "{key}") {{ id }} }}'}
        found: str = (await client.post("/graphql", json=query)).json()["data"]["agentSession"]["id"]
    return {"twin": key, "id": found}


async def test_both_transports_do_the_same(house: House, database_url: str, subtests: pytest.Subtests) -> None:
    for place, case in enumerate(turns_of(database_url, CASES)):
        with subtests.test(case.name):
            twins = await opened(house, f"one-{place}"), await opened(house, f"two-{place}")
            await compare(house, CONTRACT, case, twins, FIELDS)
