"""Explains an operation: cost, statements and keys of cached plans."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import OperationType

from app.core.errors import NotSupported
from app.execution import errors
from app.execution.operation import Operations
from app.execution.outcome import Phase, Refused
from app.execution.preparing import permissions_of, with_constants
from app.graph.context import Context
from app.selection.explaining import Explained, explained
from app.selection.mapping import Env


@dataclass(frozen=True, slots=True)
class Explanation:
    """The cost of a query: `cost` objects may be read, at most `most_cost` are allowed. `cached_by` names the parts of
    the plan's cache key; results of a `personal` plan are not shared between users."""

    name: str | None
    cost: int
    most_cost: int
    statements: tuple[Explained, ...]
    snapshot: bool
    personal: bool
    cached_by: tuple[str, ...]
    errors: tuple[str, ...]


async def explain(
    operations: Operations, text: str, name: str | None, given: Mapping[str, Any], context: Context
) -> Explanation:
    """Run a query and return its cost and statements. Raises Refused for an invalid document, invalid variables, or an
    operation that is not a query."""
    operation = operations.documents.read(text).operation(name)
    if operation.kind is not OperationType.QUERY:
        message = (
            "Only queries can be explained. The payload of a mutation or an event is read as the same query would be."
        )
        raise Refused([errors.entry(message, NotSupported.code)], Phase.OPERATION)
    variables = operations.variables(operation, given)
    permissions = permissions_of(context)
    query = operations.preparer.query(operation, permissions, variables)
    plan = query.plan
    values = with_constants(variables, query.constants)
    statements: list[Explained] = []
    faults: list[str] = []
    if plan is not None:
        env = Env(context.actor, context.now(), context.settings, values)
        database = context.database
        answer, statements = await database.plan(
            lambda: explained(plan.steps(env), database.dialect.name),
            snapshot=plan.snapshot,
            caller=context.actor.caller,
        )
        faults = [f"{'.'.join(map(str, path))}: {error.message}" for path, error in answer.errors]
    conditions = [f"the value of ${each}" for each in operation.conditions]
    return Explanation(
        name=operation.name,
        cost=operations.guard.cost(operation.ast, operation.name, variables),
        most_cost=operations.guard.limits.cost,
        statements=tuple(statements),
        snapshot=plan is not None and plan.snapshot,
        personal=plan is not None and plan.is_personal(values),
        cached_by=("the document", "the operation's name", "the caller's permissions", *conditions),
        errors=tuple(faults),
    )
