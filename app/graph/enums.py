"""Turns enums of models into enums of the graph."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import strawberry

from app.graph.strawberry_adapter.declaring import describe_values, described_values

E = TypeVar("E", bound=Enum)


def described(enum: type[E], description: str, values: Mapping[str, str], *, name: str | None = None) -> type[E]:
    """Make the enum a type of the graph, with a description for it and for each value. Models know no Strawberry.

    Raises KeyError for a value without a description."""
    made = strawberry.enum(enum, name=name, description=description)
    describe_values(made, values)
    return made


def statuses_of(enum: type[Enum], kind: str) -> Mapping[str, str]:
    """The descriptions of a `described` enum's values, each with the kind's name before it."""
    return {name: f"{kind}: {description}" for name, description in described_values(enum).items()}
