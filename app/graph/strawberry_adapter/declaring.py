"""Declarations that Strawberry's public functions do not offer."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

import strawberry
from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    Undefined,
)
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.utils.str_converters import to_camel_case


def field_of(description: str, arguments: Iterable[tuple[str, Any, str, object]]) -> Any:
    """A field without a resolver; for each argument its Python name, type as in an annotation, description and
    default."""
    made = strawberry.field(description=description)
    made.arguments = [
        StrawberryArgument(
            python_name=name,
            graphql_name=None,
            type_annotation=StrawberryAnnotation(type_),
            description=text,
            default=_as_in_schema(default),
        )
        for name, type_, text, default in arguments
    ]
    return made


def _as_in_schema(default: object) -> object:
    """A default in the form that the schema takes. Strawberry passes the default of an argument unchanged, and of a
    field as the enum's value; a default of an input type is a mapping."""
    if isinstance(default, Enum):
        return default.value
    if hasattr(default, "__strawberry_definition__"):
        return {graph_name(name): _as_in_schema(getattr(default, name)) for name in field_names(type(default))}
    return default


def add_field(to: type, name: str, gives: Any, field: Any) -> Callable[[], None]:
    """Add a field to a declared type, until the returned function is called."""
    field.python_name = name
    field.type_annotation = StrawberryAnnotation(gives)
    field.origin = to
    # Types that implement an interface have taken its fields when they were declared.
    given = [_definition(each).fields for each in (to, *_implementing(to))]
    for fields in given:
        fields.append(field)

    def take_back() -> None:
        for fields in given:
            fields.remove(field)

    return take_back


def describe_values(enum: type[Enum], descriptions: Mapping[str, str]) -> None:
    """Give each value of a declared enum its description. Raises KeyError for one that has none."""
    for value in _definition(enum).values:
        value.description = descriptions[value.name]


def described_values(made: type[Enum]) -> dict[str, str]:
    """The description of each value of an enum of the graph."""
    return {value.name: str(value.description) for value in _definition(made).values}


def type_name(of: type) -> str:
    """The name in the graph of a declared type."""
    return str(_definition(of).name)


def field_names(of: type) -> list[str]:
    """The names in Python of a declared type's fields."""
    return [field.name for field in _definition(of).fields]


def graph_name(name: str) -> str:
    """The name in the graph of a field or argument of this name in Python."""
    return to_camel_case(name)


def executable(schema: strawberry.Schema, description: str) -> GraphQLSchema:
    """The schema of graphql-core, with a description. An optional field of an input needs no `= null` there: the
    input's class has the default."""
    core = schema._schema
    core.description = description
    for type_ in core.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            for field in type_.fields.values():
                if field.default_value is None:
                    field.default_value = Undefined
    return core


def _implementing(interface: type) -> list[type]:
    """The types that implement the interface; none for another type."""
    if not _definition(interface).is_interface:
        return []
    found: list[type] = interface.__subclasses__()
    return [each for each in found if "__strawberry_definition__" in vars(each)]


def _definition(of: type) -> Any:
    return of.__strawberry_definition__  # type: ignore[attr-defined]
