"""How the models' enums become enums of the graph."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

E = TypeVar("E", bound=Enum)


def described(enum: type[E], description: str, values: Mapping[str, str], *, name: str | None = None) -> type[E]:
    """Make the enum a type of the graph, with a description for it and for each value. Models know no Strawberry.

    Raises KeyError for a value without a description."""
    made = strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = made.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]
    return made
