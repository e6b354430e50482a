"""Opens subscriptions: from a request to a position in a channel."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from graphql import FieldNode, GraphQLSchema, OperationType, VariableNode, Visitor, visit

from app.core.actor import Actor
from app.core.errors import DomainError, NotSupported, RateLimited, TooComplex
from app.core.fairness import Caller
from app.execution import errors
from app.execution.costs import Cost
from app.execution.documents import Operation
from app.execution.lowering import RootField
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest, Outcome, Phase, Refused
from app.execution.preparing import fields_in, permissions_of, with_constants
from app.feed import EventStream, Stream
from app.graph.context import Context
from app.live.channel import Matcher
from app.live.costs import CostTeller
from app.live.deliveries import Deliveries
from app.live.items import Subscriber
from app.live.places import Place, Places
from app.live.recipe import Recipe
from app.live.snapshots import SnapshotSubscriber
from app.live.subscriber import EventSubscriber
from app.live.watching import Watches
from app.selection.catalogue import UnmappedField
from app.selection.plan import Plan
from app.selection.tree import Field
from app.storage.event_log import Cursor, parse_cursor

AFTER = "after"
_RETRY_AFTER = 5
_MOST_BYTES_OF_VARIABLES = 65_536  # of each subscription: they are held for as long as it lasts


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What all requests with this text and these permissions share."""

    root: RootField
    stream: Stream
    plan: Plan
    inner: frozenset[str]  # the variables that the selection itself uses
    constants: Mapping[str, object]
    fields: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """The stream, share and channel of one request; requests that are equal in all three get the same items."""

    root: RootField
    stream: Stream
    arguments: Mapping[str, Any]
    permissions: frozenset[str] | None
    cursor: Cursor | None
    share: tuple[object, ...]
    recipe: Recipe
    matcher: Matcher | None  # of a stream of events
    cost: Cost | None  # where the request asks for it

    @property
    def channel(self) -> tuple[object, ...]:
        return (self.share, _frozen(self.arguments))


