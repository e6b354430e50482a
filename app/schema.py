"""Composes the graph from the slices and the kinds; defines nothing itself."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import strawberry
from graphql import GraphQLInputObjectType, GraphQLSchema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig

from app.attention.graphql import attention_slice
from app.connections.graphql import connections_slice
from app.destinations.graphql import DESTINATIONS
from app.directory.graphql import DIRECTORY
from app.graph.scalars import SCALARS
from app.graph.settings import SETTINGS
from app.graph.slice import ERRORS, NODES, Addition, Slice, extended, with_additions
from app.graph.strawberry_adapter.declaring import executable, field_names
from app.graph.strawberry_adapter.reading import is_one_of, type_facts
from app.interactions.graphql import interactions_slice
from app.registry import CONNECTORS, KINDS
from app.reports.graphql import REPORTS
from app.selection.catalogue import Catalogue

_KINDS = {kind.prefix: kind.name for kind in KINDS}

SLICES: tuple[Slice, ...] = (
    ERRORS,
    NODES,
    SETTINGS,
    DIRECTORY,
    interactions_slice(_KINDS),
    attention_slice(_KINDS),
    REPORTS,
    connections_slice(CONNECTORS),
    DESTINATIONS,
    *(kind.slice for kind in KINDS),
)
"""All slices that the graph is made of."""


_DESCRIPTION = (
    "Every support session of a business in one graph: Sessions of a messaging bot, AgentSessions of AI agents, "
    "ChatSessions of live chat and Conversations of messengers, all of them interactions. Queries read, mutations are "
    "one transaction each, and subscriptions continue from a cursor. Start with `attentionQueue`: the interactions "
    "that need a human now."
)


def build_schema(slices: tuple[Slice, ...] = SLICES) -> GraphQLSchema:
    """The schema. The same slices give the same object, because a schema never changes after it was made.

    Raises when a slice leaves a type or a field undefined."""
    return _built(slices)


@lru_cache(maxsize=8)
def _built(slices: tuple[Slice, ...]) -> GraphQLSchema:
    with extended(_additions(slices)):
        schema = strawberry.Schema(
            query=_merged("Query", "The queries: fields that read.", (slice_.query for slice_ in slices)),
            mutation=_merged_if_any(
                "Mutation", "The mutations. Each is one transaction.", [slice_.mutation for slice_ in slices]
            ),
            subscription=_merged_if_any("Subscription", "The subscriptions.", [each.subscription for each in slices]),
            types=[type_ for slice_ in slices for type_ in slice_.types],
            config=StrawberryConfig(scalar_map=SCALARS),
        )
    return executable(schema, _DESCRIPTION)


@lru_cache(maxsize=8)
def build_catalogue(schema: GraphQLSchema, slices: tuple[Slice, ...] = SLICES) -> Catalogue:
    """How selections read the schema. The same schema and slices give the same object.

    Raises UnmappedField for a field without a mapping."""
    return Catalogue(
        with_additions((mapping for slice_ in slices for mapping in slice_.mappings), _additions(slices)),
        {name: root for slice_ in slices for name, root in slice_.roots.items()},
        type_facts(schema),
    )


def print_sdl() -> str:
    """The schema as text, in alphabetical order, so that a diff only shows what changed."""
    schema = lexicographic_sort_schema(build_schema())
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            # Strawberry keeps this in a private attribute, and only shows it in introspection.
            type_.is_one_of = is_one_of(type_)
    return print_schema(schema) + "\n"


def _additions(slices: Sequence[Slice]) -> list[Addition]:
    return [addition for slice_ in slices for addition in slice_.additions]


def _merged_if_any(name: str, description: str, parts: Sequence[type | None]) -> type | None:
    return _merged(name, description, parts) if any(parts) else None


def _merged(name: str, description: str, parts: Iterable[type | None]) -> type:
    bases = tuple(part for part in parts if part is not None)
    fields = [name for base in bases for name in field_names(base)]
    twice = {field for field in fields if fields.count(field) > 1}
    if twice:
        raise ValueError(f"{name} has two fields of the same name: {', '.join(sorted(twice))}")
    return strawberry.type(type(name, bases, {}), description=description)
