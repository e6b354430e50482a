"""The cost of operations: each fragment is measured once, then summed up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from app.execution.limits import COUNT_COST, EDGE_COUNT_COST, SEARCH_COST, BadDefinition, Limits, too_many
from app.execution.sizes import Sizes

_COUNTS = ("totalCount", "totalCountIsCapped")


@dataclass(slots=True)
class Spread:
    node: FragmentSpreadNode
    depth: int
    nesting: int
    times: int
    count: int | None  # what a count costs where it stands; None: in the connection that a fragment is about


@dataclass(slots=True)
class Measure:
    """The size of one selection set: first alone, then with its fragments."""

    node: Node
    selections: int = 0
    aliases: int = 0
    root_fields: int = 0
    depth: int = 0
    nesting: int = 0
    cost: int = 0
    introspection: int = 0
    spreads: list[Spread] = field(default_factory=list)
    open: bool = False  # a page size is a variable, so the cost is an upper bound
    counts: bool = False  # a fragment counts the connection that it is about


class Scales:
    """Measures the documents of one schema. `visits` counts the nodes visited, for tests of linearity."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self.limits = limits
        self.visits = 0
        self._schema = schema
        self._sizes = Sizes(schema)

    def weigh(self, document: DocumentNode, variables: Mapping[str, Any] | None) -> dict[str | None, Measure]:
        """The measure of each operation by its name; `variables` give page sizes.

        Raises TooComplex and BadDefinition."""
        fragments: dict[str, Measure] = {}
        operations: dict[str | None, Measure] = {}
        directives = 0
        for definition in document.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                on = self._schema.get_type(definition.type_condition.name.value)
                measure, found = self._measure(definition, on, variables)
                if definition.name.value in fragments:
                    raise BadDefinition(f"There can be only one fragment named '{definition.name.value}'.", definition)
                fragments[definition.name.value] = measure
            elif isinstance(definition, OperationDefinitionNode):
                on = self._schema.get_root_type(definition.operation)
                measure, found = self._measure(definition, on, variables)
                name = definition.name.value if definition.name else None
                if name in operations:
                    raise BadDefinition("There can be only one operation of each name.", definition)
                operations[name] = measure
            else:
                continue
            directives += found + len(definition.directives or ())
            if directives > self.limits.directives:
                raise too_many("directives", self.limits.directives)
        order = _dependencies_first(fragments)
        self._check_reach(order, fragments, operations.values())
        for name in order:
            self._add_spreads(fragments[name], fragments)
        for measure in operations.values():
            self._add_spreads(measure, fragments)
        return operations

    def _check_reach(
        self, order: Sequence[str], fragments: Mapping[str, Measure], operations: Iterable[Measure]
    ) -> None:
        reached: dict[str, int] = {}  # a bit for each fragment
        total = 0
        for place, name in enumerate(order):
            reached[name] = 1 << place | _union(fragments[name], reached)
            total += reached[name].bit_count()
        used = 0
        for measure in operations:
            used |= _union(measure, reached)
        for place, name in enumerate(order):
            if not used >> place & 1:
                raise BadDefinition(f"Fragment '{name}' is never used.", fragments[name].node)
        if total > self.limits.reach:
            raise too_many("fragments that spread each other", self.limits.reach)

    def _add_spreads(self, measure: Measure, fragments: Mapping[str, Measure]) -> None:
        for spread in measure.spreads:
            inner = fragments.get(spread.node.name.value)
            if inner is None:
                continue
            measure.selections += inner.selections
            measure.aliases += inner.aliases
            measure.root_fields += inner.root_fields if spread.depth == 0 else 0
            measure.depth = max(measure.depth, spread.depth + inner.depth)
            measure.nesting = max(measure.nesting, spread.nesting + inner.nesting)
            measure.cost += spread.times * inner.cost
            measure.introspection += spread.times * inner.introspection
            measure.open = measure.open or inner.open
            if inner.counts and spread.count is None:
                measure.counts = True
            elif inner.counts:
                measure.cost += spread.count or 0

    def _measure(
        self,
        measured: OperationDefinitionNode | FragmentDefinitionNode,
        on: GraphQLNamedType | None,
        variables: Mapping[str, Any] | None,
    ) -> tuple[Measure, int]:
        measure = Measure(measured)
        directives = 0
        stack: list[tuple[SelectionSetNode, GraphQLNamedType | None, int, int, int, int | None]]
        stack = [(measured.selection_set, on, 1, 1, 1, None)]
        while stack:
            selection_set, on, depth, nesting, times, count = stack.pop()
            measure.nesting = max(measure.nesting, nesting)
            is_counted = False
            for node in selection_set.selections:
                self.visits += 1
                directives += len(node.directives or ())
                measure.selections += 1
                if isinstance(node, FragmentSpreadNode):
                    measure.spreads.append(Spread(node, depth - 1, nesting, times, count))
                elif isinstance(node, FieldNode):
                    measure.aliases += node.alias is not None
                    measure.root_fields += depth == 1
                    measure.depth = max(measure.depth, depth)
                    definition = self._definition(on, node.name.value)
                    if node.selection_set is None:
                        is_counted = is_counted or (node.name.value in _COUNTS and self._sizes.is_plumbing(on))
                        continue
                    size, is_open = self._sizes.of(on, definition, node, variables)
                    inner = get_named_type(definition.type) if definition is not None else None
                    if inner is not None and inner.name.startswith("__"):
                        measure.introspection += times * size
                    elif size > 1:
                        measure.cost += times * size
                    elif not self._sizes.is_plumbing(on) and not self._sizes.is_plumbing(inner):
                        measure.cost += times
                    measure.open = measure.open or is_open
                    if self._sizes.counts(definition):
                        measure.cost += times * COUNT_COST
                    for words in self._sizes.searches(definition, node):
                        if isinstance(words, VariableNode):
                            if variables is not None and variables.get(words.name.value) is None:
                                continue
                            measure.open = True
                        measure.cost += times * SEARCH_COST
                    each = COUNT_COST if on is self._schema.query_type else EDGE_COUNT_COST
                    stack.append((node.selection_set, inner, depth + 1, nesting + 1, times * size, times * each))
                else:
                    inline = cast("InlineFragmentNode", node)
                    condition = inline.type_condition
                    inner = self._schema.get_type(condition.name.value) if condition is not None else on
                    stack.append((inline.selection_set, inner, depth, nesting + 1, times, count))
            if is_counted and count is None:
                measure.counts = True
            elif is_counted:
                measure.cost += count or 0
        return measure, directives

    def _definition(self, on: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if name in ("__schema", "__type"):
            return self._schema.get_field(self._schema.query_type, name) if self._schema.query_type else None
        fields: Mapping[str, GraphQLField] = getattr(on, "fields", {})
        found = fields.get(name)
        return found if isinstance(found, GraphQLField) else None


def _dependencies_first(fragments: Mapping[str, Measure]) -> list[str]:
    """The fragments in an order in which each comes after those that it spreads. Raises BadDefinition for a cycle."""
    order: list[str] = []
    state: dict[str, bool] = {}  # False: entered, True: left
    for start in fragments:
        if start in state:
            continue
        state[start] = False
        path: list[tuple[str, Iterator[Spread]]] = [(start, iter(fragments[start].spreads))]
        while path:
            name, spreads = path[-1]
            for spread in spreads:
                inner = spread.node.name.value
                if inner not in fragments or state.get(inner):
                    continue
                if inner in state:
                    raise BadDefinition(f"Cannot spread fragment '{inner}' within itself.", spread.node)
                state[inner] = False
                path.append((inner, iter(fragments[inner].spreads)))
                break
            else:
                state[name] = True
                order.append(name)
                path.pop()
    return order


def _union(measure: Measure, reached: Mapping[str, int]) -> int:
    found = 0
    for spread in measure.spreads:
        found |= reached.get(spread.node.name.value, 0)
    return found
