"""What GraphQL's own rules do not hold: exactly one field of some inputs, no null where a field may stay
absent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from graphql import (
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    NullValueNode,
    ObjectValueNode,
    ValidationRule,
    VariableDefinitionNode,
    get_named_type,
    type_from_ast,
)
from strawberry.types.base import StrawberryMaybe, StrawberryOptional

from app.core.errors import InvalidInput
from app.transport import errors
from app.transport.neutral import is_one_of

Path = tuple[str | int, ...]
_Place = tuple[GraphQLInputField | None, GraphQLInputType, Any, Path]


NOT_NULL = "This may be left out, but it cannot be null."


class AbsentOrGiven(ValidationRule):
    """No `null` is written in a document for a field that may only be left out."""

    def enter_object_value(self, node: ObjectValueNode, *_args: object) -> None:
        type_ = get_named_type(self.context.get_input_type())
        if isinstance(type_, GraphQLInputObjectType):
            for given in node.fields:
                field = type_.fields.get(given.name.value)
                if isinstance(given.value, NullValueNode) and field is not None and _may_only_be_absent(field):
                    text = f"Field '{type_.name}.{given.name.value}': {NOT_NULL}"
                    self.report_error(GraphQLError(text, given))


def one_of_faults(
    schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode], given: Mapping[str, Any]
) -> list[errors.Entry]:
    """An entry, with its path, for each input of which exactly one field has to be given and is not."""
    return [
        errors.entry(
            f"Variable '${definition.variable.name.value}' does not fit: Exactly one field has to be given.",
            errors.BAD_USER_INPUT,
            locations=errors.places([definition]),
            argument=path,
        )
        for definition in definitions
        for _, type_, value, path in _places_of(schema, definition, given)
        if isinstance(type_, GraphQLInputObjectType)
        and isinstance(value, dict)
        and is_one_of(type_)
        and (len(value) != 1 or None in value.values())
    ]


def refuse_null(schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode], given: Mapping[str, Any]) -> None:
    """Raise InvalidInput, with the variable and the path in it, for null where a field may only be absent."""
    for definition in definitions:
        for field, _, value, path in _places_of(schema, definition, given):
            if value is None and field is not None and _may_only_be_absent(field):
                raise InvalidInput(NOT_NULL, path=path)


def _places_of(schema: GraphQLSchema, definition: VariableDefinitionNode, given: Mapping[str, Any]) -> Iterator[_Place]:
    name = definition.variable.name.value
    type_ = cast("GraphQLInputType", type_from_ast(schema, definition.type))
    return _places(None, type_, given.get(name), (name,))


def _places(field: GraphQLInputField | None, type_: GraphQLInputType, value: Any, path: Path) -> Iterator[_Place]:
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    yield field, type_, value, path
    if isinstance(type_, GraphQLList) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(None, type_.of_type, item, (*path, index))
    elif isinstance(type_, GraphQLList) and value is not None:
        yield from _places(None, type_.of_type, value, path)
    elif isinstance(type_, GraphQLInputObjectType) and isinstance(value, dict):
        for name, item in value.items():
            inner = type_.fields.get(name)
            if inner is not None:
                yield from _places(inner, inner.type, item, (*path, name))


def _may_only_be_absent(field: GraphQLInputField) -> bool:
    declared = field.extensions.get("strawberry-definition")
    type_ = None if declared is None else declared.type
    return isinstance(type_, StrawberryMaybe) and not isinstance(type_.of_type, StrawberryOptional)
