"""AgentSessions as a client sees them; the contract's example done and read back, its metadata byte for byte."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from app.asgi import create_app
from app.core.actor import Actor
from app.graph.context import Context
from app.http.graphql_http import read_json
from app.kinds.agent_session import service
from app.kinds.agent_session.tables import agent_session
from app.settings import Settings
from app.storage.database import Work
from tests.conftest import ManualClock
from tests.graph.running import Graph, mutation_text, open_graph
from tests.kinds.agent_session.conftest import AGENT_KEY, CUSTOMER_KEY, SESSION_KEY
from tests.kinds.conftest import BO, CY, DEE, store_customer, store_users
from tests.kinds.rest import Names
from tests.serving import PATIENCE, serving

pytestmark = pytest.mark.anyio

METADATA = """{
    "customer_id": "customer_12345",
    "priority": "urgent",
    "channel": "web_chat",
    "issue_category": "billing",
    "resolution_status": "escalated",
    "escalation_level": "tier_2",
    "escalated_to": "manager_001",
    "escalation_reason": "account_adjustment_required",
    "escalation_timestamp": "2024-01-15T15:30:00Z"
  }"""
DESCRIPTION = "Escalated billing inquiry requiring management review and account adjustment"
FIELDS = "agentSessionKey agentKey description metadata enabled createdAt"
BY_KEYS = f'agentSession(agentKey: "{AGENT_KEY}", agentSessionKey: "{SESSION_KEY}")'


@pytest.fixture
async def graph(database_url: str) -> AsyncIterator[Graph]:
    clock = ManualClock(datetime(2024, 1, 15, 10, 30, tzinfo=UTC))
    opened = await open_graph(database_url, clock)

    def fill(work: Work) -> None:
        store_users(work)
        store_customer(work, customer_key=CUSTOMER_KEY, system="AGENT_SESSION")
        service.create_agent(work, BO, {"name": "Support"}, agent_key=AGENT_KEY)
        service.create(work, BO, AGENT_KEY, {}, agent_session_key=SESSION_KEY)

    await opened.database.command(fill)
    yield opened
    await opened.database.close()


async def raw(graph: Graph, document: str, variables: str, actor: Actor = BO) -> bytes:
    """The bytes of the answer to a request whose variables are spelled as given."""
    body = f'{{"query":{orjson.dumps(document).decode()},"variables":{variables}}}'.encode()
    context = Context(graph.database, actor, graph.settings, graph.clock)
    return (await graph.operations.run(read_json(body), context)).body


async def test_the_example_of_the_page(graph: Graph) -> None:
    graph.clock.now = datetime(2024, 1, 15, 15, 30, tzinfo=UTC)
    payload = await graph.do(
        "updateAgentSession",
        {
            "agentKey": AGENT_KEY,
            "agentSessionKey": SESSION_KEY,
            "description": DESCRIPTION,
            "metadata": METADATA,
            "enabled": True,
        },
        f"agentSession {{ {FIELDS} customer {{ customerKey }} attention {{ level reasons since }} version }}",
        BO,
    )
    session = {
        "agentSessionKey": "ase_customer_support_001",
        "agentKey": "agt_customer_support",
        "description": DESCRIPTION,
        "metadata": orjson.loads(METADATA),
        "enabled": True,
        "createdAt": "2024-01-15T10:30:00.000000Z",
    }
    assert payload["agentSession"] == session | {
        "customer": {"customerKey": CUSTOMER_KEY},
        "attention": {"level": "URGENT", "reasons": ["ESCALATED"], "since": "2024-01-15T15:30:00.000000Z"},
        "version": 2,
    }
    assert await graph.read(f"{{ {BY_KEYS} {{ {FIELDS} }} }}", CY) == {"agentSession": session}
    answer = await raw(graph, f"{{ {BY_KEYS} {{ metadata }} }}", "{}")
    assert answer == b'{"data":{"agentSession":{"metadata":' + METADATA.encode() + b"}}}"


ODD = (
    '{"z":1.10,"a":[1E3,-0,1e+2],"n":123456789012345678901234567890,"m":{"b":0.1000,"a":null},'
    '"t":"\\"\\\\ é","e":{},"l":[]}'
)


async def test_an_object_in_variables_keeps_order_and_numbers(graph: Graph) -> None:
    document = mutation_text("updateAgentSession", "agentSession { metadata }")
    answer = await raw(graph, document, f'{{"input":{{"id":"ags_1","metadata":{ODD}}}}}')
    assert answer.startswith(b'{"data":{"updateAgentSession":{"agentSession":{"metadata":' + ODD.encode() + b"}")


async def test_an_object_over_a_websocket_keeps_order_and_numbers(graph: Graph, database_url: str) -> None:
    settings = Settings(database_url=database_url)
    app = create_app(settings, clock=graph.clock, authenticator=lambda _: Names())
    query = orjson.dumps(mutation_text("updateAgentSession", "agentSession { metadata }")).decode()
    variables = f'{{"input":{{"id":"ags_1","metadata":{ODD}}}}}'
    payload = f'{{"query":{query},"variables":{variables}}}'
    async with serving(app, settings) as served, served.socket({"authorization": "Bearer bo"}) as socket:
        await socket.connection.send(f'{{"id":"1","type":"subscribe","payload":{payload}}}')
        async with asyncio.timeout(PATIENCE):
            answer = str(await socket.connection.recv())
    assert f'{{"updateAgentSession":{{"agentSession":{{"metadata":{ODD}}}' in answer


async def test_an_object_in_the_document_keeps_order_and_numbers(graph: Graph) -> None:
    literal = '{z: 1.10, a: [1E3, -0], n: 123456789012345678901234567890, m: {b: true, a: null}, e: SOME, t: "é"}'
    given = f'{{id: "ags_1", metadata: {literal}}}'
    document = f"mutation {{ updateAgentSession(input: {given}) {{ agentSession {{ metadata }} }} }}"
    written = '{"z":1.10,"a":[1E3,-0],"n":123456789012345678901234567890,"m":{"b":true,"a":null},"e":"SOME","t":"é"}'
    answer = await raw(graph, document, "{}")
    assert answer == f'{{"data":{{"updateAgentSession":{{"agentSession":{{"metadata":{written}}}}}}}}}'.encode()


async def test_a_text_keeps_every_byte(graph: Graph) -> None:
    text = '{ "a" :\t1.0 ,\n "u": "\\u00e9" }'
    document = mutation_text("updateAgentSession", "agentSession { metadata }")
    variables = f'{{"input":{{"id":"ags_1","metadata":{orjson.dumps(text).decode()}}}}}'
    answer = await raw(graph, document, variables)
    assert answer.startswith(b'{"data":{"updateAgentSession":{"agentSession":{"metadata":' + text.encode() + b"}")


async def test_an_update_is_tri_state(graph: Graph) -> None:
    gives = "agentSession { name description metadata enabled ttiMinutes expiresAt secrets version }"
    first = {"id": "ags_1", "name": "N", "description": "D", "metadata": {"a": 1}, "ttiMinutes": 60}
    await graph.do("updateAgentSession", first | {"secrets": {"A": "x", "B": "y"}}, gives, BO)
    payload = await graph.do("updateAgentSession", {"id": "ags_1"}, gives, BO)
    kept = {
        "name": "N",
        "description": "D",
        "metadata": {"a": 1},
        "enabled": True,
        "ttiMinutes": 60,
        "expiresAt": "2024-01-15T11:30:00.000000Z",
        "secrets": {"A": "****", "B": "****"},
        "version": 2,
    }
    assert payload["agentSession"] == kept
    cleared = {"id": "ags_1", "description": None, "metadata": None, "ttiMinutes": 0, "secrets": {"A": None}}
    payload = await graph.do("updateAgentSession", cleared, gives, BO)
    assert payload["agentSession"] == kept | {
        "description": None,
        "metadata": {},
        "ttiMinutes": 0,
        "expiresAt": None,
        "secrets": {"B": "****"},
        "version": 3,
    }


async def test_every_field_can_be_read(graph: Graph) -> None:
    def fill(work: Work) -> None:
        work.connection.execute(
            sa.text(
                "UPDATE agent_session SET current_step_name = 'greet', status = 'RUNNING', alias_key = 'al', "
                "created_by_agent_key = 'agt_p', created_by_session_key = 'ase_p', session_context_usage = :usage, "
                "effective_compaction = :compaction"
            ).bindparams(
                sa.bindparam("usage", type_=_json("session_context_usage")),
                sa.bindparam("compaction", type_=_json("effective_compaction")),
            ),
            {
                "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "model_context_window": 4},
                "compaction": {
                    "enabled": True,
                    "threshold_percent": 80,
                    "keep_recent_inputs": 1,
                    "tool_event_policy": "exclude",
                },
            },
        )

    await graph.database.command(fill)
    read = await graph.read(
        f"""{{ {BY_KEYS} {{
          id kind state botActive currentStepName status aliasKey createdByAgentKey createdBySessionKey
          agent {{ id agentKey name }}
          sessionContextUsage {{ inputTokens outputTokens totalTokens modelContextWindow }}
          effectiveCompaction {{ enabled thresholdPercent keepRecentInputs compactionMessage toolEventPolicy }}
        }} }}"""
    )
    assert read["agentSession"] == {
        "id": "ags_1",
        "kind": "AGENT_SESSION",
        "state": "OPEN",
        "botActive": True,
        "currentStepName": "greet",
        "status": "RUNNING",
        "aliasKey": "al",
        "createdByAgentKey": "agt_p",
        "createdBySessionKey": "ase_p",
        "agent": {"id": "aia_1", "agentKey": AGENT_KEY, "name": "Support"},
        "sessionContextUsage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3, "modelContextWindow": 4},
        "effectiveCompaction": {
            "enabled": True,
            "thresholdPercent": 80,
            "keepRecentInputs": 1,
            "compactionMessage": None,
            "toolEventPolicy": "exclude",
        },
    }


def _json(column: str) -> Any:
    return agent_session.c[column].type


async def test_agents_are_made_changed_listed_and_deleted(graph: Graph) -> None:
    gives = """aiAgent { id agentKey name description metadata toolConfigurations model firstStep firstStepName steps
      skills compaction enabled createdAt updatedAt version sessions { totalCount edges { node { id } } } }"""
    given = {"name": "Billing", "agentKey": "agt_billing", "metadata": {"b": 1, "a": 2}, "skills": ["x"]}
    payload = await graph.do("createAiAgent", given, gives, BO)
    agent: dict[str, Any] = {
        "id": "aia_2",
        "agentKey": "agt_billing",
        "name": "Billing",
        "description": None,
        "metadata": {"b": 1, "a": 2},
        "toolConfigurations": {},
        "model": {},
        "firstStep": {},
        "firstStepName": None,
        "steps": {},
        "skills": ["x"],
        "compaction": None,
        "enabled": True,
        "createdAt": "2024-01-15T10:30:00.000000Z",
        "updatedAt": "2024-01-15T10:30:00.000000Z",
        "version": 1,
        "sessions": {"totalCount": 0, "edges": []},
    }
    assert payload["aiAgent"] == agent
    changed = {"agentKey": "agt_billing", "enabled": False, "compaction": {"enabled": True}, "metadata": None}
    payload = await graph.do("updateAiAgent", changed, gives, BO)
    agent |= {"enabled": False, "compaction": {"enabled": True}, "metadata": {}, "version": 2}
    assert payload["aiAgent"] == agent
    listed = "aiAgents(enabled: $enabled) { totalCount edges { node { id sessions { totalCount } } } }"
    document = f"query($enabled: Boolean) {{ {listed} }}"
    both = await graph.read(document, CY)
    assert both["aiAgents"] == {
        "totalCount": 2,
        "edges": [
            {"node": {"id": "aia_1", "sessions": {"totalCount": 1}}},
            {"node": {"id": "aia_2", "sessions": {"totalCount": 0}}},
        ],
    }
    off = await graph.read(document, CY, enabled=False)
    assert [edge["node"]["id"] for edge in off["aiAgents"]["edges"]] == ["aia_2"]
    assert await graph.read('{ aiAgent(agentKey: "agt_billing") { id } node(id: "aia_2") { id } }', CY) == {
        "aiAgent": {"id": "aia_2"},
        "node": {"id": "aia_2"},
    }
    payload = await graph.do("deleteAiAgent", {"id": "aia_2"}, "deletedId", BO)
    assert payload["deletedId"] == "aia_2"
    refused = await graph.attempt("deleteAiAgent", {"id": "aia_1"}, "deletedId", BO)
    assert [error["code"] for error in refused["errors"]] == ["CONFLICT"]


async def test_sessions_are_made_and_deleted(graph: Graph) -> None:
    given = {"agentKey": AGENT_KEY, "name": "S", "metadata": {"customer_id": "someone_new"}}
    payload = await graph.do(
        "createAgentSession", given, "agentSession { id agentSessionKey name customer { customerKey system } }", BO
    )
    assert payload["agentSession"] == {
        "id": "ags_2",
        "agentSessionKey": "ase_1",
        "name": "S",
        "customer": {"customerKey": "someone_new", "system": "AGENT_SESSION"},
    }
    gone = await graph.do("deleteAgentSession", {"agentKey": AGENT_KEY, "agentSessionKey": "ase_1"}, "deletedId", BO)
    assert gone["deletedId"] == "ags_2"


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"id": "ags_1", "metadata": [1]}, "INVALID_INPUT", ["input", "metadata"]),
        ({"id": "ags_1", "metadata": "no JSON"}, "INVALID_INPUT", ["input", "metadata"]),
        ({"id": "ags_1", "metadata": 5}, "INVALID_INPUT", ["input", "metadata"]),
        ({"id": "ags_1", "secrets": {"a b": "x"}}, "INVALID_INPUT", ["input", "secrets"]),
        ({"id": "ags_1", "ttiMinutes": -1}, "INVALID_INPUT", ["input", "ttiMinutes"]),
        ({"id": "ags_1", "name": ""}, "INVALID_INPUT", ["input", "name"]),
        ({"id": "ags_1", "name": "x" * 256}, "TOO_LONG", ["input", "name"]),
        ({"agentKey": AGENT_KEY}, "INVALID_INPUT", ["input", "id"]),
        ({"id": "ags_1", "agentKey": AGENT_KEY}, "INVALID_INPUT", ["input", "id"]),
        ({"agentKey": AGENT_KEY, "agentSessionKey": "x"}, "NOT_FOUND", ["input", "agentSessionKey"]),
        ({"id": "ags_1", "ifVersion": 9, "name": "N"}, "VERSION_CONFLICT", ["input", "ifVersion"]),
    ],
)
async def test_a_refused_update_says_what_and_where(
    graph: Graph, given: dict[str, Any], code: str, path: list[str]
) -> None:
    payload = await graph.attempt("updateAgentSession", given, "agentSession { id }", BO)
    assert payload["agentSession"] is None
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, path)]


async def test_who_may_not_read_agent_sessions_is_told_so(graph: Graph) -> None:
    for root in (BY_KEYS, 'aiAgent(id: "aia_1")', "aiAgents"):
        selected = "totalCount" if root == "aiAgents" else "id"
        answer = await graph.answer(f"{{ {root} {{ {selected} }} }}", DEE)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert await graph.read('{ node(id: "aia_1") { id } }', DEE) == {"node": None}


async def test_a_disabled_session_refuses_messages(graph: Graph) -> None:
    await graph.do("closeInteraction", {"id": "ags_1"}, actor=BO)
    sent = await graph.attempt("sendMessage", {"id": "ags_1", "content": {"text": {"content": "x"}}}, actor=BO)
    assert [error["code"] for error in sent["errors"]] == ["DISABLED"]
    can = "viewerCan { reply receive close reopen snooze update delete }"
    assert await graph.read(f'{{ interaction(id: "ags_1") {{ {can} }} }}', BO) == {
        "interaction": {
            "viewerCan": {
                "reply": False,
                "receive": False,
                "close": False,
                "reopen": True,
                "snooze": False,
                "update": True,
                "delete": True,
            }
        }
    }


async def test_a_secret_is_never_readable(graph: Graph) -> None:
    document = mutation_text("updateAgentSession", "agentSession { secrets }")
    answer = await raw(graph, document, '{"input":{"id":"ags_1","secrets":{"TOKEN":"hush-hush"}}}')
    assert b'"secrets":{"TOKEN":"****"}' in answer

    def everything(work: Work) -> str:
        tables = ("agent_session", "event_log", "interaction")
        return repr([work.connection.execute(sa.text(f"SELECT * FROM {name}")).all() for name in tables])

    assert "hush-hush" not in await graph.database.command(everything)
