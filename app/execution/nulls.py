"""Nulls that the standard rules of GraphQL do not refuse."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    NullValueNode,
    ObjectValueNode,
    ValidationRule,
    get_named_type,
)

from app.core.errors import InvalidInput
from app.execution.faults import Place, path_of
from app.graph.strawberry_adapter.reading import may_only_be_absent

NOT_NULL = "This may be left out, but it cannot be null."


class AbsentOrGiven(ValidationRule):
    """Validation rule: no literal `null` for a field that may only be absent."""

    def enter_object_value(self, node: ObjectValueNode, *_args: object) -> None:
        type_ = get_named_type(self.context.get_input_type())
        if isinstance(type_, GraphQLInputObjectType):
            for given in node.fields:
                field = type_.fields.get(given.name.value)
                if isinstance(given.value, NullValueNode) and field is not None and may_only_be_absent(field):
                    text = f"Field '{type_.name}.{given.name.value}': {NOT_NULL}"
                    self.report_error(GraphQLError(text, given))


def refuse_null(type_: GraphQLInputType, value: Any, name: str) -> None:
    """Raise InvalidInput, with the path in it, for null in the variable where a field may only be absent."""
    stack: list[tuple[GraphQLInputType, Any, Place]] = [(type_, value, (None, name))]
    while stack:
        type_, value, place = stack.pop()
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        if isinstance(type_, GraphQLList) and isinstance(value, list):
            stack.extend((type_.of_type, item, (place, index)) for index, item in reversed(list(enumerate(value))))
        elif isinstance(type_, GraphQLList) and value is not None:
            stack.append((type_.of_type, value, place))
        elif isinstance(type_, GraphQLInputObjectType) and isinstance(value, dict):
            for key, item in reversed(value.items()):
                field = type_.fields.get(key)
                if field is None:
                    continue
                if item is None and may_only_be_absent(field):
                    raise InvalidInput(NOT_NULL, path=path_of((place, key)))
                stack.append((field.type, item, (place, key)))


def holds(type_: GraphQLInputType, wanted: Callable[[object], bool]) -> bool:
    """Whether the predicate holds for the type, or for a field or type inside it."""
    seen = set()
    stack = [get_named_type(type_)]
    while stack:
        named = stack.pop()
        if named.name in seen:
            continue
        seen.add(named.name)
        if wanted(named):
            return True
        if isinstance(named, GraphQLInputObjectType):
            if any(map(wanted, named.fields.values())):
                return True
            stack.extend(get_named_type(field.type) for field in named.fields.values())
    return False
