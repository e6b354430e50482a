"""The four REST contracts over the database of a floor, without a scheduler of their own."""

from collections.abc import Mapping
from typing import Any, cast

import httpx2
from starlette.applications import Starlette

from app.asgi import CONTRACTS
from app.core.credentials import KnownKeys
from app.http.contracts import ContractRoute
from app.http.in_flight import InFlight
from app.http.rate_limit import Limiter
from app.http.services import Services
from app.rest.contract import with_contracts
from app.rest.reading import Reads
from app.schema import SLICES, build_catalogue
from app.selection.compiler import Compiler
from tests.graph.running import SCHEMA, Graph
from tests.kinds.rest import Names
from tests.sharing import shared_plans

KEYS = """query($id: ID!) { interaction(id: $id) {
  ... on Session { sessionKey customer { customerKey } }
  ... on AgentSession { agentKey agentSessionKey }
  ... on ChatSession { chatSessionId }
  ... on Conversation { conversationId }
} }"""
"""What the contracts know an interaction by."""


class Contracts:
    """A client of all four contracts, who is Bo. An answer that is no success fails the test."""

    def __init__(self, graph: Graph) -> None:
        compiler = Compiler(with_contracts(build_catalogue(SCHEMA, SLICES), CONTRACTS), graph.database.dialect)
        reads = Reads(compiler, graph.database)
        reads.plans = shared_plans(graph.database.dialect, "REST")
        services = Services(
            graph.database,
            graph.operations,
            KnownKeys(Names()),
            tokens=cast("Any", None),
            tickets=cast("Any", None),
            limiter=Limiter(0),
            in_flight=InFlight(100),
            reads=reads,
            settings=graph.settings,
            clock=graph.clock,
            subscriptions=cast("Any", None),
            connections=cast("Any", None),
            outside=cast("Any", None),
        )
        app = Starlette(routes=[ContractRoute(contract) for contract in CONTRACTS])

        async def serve(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "state": {"services": services}}, receive, send)

        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(serve),
            base_url="http://test",
            headers={"authorization": "Bearer bo"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, path: str, *, missing: bool = False) -> Any:
        """What is read there; with `missing` None where there is nothing."""
        response = await self._client.get(path)
        if missing and response.status_code == 404:
            return None
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Mapping[str, Any]) -> None:
        response = await self._client.post(path, json=body)
        assert response.status_code in (200, 201), response.text

    async def patch(self, path: str, body: Mapping[str, Any]) -> None:
        response = await self._client.patch(path, json=body)
        assert response.status_code == 200, response.text


def path_of(kind: str, keys: Mapping[str, Any]) -> str:
    """Where the kind's contract has the interaction."""
    match kind:
        case "session":
            return f"/v1/customers/{keys['customer']['customerKey']}/sessions/{keys['sessionKey']}"
        case "agent_session":
            return f"/v2/agents/{keys['agentKey']}/sessions/{keys['agentSessionKey']}"
        case "chat_session":
            return f"/api/v1/ChatSession/{keys['chatSessionId']}"
    return f"/third-party/v1/conversations/{keys['conversationId']}"


def written(kind: str, *, by_customer: bool) -> tuple[str, Mapping[str, Any]]:
    """Where below an interaction's path its contract takes a message, and the message."""
    match kind:
        case "session":
            return "/messages", {"content": "Hi", "sender_role": "end-user" if by_customer else "agent"}
        case "agent_session":
            return "/events", {"type": "input_message", "messages": [{"type": "text", "content": "Hi"}]}
        case "chat_session":
            return "/Messages", {"Message": "Hi", "Type": "ToUser" if by_customer else "ToCustomer"}
    return "/messages", {"type": "text", "text": {"content": "Hi"}}


def switched(kind: str, *, opens: bool) -> Mapping[str, Any]:
    """The update by which the kind's contract closes an interaction, or opens it again."""
    match kind:
        case "agent_session":
            return {"enabled": opens}
        case "chat_session":
            return {"Status": "UserLast" if opens else "Closed"}
    return {"status": "in-progress" if opens else "done"}
