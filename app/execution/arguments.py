"""The arguments of fields: constants read once, variables looked up per run."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    coerce_input_literal,
    print_ast,
)

from app.core.errors import InvalidInput
from app.execution.faults import misread
from app.execution.nulls import NOT_NULL
from app.graph.strawberry_adapter.reading import default_of, is_one_of, may_only_be_absent, neutral, python_name
from app.selection.tree import Arguments, Variables, no_arguments

Value = Callable[[Variables], Any]
"""The value of a literal that holds variables; `Undefined` when it is one variable that was not given."""


_APPLIED_LATER = frozenset({"first"})
"""The arguments whose default the page applies: it holds only where neither `last` nor `before` is given."""


class Constants:
    """The constant arguments of an operation, under names that no variable can have.

    They are added to the variables of each run, so operations that differ only in constants share a plan."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}

    def add(self, value: object) -> str:
        """The name under which a run finds the value."""
        name = f"#{len(self.values)}"
        self.values[name] = value
        return name


def arguments_of(
    definition: GraphQLField, node: FieldNode, constants: Constants
) -> tuple[Arguments, tuple[tuple[str, str], ...]]:
    """The arguments of a field for one run, and what they are but for the constants, which are read here, once."""
    if not definition.args:
        return no_arguments, ()
    defaults: dict[str, Any] = {}
    open_values: list[tuple[str, Value]] = []
    shape: list[tuple[str, str]] = []
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    for name, argument in definition.args.items():
        python = python_name(argument, name)
        default = default_of(argument)
        if default is not Undefined and name not in _APPLIED_LATER:
            defaults[python] = default
        value = given.get(name)
        if value is None:
            continue
        if _holds_variables(value):
            open_values.append((python, _value(value, argument.type, (python,))))
            shape.append((name, print_ast(value)))
        else:
            place = constants.add(_constant(value, argument.type))
            open_values.append((python, itemgetter(place)))
            shape.append((name, place))
    return _read(defaults, open_values), tuple(shape)


def _object(
    definitions: Mapping[str, GraphQLInputField], given: Mapping[str, ValueNode], path: tuple[str | int, ...]
) -> Arguments:
    constants: dict[str, Any] = {}
    open_values: list[tuple[str, Value]] = []
    for name, definition in definitions.items():
        python = python_name(definition, name)
        default = default_of(definition)
        if default is not Undefined:
            constants[python] = default
        node = given.get(name)
        if node is None:
            continue
        if _holds_variables(node):
            at = (*path, python)
            value_of = _value(node, definition.type, at)
            open_values.append((python, _given(value_of, at) if may_only_be_absent(definition) else value_of))
        else:
            constants[python] = _constant(node, definition.type)
    return _read(constants, open_values)


def _read(constants: dict[str, Any], open_values: Sequence[tuple[str, Value]]) -> Arguments:
    if not open_values:
        return lambda _variables: constants
    if len(open_values) == 1 and not constants:
        only, read = open_values[0]

        def one(variables: Variables) -> dict[str, Any]:
            value = read(variables)
            return {} if value is Undefined else {only: value}

        return one

    def all_(variables: Variables) -> dict[str, Any]:
        made = dict(constants)
        for python, value_of in open_values:
            value = value_of(variables)
            if value is not Undefined:
                made[python] = value
        return made

    return all_


def _given(value_of: Value, path: tuple[str | int, ...]) -> Value:
    """A value that may be absent and not null."""

    def read(variables: Variables) -> Any:
        value = value_of(variables)
        if value is None:
            raise InvalidInput(NOT_NULL, path=path)
        return value

    return read


def _holds_variables(node: ValueNode) -> bool:
    stack = [node]
    while stack:
        found = stack.pop()
        if isinstance(found, VariableNode):
            return True
        if isinstance(found, ListValueNode):
            stack.extend(found.values)
        elif isinstance(found, ObjectValueNode):
            stack.extend(field.value for field in found.fields)
    return False


def _constant(node: ValueNode, type_: GraphQLInputType) -> Any:
    return neutral(type_)(coerce_input_literal(node, type_))


def _value(node: ValueNode, type_: GraphQLInputType, path: tuple[str | int, ...]) -> Value:
    if isinstance(node, VariableNode):
        name = node.name.value
        if not isinstance(type_, GraphQLNonNull):
            return lambda variables: variables.get(name, Undefined)

        def required(variables: Variables) -> Any:
            # A nullable variable may stand here when it or the place has a default: null is found out only now.
            value = variables.get(name, Undefined)
            if value is None:
                raise InvalidInput("This must not be null.", path=path)
            return value

        return required
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if not _holds_variables(node):
        constant = _constant(node, type_)
        return lambda _variables: constant
    if isinstance(type_, GraphQLList):
        return _list(node, type_.of_type, path)
    if isinstance(type_, GraphQLInputObjectType):
        nodes = {field.name.value: field.value for field in cast("ObjectValueNode", node).fields}
        made = _object(type_.fields, nodes, path)
        if not is_one_of(type_):
            return made

        def exactly_one(variables: Variables) -> Any:
            value = made(variables)
            if len(value) != 1 or None in value.values():
                raise InvalidInput("Give exactly one field.", path=path)
            return value

        return exactly_one
    scalar = cast("GraphQLScalarType", type_)

    def mixed(variables: Variables) -> Any:
        try:
            return scalar.parse_literal(node, dict(variables))
        except Exception as error:
            raise InvalidInput(misread(scalar, error), path=path) from None

    return mixed


def _list(node: ValueNode, item_type: GraphQLInputType, path: tuple[str | int, ...]) -> Value:
    if not isinstance(node, ListValueNode):
        single = _value(node, item_type, path)
        return lambda variables: [single(variables)]
    items = [_value(item, item_type, (*path, index)) for index, item in enumerate(node.values)]

    def read(variables: Variables) -> list[Any]:
        # An absent variable inside a list is null.
        return [None if (value := item(variables)) is Undefined else value for item in items]

    return read
