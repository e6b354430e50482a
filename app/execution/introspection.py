"""Answers `__schema` and `__type`, the only fields that graphql-core executes."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
)

from app.core.fairness import Caller
from app.core.recent import Recent
from app.execution.compiling import Compiling
from app.execution.documents import Operation

_KEPT = 8


class Introspection:
    """Runs the introspection fields of operations in the compile thread, and caches the latest answers."""

    def __init__(self, schema: GraphQLSchema, compiling: Compiling) -> None:
        self._schema = schema
        self._compiling = compiling
        self._kept: Recent[Mapping[str, Any]] = Recent(_KEPT)

    async def read(
        self, caller: Caller, operation: Operation, nodes: Sequence[FieldNode], variables: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The values of the fields by response key. Raises RateLimited when the caller's share is used up."""
        constant = not operation.node.variable_definitions
        found = self._kept.get(operation) if constant else None
        if found is not None:
            return found
        return await self._compiling.run(
            caller,
            operation if constant else object(),
            find=lambda: self._kept.get(operation) if constant else None,
            work=lambda: self._execute(operation, nodes, variables),
            keep=lambda made: self._kept.put(operation, made) if constant else None,
        )

    def _execute(
        self, operation: Operation, nodes: Sequence[FieldNode], variables: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        alone = OperationDefinitionNode(
            operation=operation.kind,
            name=operation.node.name,
            variable_definitions=operation.node.variable_definitions,
            directives=(),
            selection_set=SelectionSetNode(selections=tuple(nodes)),
        )
        fragments = [node for node in operation.ast.definitions if isinstance(node, FragmentDefinitionNode)]
        result = execute_sync(
            self._schema, DocumentNode(definitions=(alone, *fragments)), variable_values=dict(variables)
        )
        assert isinstance(result, ExecutionResult)
        if result.errors or result.data is None:
            raise RuntimeError(f"Introspection failed: {result.errors}")
        return result.data