class Subscriptions:
    """Opens subscriptions of one schema. Raises UnmappedField when a field of Subscription has no stream."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operations: Operations,
        streams: Mapping[str, Stream],
        deliveries: Deliveries,
        watches: Watches,
        most_of_user: int,
    ) -> None:
        self._operations = operations
        self._streams = streams
        self._deliveries = deliveries
        self._watches = watches
        self._places = Places(most_of_user)
        declared = schema.subscription_type
        missing = set() if declared is None else set(declared.fields) - set(streams)
        if missing:
            raise UnmappedField(f"these subscriptions have no stream: {', '.join(sorted(missing))}")

    @property
    def running(self) -> int:
        """The number of subscriptions that this process answers now."""
        return len(self._deliveries)

    @property
    def items_made(self) -> int:
        """The number of items made of events, each counted once however many get it."""
        return self._deliveries.items_made

    @property
    def items_sent(self) -> int:
        """The number of items sent, counted once for each subscription that gets them."""
        return self._deliveries.items_sent

    def of(self, caller: Caller) -> int:
        """The number of subscriptions of the caller that this process answers now."""
        return self._places.of(caller)

    async def found(self, request: GraphQLRequest, context: Context) -> Operation:
        """The subscription of a request. Raises Refused, also for a query or a mutation, and RateLimited."""
        operation = await self._operations.find(request, context)
        if isinstance(operation, Outcome):
            raise Refused(orjson.loads(operation.body)["errors"], operation.phase)
        if operation.kind is not OperationType.SUBSCRIPTION:
            raise Refused([errors.entry("The operation is not a subscription.", NotSupported.code)], Phase.OPERATION)
        return operation

    async def require_durable(self, request: GraphQLRequest, context: Context) -> None:
        """Raises Refused unless the request is a subscription that the caller may open and a cursor can resume.

        Raises RateLimited, too."""
        asked = await self._asked(await self.found(request, context), request, context, None, charged=False)
        if not isinstance(asked.stream, EventStream) or not asked.stream.durable:
            message = "This subscription cannot be resumed: its field has no argument `after`."
            raise Refused([errors.entry(message, NotSupported.code)], Phase.VALIDATION)

    async def open(
        self,
        operation: Operation,
        request: GraphQLRequest,
        context: Context,
        after: str | None = None,
        *,
        is_asked: bool = True,
    ) -> Subscriber:
        """Open the subscription; the caller must close what it gets.

        `after` overrides the argument of that name. `is_asked` says that the actor itself listens: its share is
        charged, and other users are told of it where the stream says so. Raises Refused and RateLimited."""
        asked = await self._asked(operation, request, context, after, charged=is_asked)
        actor, stream = context.actor, asked.stream
        with _refusing(asked.root, context), self._place(actor) as place:
            subscriber: EventSubscriber | SnapshotSubscriber
            if isinstance(stream, EventStream):
                assert asked.matcher is not None
                subscriber = await self._deliveries.events(
                    asked.channel, asked.share, stream, asked.recipe, asked.matcher, actor.caller, asked.cursor
                )
                watched = stream.watches(asked.permissions, asked.arguments) if is_asked else None
                if watched is not None:
                    subscriber.on_close.append(self._watches.begin(watched, actor.user_id))
            else:
                subscriber = self._deliveries.snapshots(asked.channel, stream, asked.recipe, actor.viewer)
            subscriber.on_close.append(place.leave)
            return subscriber if asked.cost is None else CostTeller(subscriber, asked.cost)

    async def _asked(
        self, operation: Operation, request: GraphQLRequest, context: Context, after: str | None, *, charged: bool
    ) -> _Asked:
        variables = self._operations.variables(operation, request.variables)
        if len(_frozen(variables)) > _MOST_BYTES_OF_VARIABLES:
            text = f"The variables of a subscription may have {_MOST_BYTES_OF_VARIABLES:,} bytes at most."
            raise Refused([errors.entry(text, TooComplex.code)], Phase.VARIABLES)
        caller = context.actor.caller
        cost = await self._operations.costs.of(operation, variables, caller, asked=request.cost, charged=charged)
        permissions = permissions_of(context)
        key = (permissions, *[variables.get(name) for name in operation.conditions])
        prepared: _Prepared | None = operation.prepared.get(key)
        if prepared is None:
            make = partial(self._prepare, operation, permissions, variables)
            prepared = await self._operations.prepared(operation, key, context, make)
        root, stream = prepared.root, prepared.stream
        variables = with_constants(variables, prepared.constants)
        with _refusing(root, context):
            actor = context.actor
            arguments = dict(root.field.arguments(variables))
            asked = arguments.pop(AFTER, None)
            given = asked if after is None else after
            durable = isinstance(stream, EventStream) and stream.durable
            matcher: Matcher | None = None
            if isinstance(stream, EventStream):
                arguments = dict(stream.of_caller(arguments, actor.user_id))
                match, keys = stream.match(actor.viewer, arguments), stream.keys(arguments)
                asks = (root.field.name, actor.viewer, _frozen(arguments))
                matcher = Matcher(asks, match, keys, stream.values_of)
            cursor = parse_cursor(str(given)) if durable and given is not None else None
            # What only this actor sees is shared with its other listeners alone.
            viewer = actor if prepared.plan.is_personal(variables) else None
            share = (
                request.query,
                operation.name,
                *key,
                _frozen({name: variables[name] for name in prepared.inner if name in variables}),
                viewer,
            )
            recipe = Recipe(root.field.key, prepared.plan, variables, viewer, caller=("deliveries", actor.caller))
            return _Asked(root, stream, arguments, permissions, cursor, share, recipe, matcher, cost)

    @contextmanager
    def _place(self, actor: Actor) -> Iterator[Place]:
        """A slot of the user for one more subscription, released when the block fails. Raises RateLimited."""
        place = self._places.take(actor.caller)
        if place is None:
            message = f"This user has {self._places.each:,} subscriptions open; close one first."
            raise RateLimited(message, retry_after=_RETRY_AFTER)
        try:
            yield place
        except BaseException:
            place.leave()
            raise

    def _prepare(
        self, operation: Operation, permissions: frozenset[str] | None, variables: Mapping[str, object]
    ) -> _Prepared:
        preparer = self._operations.preparer
        roots, constants = preparer.lowered(operation, variables)
        if len(roots) != 1 or roots[0].definition is None:
            message = "A subscription must select exactly one field, which is not a field of introspection."
            raise Refused([errors.entry(message, NotSupported.code)], Phase.VALIDATION)
        (root,) = roots
        field = root.field
        stream = self._streams[field.name]
        if isinstance(stream, EventStream):
            plan = preparer.payload(root, stream.type, permissions)
        else:
            as_query = Field(stream.root, field.key, field.arguments, field.children)
            shape = f"{stream.root} ".encode() + root.shape
            plan = preparer.plan([root._replace(field=as_query, shape=shape)], permissions)
        return _Prepared(root, stream, plan, _variables_below(operation, root.nodes), constants, fields_in(roots))


@contextmanager
def _refusing(root: RootField, context: Context) -> Iterator[None]:
    """What the block cannot do is the fault of the operation's root field."""
    try:
        yield
    except DomainError as error:
        context.tell_forbidden((error,))
        raise Refused([errors.from_domain(error, (root.field.key,), root.nodes)], Phase.VARIABLES) from None


def _variables_below(operation: Operation, nodes: Iterable[FieldNode]) -> frozenset[str]:
    """The variables in the selections of the root field; those of any fragment count, used or not."""
    found = _Variables()
    for node in nodes:
        if node.selection_set is not None:
            visit(node.selection_set, found)
    for definition in operation.ast.definitions:
        if definition.kind == "fragment_definition":
            visit(definition, found)
    return frozenset(found.names)


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_args: object) -> None:
        self.names.add(node.name.value)


def _frozen(values: Mapping[str, Any]) -> bytes:
    return orjson.dumps(values, default=str, option=orjson.OPT_SORT_KEYS)
