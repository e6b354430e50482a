"""What graphql-core coerced, in the neutral form that selections take.

Neutral means: input objects are dicts with snake_case keys and without absent fields, enums are their names, times are
aware datetimes, ids are text."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
)
from graphql.utilities.coerce_input_value import coerce_default_value

Convert = Callable[[Any], Any]


def python_name(definition: GraphQLArgument | GraphQLInputField, name: str) -> str:
    """The name in Python of an argument or input field, from the class it was declared in."""
    declared = definition.extensions.get("strawberry-definition")
    return str(declared.python_name) if declared is not None else name


def default_of(definition: GraphQLArgument | GraphQLInputField) -> Any:
    """The neutral default of an argument or input field; Undefined when it has none."""
    default = coerce_default_value(definition)
    return default if default is Undefined else neutral(definition.type)(default)


def is_one_of(type_: GraphQLInputObjectType) -> bool:
    """Whether exactly one field has to be given."""
    declared = type_.extensions.get("strawberry-definition")
    return bool(type_.is_one_of or (declared is not None and declared.is_one_of))


def neutral(type_: GraphQLInputType) -> Convert:
    """From a value that graphql-core coerced to the neutral form."""

    def convert(value: Any) -> Any:
        return _neutral(value, type_)

    return convert


def _neutral(value: Any, type_: GraphQLInputType) -> Any:
    if value is None:
        return None
    if isinstance(type_, GraphQLNonNull):
        return _neutral(value, type_.of_type)
    if isinstance(type_, GraphQLList):
        return [_neutral(item, type_.of_type) for item in value]
    if isinstance(type_, GraphQLEnumType):
        return value.name if isinstance(value, Enum) else value
    if isinstance(type_, GraphQLInputObjectType):
        return {
            python_name(field, name): _neutral(value[name], field.type)
            for name, field in type_.fields.items()
            if name in value
        }
    return value
