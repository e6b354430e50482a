"""Operations that ask for everything: every field of every type, so that none is left to chance."""

from typing import Any

from graphql import GraphQLSchema, get_named_type, is_abstract_type, is_leaf_type


def selection(schema: GraphQLSchema, type_: Any, depth: int, path: tuple[str, ...] = ()) -> str:
    """All fields of a type, and of what they lead to as deep as `depth` objects."""
    found = ["__typename"]
    if is_abstract_type(type_):
        possible = sorted(schema.get_possible_types(type_), key=lambda each: each.name)
        for each in possible:
            clashing = {
                name
                for name, field in each.fields.items()
                if any(name in other.fields and other.fields[name].type != field.type for other in possible)
            }
            found.append(f"... on {each.name} {_fields(schema, each, depth, path, clashing)}")
        return "{ " + " ".join(found) + " }"
    return _fields(schema, type_, depth, path, set())


def _fields(schema: GraphQLSchema, type_: Any, depth: int, path: tuple[str, ...], clashing: set[str]) -> str:
    found = ["__typename"]
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        head = f"{type_.name}_{name}: {name}" if name in clashing else name
        if is_leaf_type(inner):
            found.append(head)
            continue
        plumbing = inner.name.endswith(("Connection", "Edge")) or inner.name == "PageInfo"
        if (depth == 0 and not plumbing) or (inner.name in path[-2:] and not plumbing):
            continue
        if inner.name.endswith("Connection") and depth == 0:
            continue
        arguments = "(first: 2)" if "first" in field.args else ""
        found.append(f"{head}{arguments} {selection(schema, inner, depth - (not plumbing), (*path, inner.name))}")
    return "{ " + " ".join(found) + " }"
