"""Validation of the literals in documents, in time linear in their size."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    SKIP,
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VariableNode,
    VisitorAction,
    is_required_input_field,
    replace_variables,
)

from app.execution.faults import misread, missing_field, unknown_field, unknown_value

_WRITTEN_AS: Mapping[str, tuple[type[ValueNode], ...]] = {
    "Int": (IntValueNode,),
    "Float": (FloatValueNode, IntValueNode),
    "String": (StringValueNode,),
    "Boolean": (BooleanValueNode,),
    "ID": (StringValueNode, IntValueNode),
}


class LiteralsOfCorrectType(ValuesOfCorrectTypeRule):
    """The rule of GraphQL, whose own form prints the whole literal into each of its messages."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Report what does not fit in the literal, which is not visited further."""
        if input_type is not None:
            stack: list[tuple[ValueNode, GraphQLInputType]] = [(node, input_type)]
            while stack:
                node, type_ = stack.pop()
                stack.extend(reversed(self._check(node, type_)))
        return SKIP

    def _check(self, node: ValueNode, type_: GraphQLInputType) -> list[tuple[ValueNode, GraphQLInputType]]:
        """Report what is wrong with the value itself; what is inside it is still to be checked."""
        if isinstance(node, VariableNode):
            return []
        if isinstance(type_, GraphQLNonNull):
            if isinstance(node, NullValueNode):
                self._report(f"Expected {type_}, found null.", node)
                return []
            type_ = type_.of_type
        if isinstance(node, NullValueNode):
            return []
        if isinstance(type_, GraphQLList):
            inside = node.values if isinstance(node, ListValueNode) else (node,)
            return [(item, type_.of_type) for item in inside]
        if isinstance(type_, GraphQLInputObjectType):
            return self._check_object(node, type_)
        if isinstance(type_, GraphQLEnumType):
            if not isinstance(node, EnumValueNode) or node.value not in type_.values:
                self._report(unknown_value(type_), node)
        else:
            self._check_scalar(node, type_)
        return []

    def _check_object(self, node: ValueNode, type_: GraphQLInputObjectType) -> list[tuple[ValueNode, GraphQLInputType]]:
        if not isinstance(node, ObjectValueNode):
            self._report(f"Expected {type_.name}, an object.", node)
            return []
        inside = []
        for given in node.fields:
            field = type_.fields.get(given.name.value)
            if field is None:
                self._report(unknown_field(given.name.value, type_), given)
            else:
                inside.append((given.value, field.type))
        names = {given.name.value for given in node.fields}
        for name, field in type_.fields.items():
            if name not in names and is_required_input_field(field):
                self._report(missing_field(name, type_, field), node)
        return inside

    def _check_scalar(self, node: ValueNode, type_: GraphQLScalarType) -> None:
        forms = _WRITTEN_AS.get(type_.name)
        if forms is not None and not isinstance(node, forms):
            self._report(f"Expected {type_.name}.", node)
            return
        try:
            fits = _read(node, type_) is not Undefined
            message = f"Expected {type_.name}."
        except Exception as error:
            fits, message = False, misread(type_, error)
        if not fits:
            self._report(message, node)

    def _report(self, message: str, node: ValueNode | Any) -> None:
        self.report_error(GraphQLError(message, node))


def _read(node: ValueNode, type_: GraphQLScalarType) -> object:
    if type_ is GraphQLFloat and isinstance(node, IntValueNode | FloatValueNode):
        # graphql-core rounds literals, to infinity too, and refuses the same numbers in variables.
        return type_.coerce_input_value(int(node.value) if isinstance(node, IntValueNode) else float(node.value))
    if type_.coerce_input_literal is not None:
        return type_.coerce_input_literal(replace_variables(node))
    return type_.parse_literal(node)
