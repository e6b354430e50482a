"""Prepares subscriptions: from a request to a place in a channel that it may share with others."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from graphql import FieldNode, GraphQLSchema, VariableNode, Visitor, visit

from app.core.actor import Actor
from app.core.errors import DomainError, NotSupported, RateLimited, TooComplex
from app.core.fairness import Caller
from app.execution import errors
from app.execution.documents import Operation
from app.execution.lowering import RootField
from app.execution.operation import Operations, permissions_of, with_constants
from app.execution.outcome import GraphQLRequest, Phase, Refused
from app.execution.preparing import fields_in
from app.feed import EventStream, Stream
from app.graph.context import Context
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
from app.storage.event_log import parse_cursor

AFTER = "after"
_RETRY_AFTER = 5
_MOST_BYTES_OF_VARIABLES = 65_536  # of each subscription: they are held for as long as it lasts


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is the same for everyone who sends this text with these permissions."""

    root: RootField
    stream: Stream
    plan: Plan
    inner: frozenset[str]  # the variables that the selection itself uses
    constants: Mapping[str, object]
    fields: int


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
        """How many subscriptions this process answers now."""
        return len(self._deliveries)

    def of(self, caller: Caller) -> int:
        """How many subscriptions of the caller this process answers now."""
        return self._places.of(caller)

    async def open(
        self, operation: Operation, request: GraphQLRequest, context: Context, after: str | None = None
    ) -> Subscriber:
        """Begin to listen to an operation that is a subscription; the caller must close what it gets.

        `after` wins over the argument of that name. Raises Refused and RateLimited."""
        variables = self._operations.variables(operation, request.variables)
        if len(_frozen(variables)) > _MOST_BYTES_OF_VARIABLES:
            text = f"The variables of a subscription may have {_MOST_BYTES_OF_VARIABLES:,} bytes at most."
            raise Refused([errors.entry(text, TooComplex.code)], Phase.VARIABLES)
        permissions = permissions_of(context)
        key = (permissions, *[variables.get(name) for name in operation.conditions])
        prepared: _Prepared | None = operation.prepared.get(key)
        if prepared is None:
            make = partial(self._prepare, operation, permissions, variables)
            prepared = await self._operations.prepared(operation, key, context, make)
        root, stream = prepared.root, prepared.stream
        variables = with_constants(variables, prepared.constants)
        path = (root.field.key,)
        try:
            actor = context.actor
            arguments = dict(root.field.arguments(variables))
            asked = arguments.pop(AFTER, None)
            given = asked if after is None else after
            durable = isinstance(stream, EventStream) and stream.durable
            if isinstance(stream, EventStream):
                arguments = dict(stream.of_caller(arguments, actor.user_id))
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
            recipe = Recipe(
                root.field.key,
                prepared.plan,
                variables,
                viewer,
                caller=("deliveries", actor.caller),
            )
            channel = (share, _frozen(arguments))
            with self._place(actor) as place:
                subscriber: EventSubscriber | SnapshotSubscriber
                if isinstance(stream, EventStream):
                    match, watched = stream.match(permissions, arguments), stream.watches(permissions, arguments)
                    keys = stream.keys(arguments)
                    subscriber = await self._deliveries.events(
                        channel, share, stream, recipe, match, keys, actor.caller, cursor
                    )
                    if watched is not None:
                        subscriber.on_close.append(self._watches.begin(watched, actor.user_id))
                else:
                    subscriber = self._deliveries.snapshots(channel, stream, recipe, permissions)
                subscriber.on_close.append(place.leave)
                return subscriber
        except DomainError as error:
            raise Refused([errors.from_domain(error, path, root.nodes)], Phase.VARIABLES) from None

    @contextmanager
    def _place(self, actor: Actor) -> Iterator[Place]:
        """The user's place for one more subscription, given up when the block fails. Raises RateLimited."""
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
            message = "A subscription has one field, and that is none of introspection."
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
