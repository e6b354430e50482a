"""Runs GraphQL operations: text and variables in, the encoded answer out, the same for every transport."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import strawberry
import structlog
from graphql import FieldNode, GraphQLNonNull, OperationType, get_named_type
from graphql.execution.values import VariableValues

from app.core.clock import Clock
from app.core.errors import DomainError, InvalidInput, NotSupported, TooComplex
from app.selection.mapping import Env
from app.selection.tree import Field
from app.settings import Settings
from app.storage.database import Database
from app.transport import errors
from app.transport.coercion import BadVariables
from app.transport.context import Context
from app.transport.documents import Documents, Operation
from app.transport.guard import Guard
from app.transport.introspection import Introspection
from app.transport.limits import Limits
from app.transport.lowering import TYPENAME, Lowering, RootField
from app.transport.mutations import Call, prepare_call
from app.transport.outcome import GraphQLRequest, Outcome, Phase, Refused

if TYPE_CHECKING:
    from app.selection.plan import Plan

log = structlog.get_logger(__name__)


class Compiler(Protocol):
    """The part of app.selection.compiler.Compiler that operations need."""

    def query(self, fields: Sequence[Field], permissions: frozenset[str] | None) -> "Plan": ...

    def payload(self, type_name: str, fields: Sequence[Field], permissions: frozenset[str] | None) -> "Plan": ...


@dataclass(slots=True)
class _Query:
    plan: "Plan | None"
    roots: tuple[RootField, ...]
    nodes: Mapping[str, tuple[FieldNode, ...]]
    introspective: tuple[FieldNode, ...]
    mixed: bool  # __typename, __schema or __type stand beside or instead of fields that are read


@dataclass(slots=True)
class _Mutation:
    root: RootField
    call: Call | None  # None: __typename
    plan: "Plan | None"
    nullable: bool


class Operations:
    """The operations of one schema over one database."""

    def __init__(
        self, schema: strawberry.Schema, compiler: Compiler, database: Database, settings: Settings, clock: Clock
    ) -> None:
        core = schema._schema
        limits = Limits(document_bytes=settings.max_document_bytes, depth=settings.max_depth)
        self.guard = Guard(core, limits)
        self.documents = Documents(schema, self.guard)
        self._schema = schema
        self.compiler = compiler
        self._database = database
        self._settings = settings
        self._clock = clock
        self.lowering = Lowering(core)
        self._introspection = Introspection(core)

    async def run(self, request: GraphQLRequest, context: Context) -> Outcome:
        """Answer one request. Never raises but for cancellation."""
        try:
            operation = self.documents.get(request.query).operation(request.operation_name)
            if operation.kind is OperationType.QUERY:
                return Outcome(await self._query(operation, request, context), Phase.EXECUTION)
            if operation.kind is OperationType.SUBSCRIPTION:
                message = "Subscriptions are answered over WebSocket or Server-Sent Events."
                raise Refused([errors.entry(message, NotSupported.code)], Phase.OPERATION)
            if not request.mutations:
                message = "A mutation has to be sent by POST."
                raise Refused([errors.entry(message, NotSupported.code)], Phase.METHOD)
            return Outcome(await self._mutate(operation, request, context), Phase.EXECUTION)
        except Refused as refused:
            return Outcome(orjson.dumps({"errors": refused.entries}), refused.phase)
        except DomainError as error:
            entry = errors.entry(error.message, error.code, argument=error.path)
            return Outcome(orjson.dumps({"data": None, "errors": [entry]}), Phase.EXECUTION)
        except Exception as error:
            return Outcome(orjson.dumps({"data": None, "errors": [_internal(error, context)]}), Phase.EXECUTION)

    # ---- queries --------------------------------------------------------------------------------------------------

    async def _query(self, operation: Operation, request: GraphQLRequest, context: Context) -> bytes:
        variables = self.variables(operation, request.variables)
        permissions = permissions_of(context)
        key = (permissions, *[variables.get(name) for name in operation.conditions])
        query: _Query | None = operation.prepared.get(key)
        if query is None:
            query = self._prepare_query(operation, permissions, variables)
            operation.prepared.put(key, query, fields_in(query.roots))
        data: dict[str, Any] | None = {}
        entries: list[errors.Entry] = []
        plan = query.plan
        if plan is not None:
            env = Env(context.actor, context.clock(), self._settings, variables)
            answer = await self._database.plan(
                lambda: plan.steps(env), snapshot=plan.snapshot, caller=context.actor.caller
            )
            data = answer.data
            entries = [errors.from_domain(error, path, query.nodes[str(path[0])]) for path, error in answer.errors]
        if query.mixed and data is not None:
            data = await self._mix(operation, query, data, request.variables)
        return orjson.dumps({"data": data, "errors": entries} if entries else {"data": data})

    def _prepare_query(
        self, operation: Operation, permissions: frozenset[str] | None, variables: Mapping[str, object]
    ) -> _Query:
        roots = self.lowering.roots(operation.document.ast, operation.node, variables)
        read = [root.field for root in roots if root.definition is not None]
        return _Query(
            plan=self.compiler.query(read, permissions) if read else None,
            roots=roots,
            nodes={root.field.key: root.nodes for root in roots},
            introspective=tuple(
                node for root in roots if root.definition is None and root.field.name != TYPENAME for node in root.nodes
            ),
            mixed=len(read) < len(roots),
        )

    async def _mix(
        self, operation: Operation, query: _Query, data: Mapping[str, Any], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        read = dict(data)
        if query.introspective:
            read |= await self._introspection.read(operation, query.introspective, given)
        return {
            root.field.key: "Query" if root.field.name == TYPENAME else read[root.field.key] for root in query.roots
        }

    # ---- mutations ------------------------------------------------------------------------------------------------

    async def _mutate(self, operation: Operation, request: GraphQLRequest, context: Context) -> bytes:
        variables = self.variables(operation, request.variables)
        exact = operation.reader.exact
        try:
            sourced = operation.reader.sourced(request.exact_variables() if exact else request.variables)
        except BadVariables as bad:
            raise Refused(bad.entries, Phase.VARIABLES) from None
        permissions = permissions_of(context)
        key = (permissions, *[variables.get(name) for name in operation.conditions])
        mutations: Sequence[_Mutation] | None = operation.prepared.get(key)
        if mutations is None:
            mutations = self._prepare_mutations(operation, permissions, variables)
            operation.prepared.put(key, mutations, fields_in([mutation.root for mutation in mutations]))
        refusals = self._unreadable(mutations, variables, context)
        if refusals:
            return orjson.dumps({"data": None, "errors": refusals})
        data: dict[str, Any] = {}
        entries: list[errors.Entry] = []
        for mutation in mutations:
            root = mutation.root
            value, faults = await self._run_mutation(mutation, sourced, variables, context)
            entries.extend(faults)
            if value is None and not mutation.nullable:
                # As in any serial execution: what ran before stays done, what comes after does not start.
                return orjson.dumps({"data": None, "errors": entries})
            data[root.field.key] = value
        return orjson.dumps({"data": data, "errors": entries} if entries else {"data": data})

    def _unreadable(
        self, mutations: Sequence[_Mutation], variables: Mapping[str, object], context: Context
    ) -> list[errors.Entry]:
        # Before the first command: a payload that cannot be read would hide what has been done.
        env = Env(context.actor, context.clock(), self._settings, variables)
        found = []
        for mutation in mutations:
            root = mutation.root
            try:
                if mutation.plan is not None:
                    mutation.plan.check(env)
            except DomainError as error:
                found.append(errors.from_domain(error, (root.field.key,), root.nodes))
        return found

    def _prepare_mutations(
        self, operation: Operation, permissions: frozenset[str] | None, variables: Mapping[str, object]
    ) -> list[_Mutation]:
        made = []
        for root in self.lowering.roots(operation.document.ast, operation.node, variables):
            definition = root.definition
            if definition is None:
                made.append(_Mutation(root, None, None, nullable=False))
                continue
            type_name = get_named_type(definition.type).name
            fields = (root.field.children or {}).get(type_name, ())
            made.append(
                _Mutation(
                    root,
                    prepare_call(self._schema, definition, root.nodes[0]),
                    self.compiler.payload(type_name, fields, permissions),
                    nullable=not isinstance(definition.type, GraphQLNonNull),
                )
            )
        return made

    async def _run_mutation(
        self, mutation: _Mutation, sourced: VariableValues, variables: Mapping[str, object], context: Context
    ) -> tuple[Any, list[errors.Entry]]:
        root, plan = mutation.root, mutation.plan
        if mutation.call is None or plan is None:
            return "Mutation", []
        key = root.field.key
        try:
            row = await mutation.call(sourced, context)
            env = Env(context.actor, context.clock(), self._settings, variables)
            answer = await self._database.plan(
                lambda: plan.steps(env, row), snapshot=plan.snapshot, caller=context.actor.caller
            )
        except DomainError as error:
            return None, [errors.from_domain(error, (key,), root.nodes)]
        except Exception as error:
            return None, [_internal(error, context, (key,), root.nodes)]
        faults = [errors.from_domain(error, (key, *path), root.nodes) for path, error in answer.errors]
        return answer.data, faults

    # ---- both -----------------------------------------------------------------------------------------------------

    def variables(self, operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
        """The variables in the neutral form. Raises Refused."""
        try:
            values = operation.reader.neutral(given)
            if operation.costs_depend:
                self.guard.check_cost(operation.document.ast, operation.name, values)
        except BadVariables as bad:
            raise Refused(bad.entries, Phase.VARIABLES) from None
        except (InvalidInput, TooComplex) as error:
            entry = errors.entry(error.message, error.code, argument=error.path)
            raise Refused([entry], Phase.VARIABLES) from None
        return values


def fields_in(roots: Sequence[RootField]) -> int:
    """How many fields there are below and with these, which is how large their plan is."""
    found = 0
    stack = [root.field for root in roots]
    while stack:
        found += 1
        for fields in (stack.pop().children or {}).values():
            stack.extend(fields)
    return found


def permissions_of(context: Context) -> frozenset[str] | None:
    """What plans are compiled for: the actor's permissions, None for all of them."""
    return None if context.actor.is_admin else context.actor.permissions


def _internal(
    error: Exception, context: Context, path: Sequence[str | int] | None = None, nodes: Sequence[FieldNode] = ()
) -> errors.Entry:
    log.error("operation failed", request_id=context.request_id, exc_info=error)
    return errors.entry(errors.INTERNAL_MESSAGE, errors.INTERNAL, locations=errors.places(nodes), path=path)
