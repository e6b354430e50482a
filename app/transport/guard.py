"""Refuses a document that would be costly to validate or to run, in time linear in its length."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    Node,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_introspection_query,
    get_named_type,
    is_composite_type,
    parse,
)

from app.core.errors import TooComplex
from app.core.paging import DEFAULT_PAGE, LARGEST_PAGE

_INTROSPECTION_SLACK = 2
_LIST_ARGUMENTS = ("ids",)


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest document. Counts are of one operation with every fragment spread written out, except those of
    `document_bytes`, `tokens`, `definitions` and `directives`, which are of the whole text.

    `cost` is the number of objects that an operation may read. `overlaps` bounds how often two fields of the same
    response name meet: the standard rule compares each pair."""

    document_bytes: int = 65_536
    tokens: int = 5_000
    definitions: int = 100
    directives: int = 100
    depth: int = 32
    fields: int = 1_000
    aliases: int = 200
    root_fields: int = 50
    overlaps: int = 1_000
    cost: int = 20_000


class FragmentCycle(Exception):
    """A fragment spreads itself; `node` is one of the spreads."""

    def __init__(self, node: FragmentSpreadNode) -> None:
        super().__init__(f"Cannot spread fragment {node.name.value!r} within itself.")
        self.node = node


@dataclass(slots=True)
class _Spread:
    node: FragmentSpreadNode
    depth: int
    times: int
    at_root: bool


@dataclass(slots=True)
class _Measure:
    """What one selection set weighs; first alone, then with its fragments."""

    fields: int = 0
    aliases: int = 0
    root_fields: int = 0
    depth: int = 0
    cost: int = 0
    introspection: int = 0
    spreads: list[_Spread] = field(default_factory=list)
    open: bool = False  # a page size is a variable, so the cost is an upper bound


