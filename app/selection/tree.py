"""The neutral selection that transports pass to the compiler."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Variables = Mapping[str, object]
Arguments = Callable[[Variables], dict[str, object]]
Children = Mapping[str, "tuple[Field, ...]"]


def no_arguments(_variables: Variables) -> dict[str, object]:
    """The arguments of a field that has none."""
    return {}


@dataclass(frozen=True, slots=True)
class Field:
    """One selected field, under its response `key`.

    `arguments` returns the values for one run: snake_case names, enums by name, times as aware datetimes, ids as text,
    input objects as dicts in which an absent field is absent. `children` maps each possible concrete type to its
    fields, already collected and merged; None for a leaf."""

    name: str
    key: str
    arguments: Arguments = no_arguments
    children: Children | None = None
