"""What a slice of the product adds to the graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.selection.mapping import Mapped, ObjectMap, One, Root, UnionMap
from app.transport.fields import ERROR_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Strawberry types whose fields become root fields, types that no field names (implementations of an interface),
    and how selections read them. `graphql.py` of every slice ends with its own."""

    query: type | None = None
    mutation: type | None = None
    subscription: type | None = None
    types: tuple[type, ...] = ()
    mappings: tuple[Mapped, ...] = ()
    roots: Mapping[str, Root] = field(default_factory=dict)


ERRORS = Slice(
    types=ERROR_TYPES,
    mappings=(UnionMap("UserError"), ObjectMap("AlreadyClaimedError", {"claimedBy": One("User", key="claimed_by")})),
)
"""What every mutation's payload needs."""
