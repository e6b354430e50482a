"""Numbers of more than 32 bits come back digit for digit, by either door."""

from typing import Any

import pytest

from tests.graph.exchanges import URL
from tests.graph.people import store_people
from tests.graph.running import Graph

pytestmark = pytest.mark.anyio

MINUTES = 2**63 - 1
SIZE = 2**53 - 1
CREATE = 'createAgentSession(input: {agentKey: "agt_long", ttiMinutes: %s})'
ASKED = "{ agentSession { ttiMinutes expiresAt } errors { message } }"
RECEIVE = """receiveMessage(input: {target: {customer: {kind: SESSION, customerId: %s}}, contents: [{image: {%s}}]}) {
  message { contents { ... on ImageMessageContent { size } } } errors { message } }"""


async def test_long_numbers_are_kept_exactly(graph: Graph) -> None:
    people = await store_people(graph)
    await graph.do("createAiAgent", {"name": "Long", "agentKey": "agt_long"})
    customer = f'"{people.customers["zoe_session"]}"'
    file = f'mimeType: "image/png", downloadUrl: "{URL}", size: '
    literals = f"""mutation {{
      number: {CREATE % MINUTES} {ASKED} text: {CREATE % f'"{MINUTES}"'} {ASKED}
      file: {RECEIVE % (customer, f"{file} {SIZE}")}
    }}"""
    variables = f"""mutation ($number: Long!, $text: Long!, $size: Long) {{
      number: {CREATE % "$number"} {ASKED} text: {CREATE % "$text"} {ASKED}
      file: {RECEIVE % (customer, f"{file} $size")}
    }}"""
    # It would end beyond the calendar, so it never does.
    session: dict[str, Any] = {"agentSession": {"ttiMinutes": MINUTES, "expiresAt": None}, "errors": []}
    image = {"message": {"contents": [{"size": SIZE}]}, "errors": []}
    expected = {"number": session, "text": session, "file": image}
    assert await graph.read(literals) == expected
    assert await graph.read(variables, number=MINUTES, text=str(MINUTES), size=SIZE) == expected


@pytest.mark.parametrize("metadata", ["{a: 1e400}", '"{\\"a\\": 1e400}"'])
async def test_json_with_a_number_beyond_doubles_is_refused(graph: Graph, metadata: str) -> None:
    await graph.do("createAiAgent", {"name": "Long", "agentKey": "agt_long"})
    given = f'{{agentKey: "agt_long", metadata: {metadata}}}'
    assert await graph.read(f"mutation {{ createAgentSession(input: {given}) {{ errors {{ code }} }} }}") == {
        "createAgentSession": {"errors": [{"code": "INVALID_INPUT"}]}
    }
