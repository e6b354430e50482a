"""The resources of a running application, which requests find in their scope."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from graphql import OperationType
from starlette.types import Receive, Scope

from app.budgets import Store
from app.core.actor import Actor
from app.core.clock import Clock
from app.core.credentials import KnownKeys, Tickets, TokenIssuer
from app.core.errors import Forbidden
from app.core.fairness import Caller
from app.core.trail import Trail, client_named
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest, Outcome
from app.graph.context import Context, Outside, untold
from app.http import bodies
from app.http.in_flight import InFlight
from app.http.rate_limit import Limiter
from app.http.watching import Watcher
from app.live.connections import Connections
from app.live.items import Subscriber
from app.live.subscriptions import Subscriptions
from app.rest.headers import Headers
from app.rest.reading import Reads
from app.settings import Settings
from app.storage.database import Database

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Services:
    """Opened by the lifespan, closed by it."""

    database: Database
    operations: Operations
    keys: KnownKeys
    tokens: TokenIssuer
    tickets: Tickets
    limiter: Limiter
    in_flight: InFlight
    reads: Reads
    settings: Settings
    clock: Clock
    subscriptions: Subscriptions
    connections: Connections
    outside: Outside
    watchers: Sequence[Watcher] = ()
    """Are told of each answer."""
    store: Store | None = None
    """Where callers' shares are counted with other processes."""
    forbidden: Callable[[Actor, Forbidden], None] = untold
    """Told of what was answered with FORBIDDEN."""

    def context(self, actor: Actor, request_id: str) -> Context:
        """What one operation of this actor carries."""
        keys_changed, outside, forbidden = self.keys.forget, self.outside, self.forbidden
        return Context(self.database, actor, self.settings, self.clock, request_id, keys_changed, outside, forbidden)

    def body(self, headers: Headers, receive: Receive, actor: Actor) -> Coroutine[Any, Any, bytes]:
        """A request's whole body. Raises as `bodies.body_of`."""
        compiling = self.operations.compiling
        return bodies.body_of(headers, receive, self.settings.max_body_bytes, compiling, actor.caller)

    async def parsed(self, body: bytes, parse: Callable[[bytes], T], actor: Actor) -> T:
        """What `parse` makes of the body. Raises as `bodies.parsed`."""
        return await bodies.parsed(body, parse, self.operations.compiling, actor.caller)

    async def pace(self, actor: Actor) -> None:
        """Wait until the actor's caller may go on with what takes much of the loop's time, as a long list."""
        await self.in_flight.pace(actor.caller)

    async def pace_item(self, actor: Actor) -> None:
        """Wait until an item may go out to one of the subscriptions of the actor's caller: at once unless it has many.

        A thousand of them take 40 ms of the loop for one event, and other callers wait behind them."""
        if self.subscriptions.of(actor.caller) > self.connections.limits.crowd:
            await self.in_flight.pace(actor.caller)

    async def command(
        self,
        actor: Actor,
        request_id: str,
        service: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Run `service(work, actor, *args, **kwargs)` as one command. Raises its DomainError."""
        return await self.context(actor, request_id).command(service, args, kwargs)

    async def ask(self, request: GraphQLRequest, context: Context) -> Subscriber | Outcome:
        """Open the subscription that is asked for, or answer any other request. Raises Refused and DomainError."""
        asked = self.operations.resolved(request, context.actor.caller)
        if isinstance(asked, Outcome):
            return asked
        found = await self.operations.find(asked, context)
        if isinstance(found, Outcome):
            return found
        if found.kind is OperationType.SUBSCRIPTION:
            return await self.subscriptions.open(found, asked, context)
        return await self.operations.run(asked, context, found)


def services_of(scope: Scope) -> Services:
    """The services of the application that serves this request."""
    found: Services = scope["state"]["services"]
    return found


def remember_caller(scope: Scope, actor: Actor, headers: Headers) -> Caller:
    """The actor's caller. Lets what carries the answer know whose share of the process it is, and what is told of it
    whose it was."""
    state = scope["state"]
    caller = state["caller"] = actor.caller
    trail: Trail | None = state.get("trail")
    if trail is not None:
        trail.user_id = actor.user_id
        trail.client = client_named(headers)
    return caller


def caller_of(scope: Scope) -> Caller:
    """Whose request it is: of a caller that was remembered, else of its address."""
    found: Caller = scope["state"].get("caller")
    return found if found is not None else address_of(scope)


def address_of(scope: Scope) -> str:
    """Where a request comes from; empty where that is not known."""
    found: str = (scope.get("client") or ("",))[0]
    return found


def request_id_of(scope: Scope) -> str:
    """The id under which this request is logged; empty outside of RequestId."""
    found: str = scope["state"].get("request_id", "")
    return found