class Guard:
    """Measures documents against one schema. `visits` counts the nodes looked at, for tests of linearity."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self.limits = limits
        self.visits = 0
        self._schema = schema
        self._plumbing = _plumbing(schema)
        self._sizes = _introspection_sizes(schema)
        standard = parse(get_introspection_query())
        (measured,) = self._measured(standard, {}).values()
        self._introspection = measured.introspection * _INTROSPECTION_SLACK

    def check(self, document: DocumentNode) -> frozenset[str | None]:
        """Raise TooComplex, naming the limit, or FragmentCycle.

        Gives the names of the operations whose cost has to be checked again, with the values of their variables."""
        if len(document.definitions) > self.limits.definitions:
            raise _too_many("operations and fragments", self.limits.definitions)
        again = set()
        for name, measure in self._measured(document, None).items():
            self._compare(measure)
            if measure.cost > self.limits.cost:
                if not measure.open:
                    raise self._too_costly(measure.cost)
                again.add(name)
        self._check_overlaps(document)
        return frozenset(again)

    def check_cost(self, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]) -> None:
        """Raise TooComplex if the operation costs too much with these values."""
        measure = self._measured(document, variables)[operation_name]
        if measure.cost > self.limits.cost:
            raise self._too_costly(measure.cost)

    def _compare(self, measure: _Measure) -> None:
        limits = self.limits
        if measure.depth > limits.depth:
            raise TooComplex(f"Fields are nested {measure.depth} deep; the limit is a depth of {limits.depth}.")
        if measure.fields > limits.fields:
            raise _too_many("fields", limits.fields, measure.fields)
        if measure.aliases > limits.aliases:
            raise _too_many("aliases", limits.aliases, measure.aliases)
        if measure.root_fields > limits.root_fields:
            raise _too_many("root fields", limits.root_fields, measure.root_fields)
        if measure.introspection > self._introspection:
            raise TooComplex("The introspection reads more than twice what the standard introspection query reads.")

    def _too_costly(self, cost: int) -> TooComplex:
        shown = f"{cost:,}" if cost < 10**9 else "more than 1,000,000,000"
        return TooComplex(f"The operation may read {shown} objects; the limit is a cost of {self.limits.cost:,}.")

    # ---- measuring: each fragment once, then sums in the order of who spreads whom --------------------------------

    def _measured(self, document: DocumentNode, variables: Mapping[str, Any] | None) -> dict[str | None, _Measure]:
        fragments: dict[str, _Measure] = {}
        operations: dict[str | None, _Measure] = {}
        directives = 0
        for definition in document.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                on = self._schema.get_type(definition.type_condition.name.value)
                measure, found = self._measure(definition.selection_set, on, variables)
                fragments.setdefault(definition.name.value, measure)
            elif isinstance(definition, OperationDefinitionNode):
                on = self._schema.get_root_type(definition.operation)
                measure, found = self._measure(definition.selection_set, on, variables)
                name = definition.name.value if definition.name else None
                operations.setdefault(name, measure)
            else:
                continue
            directives += found + len(definition.directives or ())
            if directives > self.limits.directives:
                raise _too_many("directives", self.limits.directives)
        done: set[str] = set()
        for name in _dependencies_first(fragments):
            self._add_spreads(fragments[name], fragments)
            done.add(name)
        for measure in operations.values():
            self._add_spreads(measure, fragments)
        return operations

    def _add_spreads(self, measure: _Measure, fragments: Mapping[str, _Measure]) -> None:
        for spread in measure.spreads:
            inner = fragments.get(spread.node.name.value)
            if inner is None:
                continue
            measure.fields += inner.fields
            measure.aliases += inner.aliases
            measure.root_fields += inner.root_fields if spread.at_root else 0
            measure.depth = max(measure.depth, spread.depth + inner.depth)
            measure.cost += spread.times * inner.cost
            measure.introspection += spread.times * inner.introspection
            measure.open = measure.open or inner.open

    def _measure(
        self, selection_set: SelectionSetNode, on: GraphQLNamedType | None, variables: Mapping[str, Any] | None
    ) -> tuple[_Measure, int]:
        measure = _Measure()
        directives = 0
        stack = [(selection_set, on, 1, 1)]
        while stack:
            selection_set, on, depth, times = stack.pop()
            for node in selection_set.selections:
                self.visits += 1
                directives += len(node.directives or ())
                if isinstance(node, FragmentSpreadNode):
                    measure.spreads.append(_Spread(node, depth - 1, times, depth == 1))
                elif isinstance(node, FieldNode):
                    measure.fields += 1
                    measure.aliases += node.alias is not None
                    measure.root_fields += depth == 1
                    measure.depth = max(measure.depth, depth)
                    definition = self._definition(on, node.name.value)
                    if node.selection_set is None:
                        continue
                    size, is_open = self._size(on, definition, node, variables)
                    inner = get_named_type(definition.type) if definition is not None else None
                    if inner is not None and inner.name.startswith("__"):
                        measure.introspection += times * size
                    elif inner is None or inner.name not in self._plumbing:
                        measure.cost += times
                    if size > 1 and inner is not None and inner.name in self._plumbing:
                        measure.cost += times * size
                    measure.open = measure.open or is_open
                    stack.append((node.selection_set, inner, depth + 1, times * size))
                else:
                    condition = node.type_condition  # type: ignore[attr-defined]
                    inner = self._schema.get_type(condition.name.value) if condition is not None else on
                    # Counted as a level, so that a pile of inline fragments is as deep as it looks.
                    stack.append((node.selection_set, inner, depth, times))  # type: ignore[attr-defined]
        return measure, directives

    def _definition(self, on: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if name in ("__schema", "__type"):
            return self._schema.get_field(self._schema.query_type, name) if self._schema.query_type else None
        fields: Mapping[str, GraphQLField] = getattr(on, "fields", {})
        found = fields.get(name)
        return found if isinstance(found, GraphQLField) else None

    def _size(
        self,
        on: GraphQLNamedType | None,
        definition: GraphQLField | None,
        node: FieldNode,
        variables: Mapping[str, Any] | None,
    ) -> tuple[int, bool]:
        if definition is None:
            return 1, False
        if on is not None and on.name.startswith("__"):
            return self._sizes.get(node.name.value, 1), False
        values = {argument.name.value: argument.value for argument in node.arguments or ()}
        if "first" in definition.args:
            sizes = [_page_size(values[name], variables) for name in ("first", "last") if name in values]
            return max((size for size, _ in sizes), default=DEFAULT_PAGE), any(is_open for _, is_open in sizes)
        for name in _LIST_ARGUMENTS:
            if name in definition.args:
                given = values.get(name)
                return (len(given.values) if isinstance(given, ListValueNode) else LARGEST_PAGE), False
        return 1, False

    # ---- overlaps: the whole operation written out, which `fields` has bounded -------------------------------------

    def _check_overlaps(self, document: DocumentNode) -> None:
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        overlaps = 0
        for definition in document.definitions:
            if not isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
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
                    raise _too_many("fields of the same response name to compare", self.limits.overlaps)

    def _written_out(
        self, sets: Sequence[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
    ) -> Iterator[FieldNode]:
        spread: set[str] = set()
        stack = list(sets)
        while stack:
            for node in stack.pop().selections:
                self.visits += 1
                if isinstance(node, FieldNode):
                    yield node
                elif isinstance(node, FragmentSpreadNode):
                    name = node.name.value
                    if name in fragments and name not in spread:
                        spread.add(name)
                        stack.append(fragments[name].selection_set)
                else:
                    stack.append(node.selection_set)  # type: ignore[attr-defined]


def _dependencies_first(fragments: Mapping[str, _Measure]) -> list[str]:
    """The fragments so that each comes after those it spreads. Raises FragmentCycle."""
    order: list[str] = []
    state: dict[str, bool] = {}  # False: entered, True: left
    for start in fragments:
        if start in state:
            continue
        state[start] = False
        path: list[tuple[str, Iterator[_Spread]]] = [(start, iter(fragments[start].spreads))]
        while path:
            name, spreads = path[-1]
            for spread in spreads:
                inner = spread.node.name.value
                if inner not in fragments or state.get(inner):
                    continue
                if inner in state:
                    raise FragmentCycle(spread.node)
                state[inner] = False
                path.append((inner, iter(fragments[inner].spreads)))
                break
            else:
                state[name] = True
                order.append(name)
                path.pop()
    return order


def _page_size(node: Node, variables: Mapping[str, Any] | None) -> tuple[int, bool]:
    if isinstance(node, IntValueNode):
        return min(int(node.value[:9]), LARGEST_PAGE) if node.value.isdigit() else 1, False
    if isinstance(node, NullValueNode):
        return DEFAULT_PAGE, False
    if isinstance(node, VariableNode) and variables is not None:
        value = variables.get(node.name.value)
        return (min(max(value, 1), LARGEST_PAGE) if isinstance(value, int) else DEFAULT_PAGE), False
    return LARGEST_PAGE, True


def _plumbing(schema: GraphQLSchema) -> frozenset[str]:
    """The types that only carry a connection: the connections, their edges and PageInfo. Their items are what costs."""
    found = {"PageInfo"}
    for name, type_ in schema.type_map.items():
        if isinstance(type_, GraphQLObjectType) and "pageInfo" in type_.fields and "edges" in type_.fields:
            found |= {name, get_named_type(type_.fields["edges"].type).name}
    return frozenset(found)


def _introspection_sizes(schema: GraphQLSchema) -> dict[str, int]:
    """About how many items each list of the introspection has in this schema, rounded up."""
    types = list(schema.type_map.values())
    composites: list[Any] = [type_ for type_ in types if is_composite_type(type_) and hasattr(type_, "fields")]
    fields = [one for type_ in composites for one in type_.fields.values()]
    inputs = [type_ for type_ in types if isinstance(type_, GraphQLInputObjectType)]
    enums = [type_ for type_ in types if isinstance(type_, GraphQLEnumType)]

    def mean(total: int, count: int) -> int:
        return max(1, ceil(total / max(1, count)))

    return {
        "types": len(types),
        "directives": len(schema.directives),
        "fields": mean(len(fields), len(types)),
        "args": mean(sum(len(one.args) for one in fields), len(fields)),
        "inputFields": mean(sum(len(type_.fields) for type_ in inputs), len(types)),
        "enumValues": mean(sum(len(type_.values) for type_ in enums), len(types)),
        "interfaces": 1,
        "possibleTypes": 1,
    }


def _too_many(what: str, limit: int, found: int | None = None) -> TooComplex:
    given = f"{found:,}" if found is not None and found < 10**9 else "too many"
    return TooComplex(f"The document has {given} {what}; the limit is {limit:,}.")
