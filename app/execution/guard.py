"""Limits on documents, checked in time linear in their length."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    parse,
)

from app.core.errors import TooComplex
from app.execution.limits import Limits, too_many
from app.execution.measure import Measure, Scales

_INTROSPECTION_SLACK = 2


class Guard:
    """Checks documents against the limits."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self.limits = limits
        self._scales = Scales(schema, limits)
        self._written_out_nodes = 0
        (measured,) = self._scales.weigh(_standard_introspection(), {}).values()
        self._introspection = measured.introspection * _INTROSPECTION_SLACK

    @property
    def visits(self) -> int:
        """The number of nodes visited so far, for tests of linearity."""
        return self._scales.visits + self._written_out_nodes

    def check(self, document: DocumentNode) -> frozenset[str | None]:
        """Raise TooComplex, naming the limit, or BadDefinition.

        Returns the names of the operations whose cost depends on variables, to be checked again by `check_cost`."""
        limits = self.limits
        if len(document.definitions) > limits.definitions:
            raise too_many("operations and fragments", limits.definitions)
        again = set()
        operations = self._scales.weigh(document, None)
        for what, limit in (("selections", limits.selections), ("aliases", limits.aliases)):
            found = sum(getattr(measure, what) for measure in operations.values())
            if found > limit:
                raise too_many(what, limit, found)
        for name, measure in operations.items():
            self._compare(measure)
            if measure.cost > limits.cost:
                if not measure.open:
                    raise self._too_costly(measure.cost)
                again.add(name)
        self._check_overlaps(document)
        return frozenset(again)

    def check_cost(self, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]) -> None:
        """Raise TooComplex if the operation costs too much with these values of its variables."""
        cost = self.cost(document, operation_name, variables)
        if cost > self.limits.cost:
            raise self._too_costly(cost)

    def cost(self, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]) -> int:
        """The number of objects that the operation may read with these values of its variables."""
        return self._scales.weigh(document, variables)[operation_name].cost

    def _compare(self, measure: Measure) -> None:
        limits = self.limits
        if measure.depth > limits.depth:
            raise TooComplex(f"Fields are nested {measure.depth} deep; the limit is a depth of {limits.depth}.")
        if measure.nesting > limits.nesting:
            raise TooComplex(
                f"Fragments are nested {measure.nesting} deep; the limit is a nesting of {limits.nesting}."
            )
        if measure.root_fields > limits.root_fields:
            raise too_many("root fields", limits.root_fields, measure.root_fields)
        if measure.introspection > self._introspection:
            raise TooComplex("The introspection reads more than twice what the standard introspection query reads.")

    def _too_costly(self, cost: int) -> TooComplex:
        shown = f"{cost:,}" if cost < 10**9 else "more than 1,000,000,000"
        return TooComplex(
            f"The operation may read as much as {shown} objects; the limit is a cost of {self.limits.cost:,}."
        )

    def _check_overlaps(self, document: DocumentNode) -> None:
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        overlaps = 0
        for definition in document.definitions:
            if not isinstance(definition, OperationDefinitionNode):
                continue
            stack: list[list[SelectionSetNode]] = [[definition.selection_set]]
            while stack:
                groups: defaultdict[str, list[FieldNode]] = defaultdict(list)
                for node in self._written_out(stack.pop(), fragments):
                    groups[(node.alias or node.name).value].append(node)
                for nodes in groups.values():
                    overlaps += len(nodes) * (len(nodes) - 1) // 2
                    inner = [node.selection_set for node in nodes if node.selection_set is not None]
                    if inner:
                        stack.append(inner)
                if overlaps > self.limits.overlaps:
                    raise too_many("fields of the same response name to compare", self.limits.overlaps)

    def _written_out(
        self, sets: Sequence[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
    ) -> Iterator[FieldNode]:
        spread: set[str] = set()
        stack = list(sets)
        while stack:
            for node in stack.pop().selections:
                self._written_out_nodes += 1
                if isinstance(node, FieldNode):
                    yield node
                elif isinstance(node, FragmentSpreadNode):
                    name = node.name.value
                    if name in fragments and name not in spread:
                        spread.add(name)
                        stack.append(fragments[name].selection_set)
                else:
                    stack.append(cast("InlineFragmentNode", node).selection_set)


@cache
def _standard_introspection() -> DocumentNode:
    return parse(get_introspection_query())
