"""What was declared, read from the schema as graphql-core has it.

Neutral means: input objects are dicts with snake_case keys and without absent fields, enums are their names, times are
aware datetimes, ids are text."""

from collections.abc import Callable
from enum import Enum
from typing import Any, cast

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.base import StrawberryMaybe, StrawberryOptional

from app.selection.catalogue import FieldFacts, TypeFacts

VariableSignature = GraphQLVariableSignature
"""The type and default of a variable of an operation."""

EXACTLY_ONE = OneOfInputValidationRule
"""The rule of validation that one field of a `@oneOf` input is given in a document."""

DECLARED = "strawberry-definition"
"""Under which name Strawberry leaves its own definition of a field or type."""

Convert = Callable[[Any], Any]


def identity_of(definition: GraphQLField) -> int:
    """The same key for the fields of a type and of the interface that declares them."""
    return id(definition.extensions.get(DECLARED, definition))


def may_only_be_absent(field: object) -> bool:
    """Whether it is an optional field that does not accept null."""
    if not isinstance(field, GraphQLInputField):
        return False
    declared = field.extensions.get(DECLARED)
    type_ = None if declared is None else declared.type
    return isinstance(type_, StrawberryMaybe) and not isinstance(type_.of_type, StrawberryOptional)


def python_name(definition: GraphQLArgument | GraphQLInputField, name: str) -> str:
    """The name in Python of an argument or input field, from the class it was declared in."""
    declared = definition.extensions.get(DECLARED)
    return str(declared.python_name) if declared is not None else name


def default_of(definition: GraphQLArgument | GraphQLInputField | VariableSignature) -> Any:
    """The neutral default of an argument, input field or variable; Undefined when it has none."""
    default = coerce_default_value(definition)
    return default if default is Undefined else neutral(definition.type)(default)


def signature_of(schema: GraphQLSchema, definition: VariableDefinitionNode) -> VariableSignature:
    """The signature of a variable of a valid document."""
    return cast("VariableSignature", get_variable_signature(schema, definition))


def is_one_of(type_: GraphQLInputObjectType) -> bool:
    """Whether it is an input of which exactly one field has to be given."""
    declared = type_.extensions.get(DECLARED)
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


def type_facts(schema: GraphQLSchema) -> dict[str, TypeFacts]:
    """The facts of the schema's object and interface types that the compiler needs."""
    return {
        name: TypeFacts(
            {
                field_name: FieldFacts(
                    type=get_named_type(field.type).name,
                    nullable=not is_non_null_type(field.type),
                    many=is_list_type(get_nullable_type(field.type)),
                )
                for field_name, field in type_.fields.items()
            },
            tuple(interface.name for interface in type_.interfaces),
        )
        for name, type_ in schema.type_map.items()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__")
    }
