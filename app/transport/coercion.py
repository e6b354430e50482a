"""Reads the variables of a request: straight to the neutral form where they are plain, by graphql-core where not."""

from collections.abc import Mapping
from typing import Any, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    get_named_type,
    get_variable_values,
    is_required_input_field,
    type_from_ast,
)
from graphql.execution.values import VariableValues
from graphql.utilities import validate_input_value

from app.transport import errors
from app.transport.neutral import Convert, default_of, is_one_of, neutral, python_name
from app.transport.presence import one_of_faults, refuse_null
from app.transport.scalars import JSON_OBJECT, refuse_unstorable_text

_INT_LIMIT = 2**31
_MOST_ERRORS = 20


class _Slow(Exception):
    """The value is not of the plain form that is read directly; graphql-core decides what it means."""


class BadVariables(Exception):
    """The variables do not fit; `entries` say which and why."""

    def __init__(self, entries: list[errors.Entry]) -> None:
        super().__init__("The variables do not fit the operation.")
        self.entries = entries


class Coercions:
    """Converters for the input types of one schema, each made once."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._readers: dict[str, Convert] = {}

    def variables(self, operation: OperationDefinitionNode) -> "VariableReader":
        """How to read the variables of an operation of a valid document."""
        return VariableReader(self, operation)

    def reader(self, type_: GraphQLInputType) -> Convert:
        """From JSON to neutral for what is plain; raises _Slow for anything that needs a second look."""
        if isinstance(type_, GraphQLNonNull):
            inner = self.reader(type_.of_type)

            def required(value: Any) -> Any:
                if value is None:
                    raise _Slow
                return inner(value)

            return required
        if isinstance(type_, GraphQLList):
            item = self.reader(type_.of_type)

            def items(value: Any) -> Any:
                if value is None:
                    return None
                if type(value) is not list:
                    raise _Slow
                return [item(one) for one in value]

            return items
        name = type_.name
        found = self._readers.get(name)
        if found is None:
            # A type may hold itself: what is made first is a way to look the reader up.
            self._readers[name] = lambda value: self._readers[name](value)
            found = self._readers[name] = self._named_reader(type_)
        return found

    def _named_reader(self, type_: GraphQLInputType) -> Convert:
        if isinstance(type_, GraphQLEnumType):
            return _enum_reader(type_)
        if isinstance(type_, GraphQLInputObjectType):
            return self._object_reader(type_)
        return _scalar_reader(cast("GraphQLScalarType", type_))

    def _object_reader(self, type_: GraphQLInputObjectType) -> Convert:
        fields = {name: (python_name(field, name), self.reader(field.type)) for name, field in type_.fields.items()}
        required = [name for name, field in type_.fields.items() if is_required_input_field(field)]
        defaults = {
            python_name(field, name): default
            for name, field in type_.fields.items()
            if (default := default_of(field)) is not Undefined
        }
        one_of = is_one_of(type_)

        def read(value: Any) -> Any:
            if value is None:
                return None
            if type(value) is not dict or (one_of and len(value) != 1):
                raise _Slow
            made = dict(defaults)
            for key, item in value.items():
                field = fields.get(key)
                if field is None or (one_of and item is None):
                    raise _Slow
                made[field[0]] = field[1](item)
            for name in required:
                if name not in value:
                    raise _Slow
            return made

        return read


class VariableReader:
    """Reads the variables of one operation, again and again."""

    def __init__(self, coercions: Coercions, operation: OperationDefinitionNode) -> None:
        self._schema = coercions.schema
        self._definitions = operation.variable_definitions or ()
        self.exact = False
        """Whether a variable holds JSON whose numbers keep their spelling."""
        self._fast: list[tuple[str, bool, Convert]] = []
        self._neutral: dict[str, Convert] = {}
        self._defaults: dict[str, Any] = {}
        for definition in self._definitions:
            name = definition.variable.name.value
            type_ = cast("GraphQLInputType", type_from_ast(self._schema, definition.type))
            required = isinstance(type_, GraphQLNonNull) and definition.default_value is None
            self._fast.append((name, required, coercions.reader(type_)))
            self._neutral[name] = neutral(type_)
            self.exact = self.exact or _holds_json_text(type_, set())
        if any(definition.default_value is not None for definition in self._definitions):
            optional = [one for one in self._definitions if one.default_value is not None]
            found = get_variable_values(self._schema, optional, {})
            if isinstance(found, VariableValues):
                self._defaults = {name: self._neutral[name](value) for name, value in found.coerced.items()}

    def neutral(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values by GraphQL name, absent ones absent. Raises BadVariables, and InvalidInput for unstorable text."""
        if not self._fast:
            return {}
        refuse_unstorable_text(given)
        values = dict(self._defaults)
        try:
            for name, required, read in self._fast:
                if name in given:
                    values[name] = read(given[name])
                elif required:
                    raise _Slow
        except (_Slow, RecursionError):
            coerced = self._coerced(given).coerced
            return {name: self._neutral[name](value) for name, value in coerced.items()}
        return values

    def sourced(self, given: Mapping[str, Any]) -> VariableValues:
        """The values as graphql-core itself takes them. Raises as `neutral` does."""
        refuse_unstorable_text(given)
        refuse_null(self._schema, self._definitions, given)
        return self._coerced(given)

    def _coerced(self, given: Mapping[str, Any]) -> VariableValues:
        found = get_variable_values(self._schema, list(self._definitions), dict(given), max_errors=_MOST_ERRORS)
        if isinstance(found, VariableValues):
            return found
        entries = one_of_faults(self._schema, self._definitions, given)
        entries += [fault for definition in self._definitions for fault in self._faults(definition, given)]
        raise BadVariables(
            (entries or [errors.from_graphql(error, errors.BAD_USER_INPUT) for error in found])[:_MOST_ERRORS]
        )

    def _faults(self, definition: VariableDefinitionNode, given: Mapping[str, Any]) -> list[errors.Entry]:
        name = definition.variable.name.value
        if name not in given and definition.default_value is not None:
            return []
        type_ = cast("GraphQLInputType", type_from_ast(self._schema, definition.type))
        if name not in given and not isinstance(type_, GraphQLNonNull):
            return []
        found: list[errors.Entry] = []

        def fault(error: GraphQLError, path: list[str | int]) -> None:
            found.append(
                errors.entry(
                    f"Variable '${name}' does not fit: {error.message}",
                    errors.BAD_USER_INPUT,
                    locations=errors.places([definition]),
                    argument=(name, *path),
                )
            )

        try:
            validate_input_value(given.get(name, Undefined), type_, fault)
        except RecursionError:
            return []
        return found


