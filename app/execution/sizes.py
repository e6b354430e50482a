"""The number of objects that a field reads."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from graphql import (
    FieldNode,
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
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from app.core.paging import DEFAULT_PAGE, LARGEST_PAGE, MOST_GROUPS

_LIST_ARGUMENTS = ("ids",)
_SEARCHES = ("search", "text")
_COUNT = "countIsCapped"
_GROUPS, _GROUPINGS = "groups", "groupBy"


class Sizes:
    """The sizes of one schema's fields."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._plumbing = _plumbing(schema)
        self._introspection = _introspection_sizes(schema)

    def is_plumbing(self, type_: GraphQLNamedType | None) -> bool:
        """Whether a type only carries a connection: it is one, an edge or PageInfo."""
        return type_ is not None and type_.name in self._plumbing

    def searches(self, definition: GraphQLField | None, node: FieldNode) -> list[ValueNode]:
        """The argument values by which a connection is searched."""
        if definition is None or not self.is_plumbing(get_named_type(definition.type)):
            return []
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        return [given[name] for name in _SEARCHES if name in given and not isinstance(given[name], NullValueNode)]

    def counts(self, definition: GraphQLField | None) -> bool:
        """Whether the field counts the rows that a filter matches."""
        return definition is not None and _COUNT in getattr(get_named_type(definition.type), "fields", ())

    def of(
        self,
        on: GraphQLNamedType | None,
        definition: GraphQLField | None,
        node: FieldNode,
        variables: Mapping[str, Any] | None,
    ) -> tuple[int, bool]:
        """The number of objects of the field, and whether a variable without a value makes that an upper bound."""
        if definition is None:
            return 1, False
        if on is not None and on.name.startswith("__"):
            return self._introspection.get(node.name.value, 1), False
        values = {argument.name.value: argument.value for argument in node.arguments or ()}
        if "first" in definition.args:
            sizes = [_page_size(values[name], variables) for name in ("first", "last") if name in values]
            return max((size for size, _ in sizes), default=DEFAULT_PAGE), any(is_open for _, is_open in sizes)
        if self.counts(definition):
            given = values.get(_GROUPINGS)
            return (len(given.values) if isinstance(given, ListValueNode) else _groupings(definition)), False
        if node.name.value == _GROUPS and "isCapped" in getattr(on, "fields", ()):
            return MOST_GROUPS, False
        for name in _LIST_ARGUMENTS:
            if name in definition.args:
                given = values.get(name)
                return (len(given.values) if isinstance(given, ListValueNode) else LARGEST_PAGE), False
        return 1, False


def _groupings(definition: GraphQLField) -> int:
    """The number of values of the field's argument of groupings."""
    found = get_named_type(definition.args[_GROUPINGS].type)
    return len(found.values) if isinstance(found, GraphQLEnumType) else 1


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
    """The types that only carry a connection: connections, edges and PageInfo. Only their items cost anything."""
    found = {"PageInfo"}
    for name, type_ in schema.type_map.items():
        if isinstance(type_, GraphQLObjectType) and "pageInfo" in type_.fields and "edges" in type_.fields:
            found |= {name, get_named_type(type_.fields["edges"].type).name}
    return frozenset(found)


def _introspection_sizes(schema: GraphQLSchema) -> dict[str, int]:
    """The approximate number of items of each list of the introspection in this schema, rounded up."""
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
