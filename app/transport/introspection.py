"""Answers `__schema` and `__type`, the one thing that graphql-core executes."""

import asyncio
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

from app.transport.documents import Operation, Recent

_KEPT = 8


class Introspection:
    """Runs the introspective root fields of operations, off the loop, and keeps the latest answers."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._kept: Recent[Mapping[str, Any]] = Recent(_KEPT)

    async def read(
        self, operation: Operation, nodes: Sequence[FieldNode], variables: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The values of the fields by response key."""
        constant = not operation.node.variable_definitions
        found = self._kept.get(operation) if constant else None
        if found is None:
            found = await asyncio.to_thread(self._execute, operation, nodes, variables)
            if constant:
                self._kept.put(operation, found)
        return found

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
        fragments = [node for node in operation.document.ast.definitions if isinstance(node, FragmentDefinitionNode)]
        result = execute_sync(
            self._schema, DocumentNode(definitions=(alone, *fragments)), variable_values=dict(variables)
        )
        assert isinstance(result, ExecutionResult)
        if result.errors or result.data is None:
            raise RuntimeError(f"Introspection failed: {result.errors}")
        return result.data
