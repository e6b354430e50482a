"""What an application holds open while it serves; every request finds it in its scope."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import OperationType
from starlette.types import Scope

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.fairness import Caller
from app.settings import Settings
from app.storage.database import Database
from app.transport.auth import KnownKeys, TokenIssuer
from app.transport.channel import Subscriber
from app.transport.connections import Connections
from app.transport.context import Context
from app.transport.in_flight import InFlight
from app.transport.operation import Operations
from app.transport.outcome import GraphQLRequest, Outcome
from app.transport.rate import Limiter
from app.transport.subscriptions import Subscriptions

if TYPE_CHECKING:
    from app.transport.rest.reading import Reads


@dataclass(frozen=True, slots=True)
class Services:
    """Opened by the lifespan, closed by it."""

    database: Database
    operations: Operations
    keys: KnownKeys
    tokens: TokenIssuer
    limiter: Limiter
    in_flight: InFlight
    reads: "Reads"
    settings: Settings
    clock: Clock
    subscriptions: Subscriptions
    connections: Connections

    def context(self, actor: Actor, request_id: str) -> Context:
        """What one operation of this actor carries."""
        return Context(self.database, actor, self.settings, self.clock, request_id, self.keys.forget)

    async def ask(self, request: GraphQLRequest, context: Context) -> Subscriber | Outcome:
        """Open the subscription that is asked for, or answer any other request. Raises Refused and DomainError."""
        found = await self.operations.find(request, context)
        if isinstance(found, Outcome):
            return found
        if found.kind is OperationType.SUBSCRIPTION:
            return await self.subscriptions.open(found, request, context)
        return await self.operations.run(request, context, found)


def services_of(scope: Scope) -> Services:
    """The services of the application that serves this request."""
    found: Services = scope["state"]["services"]
    return found


def remember_caller(scope: Scope, actor: Actor) -> None:
    """Let what carries the answer know whose share of the process it is."""
    scope["state"]["caller"] = actor.caller


def caller_of(scope: Scope) -> Caller:
    """Whose request it is: of a caller that was remembered, else of its address."""
    found: Caller = scope["state"].get("caller")
    return found if found is not None else (scope.get("client") or ("",))[0]


def request_id_of(scope: Scope) -> str:
    """The id under which this request is logged; empty outside of RequestId."""
    found: str = scope["state"].get("request_id", "")
    return found