def _holds_json_text(type_: GraphQLInputType, seen: set[str]) -> bool:
    named = get_named_type(type_)
    if named.name in seen:
        return False
    seen.add(named.name)
    if isinstance(named, GraphQLInputObjectType):
        return any(_holds_json_text(field.type, seen) for field in named.fields.values())
    return named.name == JSON_OBJECT


def _enum_reader(type_: GraphQLEnumType) -> Convert:
    names = {name: name for name in type_.values} | {None: None}

    def read(value: Any) -> Any:
        try:
            return names[value]
        except (KeyError, TypeError):
            raise _Slow from None

    return read


def _scalar_reader(type_: GraphQLScalarType) -> Convert:
    if type_ is GraphQLInt:
        return _int
    plain = {GraphQLString.name: str, GraphQLID.name: str, GraphQLBoolean.name: bool, GraphQLFloat.name: float}
    wanted = plain.get(type_.name)
    if wanted is not None:

        def exact(value: Any) -> Any:
            if value is not None and type(value) is not wanted:
                raise _Slow
            return value

        return exact

    def custom(value: Any) -> Any:
        if value is None:
            return None
        try:
            return type_.coerce_input_value(value)
        except Exception:
            raise _Slow from None

    return custom


def _int(value: Any) -> Any:
    if value is not None and (type(value) is not int or not -_INT_LIMIT <= value < _INT_LIMIT):
        raise _Slow
    return value
