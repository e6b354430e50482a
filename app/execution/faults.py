"""Coercion of values that are not plain, and its errors."""

from typing import Any, NamedTuple, TypeAlias, Union

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    Undefined,
    is_required_input_field,
)

from app.core.json_input import DEEPEST
from app.graph.strawberry_adapter.reading import default_of, is_one_of, python_name

MOST_FAULTS = 20
ONE_OF = "Give exactly one field."

_LONGEST_NAME = 80
_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}
_NUMBERS = {
    "Int": "Expected Int, a whole number of 32 bits.",
    "Float": "Expected Float, a finite number; a whole one has to be exact as a double.",
    "ID": "Expected ID, a string or a whole number.",
}
_EXACT = {"String": str, "Boolean": bool}

Place: TypeAlias = Union["tuple[Place, str | int]", None]
"""A path as a linked list from its end, so that going down costs the same at any depth."""


def path_of(place: Place) -> tuple[str | int, ...]:
    """The path from the root to this place."""
    path: list[str | int] = []
    while place is not None:
        place, key = place
        path.append(key)
    return tuple(reversed(path))


class Fault(NamedTuple):
    """One coercion error. Its message names types and paths, and never contains a value of the client."""

    message: str
    path: tuple[str | int, ...]


class Enough(Exception):
    """Raised when the most faults that are reported were found; the rest of the value is not read."""


class Coercer:
    """Coerces the values of one request to the neutral form. `visits` counts the values visited."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.visits = 0

    def fault(self, message: str, place: Place) -> None:
        """Add a fault. Raises Enough with the last one that is reported."""
        self.faults.append(Fault(message, path_of(place)))
        if len(self.faults) >= MOST_FAULTS:
            raise Enough

    def coerce(self, type_: GraphQLInputType, value: Any, place: Place, depth: int = 0) -> Any:
        """The value in the neutral form; None for an invalid value, whose faults are added. Raises Enough."""
        self.visits += 1
        if isinstance(type_, GraphQLNonNull):
            if value is None:
                self.fault(f"Expected {type_}, found null.", place)
                return None
            type_ = type_.of_type
        if value is None:
            return None
        if depth > DEEPEST:
            self.fault("This is nested too deeply.", place)
            return None
        if isinstance(type_, GraphQLList):
            return self._list(type_, value, place, depth)
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_, value, place, depth)
        if isinstance(type_, GraphQLEnumType):
            return self._enum(type_, value, place)
        return self._scalar(type_, value, place)

    def _list(self, type_: GraphQLList[Any], value: Any, place: Place, depth: int) -> list[Any]:
        if not isinstance(value, list):
            # GraphQL takes a value for the list that holds it alone.
            return [self.coerce(type_.of_type, value, place, depth + 1)]
        made = []
        for index, item in enumerate(value):
            made.append(self.coerce(type_.of_type, item, (place, index), depth + 1))
        return made

    def _object(self, type_: GraphQLInputObjectType, value: Any, place: Place, depth: int) -> Any:
        if not isinstance(value, dict):
            self.fault(f"Expected {type_.name}, found {_kind_of(value)}.", place)
            return None
        if is_one_of(type_) and (len(value) != 1 or None in value.values()):
            self.fault(ONE_OF, place)
        made = {}
        for name, item in value.items():
            field = type_.fields.get(name)
            if field is None:
                self.fault(unknown_field(name, type_), place)
            else:
                made[python_name(field, name)] = self.coerce(field.type, item, (place, name), depth + 1)
        for name, field in type_.fields.items():
            if name not in value:
                if is_required_input_field(field):
                    self.fault(missing_field(name, type_, field), place)
                elif (default := default_of(field)) is not Undefined:
                    made[python_name(field, name)] = default
        return made

    def _enum(self, type_: GraphQLEnumType, value: Any, place: Place) -> Any:
        if isinstance(value, str) and value in type_.values:
            return value
        if isinstance(value, str):
            self.fault(unknown_value(type_), place)
        else:
            self.fault(f"Expected {type_.name}, found {_kind_of(value)}.", place)
        return None

    def _scalar(self, type_: GraphQLScalarType, value: Any, place: Place) -> Any:
        exact = _EXACT.get(type_.name)
        if exact is not None:
            if isinstance(value, exact):
                return value
            self.fault(f"Expected {type_.name}, found {_kind_of(value)}.", place)
            return None
        numeric = _NUMBERS.get(type_.name)
        if numeric is not None and type_.name == "ID" and isinstance(value, str):
            return value
        if numeric is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            self.fault(f"Expected {type_.name}, found {_kind_of(value)}.", place)
            return None
        try:
            return type_.coerce_input_value(value)
        except Exception as error:
            message = numeric or misread(type_, error)
        self.fault(message, place)
        return None


def unknown_field(name: str, type_: GraphQLInputObjectType) -> str:
    """The fault of a member that the input type does not have; a long name is cut."""
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    return f"Field '{shown}' is not defined by type '{type_.name}'."


def missing_field(name: str, type_: GraphQLInputObjectType, field: GraphQLInputField) -> str:
    """The fault of an object without a required field."""
    return f"Field '{name}' of type '{field.type}' is required by type '{type_.name}'."


def unknown_value(type_: GraphQLEnumType) -> str:
    """The fault of a name that is not a value of the enum."""
    return f"Expected one of the values of the enum '{type_.name}'."


def misread(type_: GraphQLScalarType, error: Exception) -> str:
    """The fault of a value that the scalar refuses. The ValueErrors of scalars do not contain the value."""
    return f"Expected {type_.name}. {error}" if isinstance(error, ValueError) else f"Expected {type_.name}."


def _kind_of(value: object) -> str:
    for kind, name in _KINDS.items():
        if isinstance(value, kind):
            return name
    return "another value"
