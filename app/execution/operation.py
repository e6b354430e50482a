"""Runs GraphQL operations: from text and variables to the encoded answer."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, cast

import orjson
import structlog
from graphql import GraphQLSchema, OperationType

from app.budgets import Store
from app.core.clock import Clock
from app.core.errors import DomainError, InvalidInput, NotSupported, RateLimited, TooComplex, release
from app.core.fairness import Caller
from app.core.trail import current
from app.execution import errors
from app.execution.answering import answered, internal, refusal
from app.execution.coercion import BadVariables
from app.execution.compiling import Compiling
from app.execution.costs import Cost, Costs
from app.execution.documents import Document, Documents, Made, Operation
from app.execution.guard import Guard
from app.execution.introspection import Introspection
from app.execution.limits import Limits
from app.execution.lowering import TYPENAME
from app.execution.outcome import GraphQLRequest, Outcome, Phase, Refused
from app.execution.persisted import Persisted
from app.execution.preparing import (
    Compiler,
    Mutation,
    Mutations,
    Preparer,
    Query,
    kept_under,
    permissions_of,
    with_constants,
)
from app.execution.refusals import Refusal, Refusals
from app.graph.context import Context
from app.selection.encoding import encoded
from app.selection.mapping import Env
from app.settings import Settings
from app.storage.database import Database

log = structlog.get_logger(__name__)

M = TypeVar("M", bound=Made)


class Operations:
    """The operations of one schema over one database."""

    def __init__(
        self,
        schema: GraphQLSchema,
        compiler: Compiler,
        database: Database,
        settings: Settings,
        clock: Clock,
        persisted: Persisted | None = None,
        store: Store | None = None,
    ) -> None:
        limits = Limits(document_bytes=settings.max_document_bytes, depth=settings.max_depth)
        self.guard = Guard(schema, limits)
        self.documents = Documents(schema, self.guard)
        self.refusals = Refusals()
        self.preparer = Preparer(schema, compiler)
        self.compiling = Compiling(settings.compile_seconds, store)
        self.costs = Costs(self.guard, settings.cost_limit, clock, store)
        self._database = database
        self._settings = settings
        self._clock = clock
        self._persisted = Persisted({}) if persisted is None else persisted
        self._introspection = Introspection(schema, self.compiling)

    def close(self) -> None:
        """Stop the compile thread."""
        self.compiling.close()

    def resolved(self, request: GraphQLRequest, caller: Caller) -> GraphQLRequest | Outcome:
        """The request with the text of its persisted document; or the answer that refuses it."""
        try:
            return self._persisted.resolved(request, caller)
        except Refused as refused:
            return refusal(refused)

    async def find(self, request: GraphQLRequest, context: Context) -> Operation | Outcome:
        """The operation that a request names; or the answer that refuses it.

        Raises RateLimited when the document is new and the caller's share of compiling is used up."""
        try:
            document = self.documents.known(request.query)
            if document is None:
                document = await self._read(request.query, context)
            return _begun(document.operation(request.operation_name))
        except Refused as refused:
            return refusal(refused)

    async def run(self, request: GraphQLRequest, context: Context, found: Operation | None = None) -> Outcome:
        """Answer one request; `found` is its operation where `find` was called before.

        Raises RateLimited when a caller's share is used up and nothing was executed; no other error but
        cancellation."""
        try:
            operation = found
            if operation is None:
                document = self.documents.known(request.query)
                if document is None:
                    document = await self._read(request.query, context)
                operation = _begun(document.operation(request.operation_name))
            if operation.kind is OperationType.QUERY:
                return Outcome(await self._query(operation, request, context), Phase.EXECUTION)
            if operation.kind is OperationType.SUBSCRIPTION:
                message = "Subscriptions are answered over WebSocket or Server-Sent Events."
                raise Refused([errors.entry(message, NotSupported.code)], Phase.OPERATION)
            if not request.mutations:
                raise Refused([errors.entry("A mutation must be sent by POST.", NotSupported.code)], Phase.METHOD)
            return Outcome(await self._mutate(operation, request, context), Phase.EXECUTION)
        except Refused as refused:
            return refusal(refused)
        except RateLimited:
            raise
        except DomainError as error:
            release(error)
            entry = errors.entry(error.message, error.code, argument=error.path)
            return Outcome(orjson.dumps({"data": None, "errors": [entry]}), Phase.EXECUTION)
        except Exception as error:
            return Outcome(orjson.dumps({"data": None, "errors": [internal(error, context)]}), Phase.EXECUTION)

    async def _read(self, text: str, context: Context) -> Document:
        actor, documents, refusals = context.actor, self.documents, self.refusals
        most_tokens = None if actor.is_admin or actor.permissions else self.guard.limits.tokens_without_permission
        name = refusals.name(text, most_tokens)

        def find() -> Document | Refusal | None:
            return documents.known(text) or refusals.get(name)

        def work() -> Document | Refusal:
            try:
                return documents.read(text, most_tokens)
            except Refused as refused:
                release(refused)
                return Refusal(refused)

        def keep(made: Document | Refusal) -> None:
            if isinstance(made, Refusal):
                refusals.put(name, made)
            else:
                documents.keep(text, made)

        if (known := refusals.get(name)) is not None:
            raise known.again()
        made = await self.compiling.run(actor.caller, text, find, work, keep)
        if isinstance(made, Refusal):
            raise made.again()
        return made

    async def prepared(self, operation: Operation, key: Hashable, context: Context, make: Callable[[], M]) -> M:
        """The cached form of the operation under the key; otherwise that of `make`, run in the compile thread.

        Raises RateLimited when the caller's share of compiling is used up, and what `make` raises."""
        prepared = operation.prepared
        return await self.compiling.run(
            context.actor.caller,
            (prepared, key),
            find=lambda: cast("M | None", prepared.get(key)),
            work=make,
            keep=lambda made: prepared.put(key, made),
        )

    # ---- queries --------------------------------------------------------------------------------------------------

    async def _query(self, operation: Operation, request: GraphQLRequest, context: Context) -> bytes:
        variables = self.variables(operation, request.variables)
        counts = request.cost or self.costs.counts
        cost = await self.costs.of(operation, variables, context.actor.caller, asked=request.cost) if counts else None
        permissions = permissions_of(context)
        key = kept_under(permissions, operation, variables)
        query: Query | None = operation.prepared.get(key)
        if query is None:
            make = partial(self.preparer.query, operation, permissions, variables)
            query = await self.prepared(operation, key, context, make)
        data: dict[str, Any] | None = {}
        entries: list[errors.Entry] = []
        if (plan := query.plan) is not None:
            env = Env(context.actor, context.clock(), self._settings, with_constants(variables, query.constants))
            steps = partial(plan.steps, env) if cost is None else cost.counted(partial(plan.steps, env))
            if plan.is_lookup:
                answer = await self._database.look_up(steps, caller=context.actor.caller)
            else:
                answer = await self._database.read(steps, snapshot=plan.snapshot, caller=context.actor.caller)
            data = answer.data
            if answer.errors:
                context.tell_forbidden(error for _, error in answer.errors)
                entries = [errors.from_domain(error, path, query.nodes[str(path[0])]) for path, error in answer.errors]
        if query.mixed and data is not None:
            data = await self._mix(operation, query, data, request.variables, context)
        return encoded({"data": data}) if cost is None and not entries else answered(data, entries, cost)

    async def _mix(
        self,
        operation: Operation,
        query: Query,
        data: Mapping[str, Any],
        given: Mapping[str, Any],
        context: Context,
    ) -> dict[str, Any]:
        read = dict(data)
        if query.introspective:
            read |= await self._introspection.read(context.actor.caller, operation, query.introspective, given)
        return {
            root.field.key: "Query" if root.field.name == TYPENAME else read[root.field.key] for root in query.roots
        }

    # ---- mutations ------------------------------------------------------------------------------------------------

    async def _mutate(self, operation: Operation, request: GraphQLRequest, context: Context) -> bytes:
        exact = operation.reader.exact
        variables = self.variables(operation, request.exact_variables() if exact else request.variables)
        cost = await self.costs.of(operation, variables, context.actor.caller, asked=request.cost)
        permissions = permissions_of(context)
        key = kept_under(permissions, operation, variables)
        prepared: Mutations | None = operation.prepared.get(key)
        if prepared is None:
            make = partial(self.preparer.mutations, operation, permissions, variables)
            prepared = await self.prepared(operation, key, context, make)
        mutations, variables = prepared.all, with_constants(variables, prepared.constants)
        if refusals := self._unreadable(mutations, variables, context):
            return orjson.dumps({"data": None, "errors": refusals})
        data: dict[str, Any] = {}
        entries: list[errors.Entry] = []
        for mutation in mutations:
            value, faults = await self._run_mutation(mutation, variables, context, cost)
            entries.extend(faults)
            if value is None and not mutation.nullable:
                # As in any serial execution: what ran before stays done, what comes after does not start.
                return answered(None, entries, cost)
            data[mutation.root.field.key] = value
        return answered(data, entries, cost)

    def _unreadable(
        self, mutations: Sequence[Mutation], variables: Mapping[str, object], context: Context
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
                release(error)
                found.append(errors.from_domain(error, (root.field.key,), root.nodes))
        return found

    async def _run_mutation(
        self, mutation: Mutation, variables: Mapping[str, object], context: Context, cost: Cost | None
    ) -> tuple[Any, list[errors.Entry]]:
        root, plan = mutation.root, mutation.plan
        if mutation.call is None or plan is None:
            return "Mutation", []
        key = root.field.key
        try:
            row = await mutation.call(variables, context)
            env = Env(context.actor, context.clock(), self._settings, variables)
            # What the command has left needs no reading.
            answer = plan.at_once(env, row)
            if answer is None:
                steps = partial(plan.steps, env, row) if cost is None else cost.counted(partial(plan.steps, env, row))
                answer = await self._database.plan(steps, snapshot=plan.snapshot, caller=context.actor.caller)
        except DomainError as error:
            release(error)
            return None, [errors.from_domain(error, (key,), root.nodes)]
        except Exception as error:
            return None, [internal(error, context, (key,), root.nodes)]
        faults = [errors.from_domain(error, (key, *path), root.nodes) for path, error in answer.errors]
        return answer.data, faults

    # ---- both -----------------------------------------------------------------------------------------------------

    def variables(self, operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
        """The variables in the neutral form. Raises Refused."""
        try:
            values = operation.reader.neutral(given)
            if operation.costs_depend:
                self.guard.check_cost(operation.ast, operation.name, values)
        except BadVariables as bad:
            raise Refused(bad.entries, Phase.VARIABLES) from None
        except (InvalidInput, TooComplex) as error:
            raise Refused([errors.entry(error.message, error.code, argument=error.path)], Phase.VARIABLES) from None
        return values


def _begun(operation: Operation) -> Operation:
    """The operation, which is that of the request from now on."""
    trail = current()
    if trail is not None:
        trail.operation, trail.kind = operation.name, operation.kind_name
    return operation
