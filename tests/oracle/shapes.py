"""Which fields an operation asks for, without their arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from hypothesis import strategies as st
from hypothesis_graphql import queries

_DEEPEST = 9
_WIDEST = 7


@dataclass(frozen=True)
class Shape:
    """A field with what is asked for below it, or with `on` an inline fragment."""

    name: str
    alias: str | None = None
    on: str | None = None
    children: "Sequence[Shape]" = ()


# Every argument is drawn anew; these only have to be there.
_REPLACED: Mapping[str, st.SearchStrategy[Any]] = {
    name: st.just(StringValueNode(value="")) for name in ("DateTime", "Date", "UUID", "Long", "JSON", "JSONObject")
}


def generated(schema: GraphQLSchema, root: str) -> st.SearchStrategy[Sequence[Shape]]:
    """The shapes that hypothesis-graphql makes."""
    return queries(schema, fields=[root], print_ast=_shapes, custom_scalars=_REPLACED)


def _shapes(document: DocumentNode) -> Sequence[Shape]:
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    return _of(definition.selection_set)


def _of(selection: SelectionSetNode | None) -> Sequence[Shape]:
    found = []
    for node in selection.selections if selection is not None else ():
        if isinstance(node, FieldNode):
            alias = node.alias.value if node.alias is not None else None
            found.append(Shape(node.name.value, alias, None, _of(node.selection_set)))
        elif isinstance(node, InlineFragmentNode) and node.type_condition is not None:
            found.append(Shape("", None, node.type_condition.name.value, _of(node.selection_set)))
    return found


def wide(schema: GraphQLSchema, random: Random, root: str) -> Shape:
    """Many fields on every level, as deep as it goes."""
    assert schema.query_type is not None
    inner: Any = get_named_type(schema.query_type.fields[root].type)
    return Shape(root, None, None, _wide(schema, random, inner, 1, random.randint(3, _DEEPEST)))


def _wide(schema: GraphQLSchema, random: Random, type_: Any, depth: int, deepest: int) -> Sequence[Shape]:
    if not is_abstract_type(type_):
        return _fields(schema, random, type_, depth, deepest, set())
    possible = list(schema.get_possible_types(type_))
    found = list(_fields(schema, random, type_, depth, deepest, set())) if hasattr(type_, "fields") else []
    for each in random.sample(possible, random.randint(0 if found else 1, min(4, len(possible)))):
        clashing = {
            name
            for name, field in each.fields.items()
            if any(name in other.fields and other.fields[name].type != field.type for other in possible)
        }
        found.append(Shape("", None, each.name, _fields(schema, random, each, depth, deepest, clashing)))
    return found


def _fields(
    schema: GraphQLSchema, random: Random, type_: Any, depth: int, deepest: int, clashing: set[str]
) -> Sequence[Shape]:
    leaves = [name for name, field in type_.fields.items() if is_leaf_type(get_named_type(field.type))]
    objects = [name for name in type_.fields if name not in leaves]
    if depth >= deepest and leaves:
        objects = []
    chosen = random.sample(leaves, min(len(leaves), random.randint(0 if objects else 1, _WIDEST)))
    fewest = 1 if type_.name.endswith("Connection") or not chosen else 0
    chosen += random.sample(objects, min(len(objects), random.randint(fewest, 3)))
    found = []
    for name in dict.fromkeys(chosen):
        inner = get_named_type(type_.fields[name].type)
        children = () if is_leaf_type(inner) else _wide(schema, random, inner, depth + 1, deepest)
        found.append(Shape(name, f"{type_.name}_{name}" if name in clashing else None, None, children))
    return found
