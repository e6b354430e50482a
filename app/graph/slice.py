"""The parts of the graph that a slice declares."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import strawberry

from app.feed import Stream
from app.graph.fields import ERROR_TYPES, Node, argument, root
from app.graph.strawberry_adapter.declaring import add_field, graph_name, type_name
from app.selection.mapping import FieldMap, InterfaceMap, Mapped, Root, RootNode, TypeMap, UnionMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A field that a slice adds to a type of a slice below it, for example an edge. A field of an interface is added to
    its types, too.

    `field` is the result of `edge(…)`, `gives` the field's type as in an annotation. Without a `mapping` it is mapped
    as the type's other fields without one."""

    to: type
    name: str
    gives: Any
    field: Any
    mapping: FieldMap | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """Strawberry types whose fields become root fields, types that no field names (implementations of an interface),
    how selections read them, and what each field of Subscription sends. `graphql.py` of every slice ends with its own.
    """

    query: type | None = None
    mutation: type | None = None
    subscription: type | None = None
    types: tuple[type, ...] = ()
    mappings: tuple[Mapped, ...] = ()
    roots: Mapping[str, Root] = field(default_factory=dict)
    additions: tuple[Addition, ...] = ()
    streams: Mapping[str, Stream] = field(default_factory=dict)


@contextmanager
def extended(additions: Iterable[Addition]) -> Iterator[None]:
    """While a schema is built, the types have the added fields."""
    with ExitStack() as added:
        for each in additions:
            added.callback(add_field(each.to, each.name, each.gives, each.field))
        yield


def with_additions(mappings: Iterable[Mapped], additions: Iterable[Addition]) -> list[Mapped]:
    """The mappings, with those of the added fields."""
    extra: dict[str, dict[str, FieldMap]] = {}
    for each in additions:
        if each.mapping is not None:
            extra.setdefault(type_name(each.to), {})[graph_name(each.name)] = each.mapping
    return [
        replace(found, fields={**found.fields, **extra[found.name]})
        if isinstance(found, TypeMap | InterfaceMap) and found.name in extra
        else found
        for found in mappings
    ]


@strawberry.type
class _NodeQuery:
    node: Node | None = root(
        description="The object with the id, of any type. Null when it does not exist or the caller may not see it.",
        id=argument(strawberry.ID, "The id of the object."),
    )
    nodes: list[Node | None] | None = root(
        description=(
            "The objects with these ids in the same order, null for each that does not exist or the caller may not see."
        ),
        ids=argument(list[strawberry.ID], "The ids of the objects, at most 100."),
    )


NODES = Slice(query=_NodeQuery, roots={"node": RootNode(), "nodes": RootNode(many=True)})
"""Everything with an id, by its id."""

ERRORS = Slice(
    types=ERROR_TYPES,
    mappings=(UnionMap("UserError"),),
)
"""What every mutation's payload needs."""
