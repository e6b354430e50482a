"""Coerces the variables of a request: plain values directly, others through `Coercer`."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
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
    is_required_input_field,
)

from app.core import codes
from app.execution import errors
from app.execution.faults import MOST_FAULTS, Coercer, Enough, Fault
from app.execution.nulls import holds, refuse_null
from app.graph.scalars import JSON_OBJECT, refuse_unstorable_text
from app.graph.strawberry_adapter.reading import (
    Convert,
    VariableSignature,
    default_of,
    is_one_of,
    may_only_be_absent,
    python_name,
    signature_of,
)

_INT_LIMIT = 2**31


class _Slow(Exception):
    """Raised for a value that is not plain: `Coercer` decides what it means."""


class _Variable(NamedTuple):
    name: str
    required: bool
    read: Convert
    signature: VariableSignature
    definition: VariableDefinitionNode
    not_null: bool  # whether a field of it may be left out and not be null

    def entry(self, fault: Fault) -> errors.Entry:
        return errors.entry(
            f"Variable '${self.name}' does not fit: {fault.message}",
            codes.BAD_USER_INPUT,
            locations=errors.places([self.definition]),
            argument=fault.path,
        )


class BadVariables(Exception):
    """The variables cannot be coerced; `entries` are the errors of the answer."""

    def __init__(self, entries: list[errors.Entry]) -> None:
        super().__init__("The variables do not fit the operation.")
        self.entries = entries


class Coercions:
    """Readers for the input types of one schema, each built once."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.visits = 0
        """How many values of variables that are not plain were looked at so far, for tests of linearity."""
        self._readers: dict[str, Convert] = {}

    def variables(self, operation: OperationDefinitionNode) -> "VariableReader":
        """The reader of the variables of an operation of a valid document."""
        return VariableReader(self, operation)

    def reader(self, type_: GraphQLInputType) -> Convert:
        """A function from the JSON of a plain value to its neutral form; it raises _Slow for any other value."""
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
        fields = {
            name: (python_name(field, name), self.reader(field.type), may_only_be_absent(field))
            for name, field in type_.fields.items()
        }
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
                if field is None or (item is None and (one_of or field[2])):
                    raise _Slow
                made[field[0]] = field[1](item)
            for name in required:
                if name not in value:
                    raise _Slow
            return made

        return read


class VariableReader:
    """Reads the variables of one operation; made once, used for each request."""

    def __init__(self, coercions: Coercions, operation: OperationDefinitionNode) -> None:
        self.coercions = coercions
        self._variables: list[_Variable] = []
        self.exact = False
        """Whether a variable holds JSON whose numbers keep their spelling."""
        self._defaults: dict[str, Any] = {}
        for definition in operation.variable_definitions or ():
            name = definition.variable.name.value
            signature = signature_of(coercions.schema, definition)
            self._variables.append(
                _Variable(
                    name,
                    isinstance(signature.type, GraphQLNonNull) and definition.default_value is None,
                    coercions.reader(signature.type),
                    signature,
                    definition,
                    holds(signature.type, may_only_be_absent),
                )
            )
            self.exact = self.exact or holds(signature.type, _is_json_text)
            if definition.default_value is not None:
                # Of a valid document, so it fits.
                self._defaults[name] = default_of(signature)

    def neutral(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values by GraphQL name, without absent ones. Variables that the operation does not declare are ignored.

        Raises BadVariables, and InvalidInput for text that cannot be stored and for null where a field may only be
        absent."""
        if not self._variables:
            return {}
        declared = {each.name: given[each.name] for each in self._variables if each.name in given}
        refuse_unstorable_text(declared)
        values = dict(self._defaults)
        try:
            for name, required, read, *_ in self._variables:
                if name in declared:
                    values[name] = read(declared[name])
                elif required:
                    raise _Slow
        except (_Slow, RecursionError):
            values = self._coerced(declared)
            for each in self._variables:
                if each.not_null and each.name in declared:
                    refuse_null(each.signature.type, declared[each.name], each.name)
        return values

    def _coerced(self, given: Mapping[str, Any]) -> dict[str, Any]:
        coercer = Coercer()
        values = dict(self._defaults)
        entries: list[errors.Entry] = []
        listed = 0
        for each in self._variables:
            try:
                if each.name in given:
                    values[each.name] = coercer.coerce(each.signature.type, given[each.name], (None, each.name))
                elif each.required:
                    coercer.fault(f"A value of type {each.signature.type} has to be given.", (None, each.name))
            except Enough:
                pass
            entries += [each.entry(fault) for fault in coercer.faults[listed:]]
            listed = len(entries)
            if listed >= MOST_FAULTS:
                break
        self.coercions.visits += coercer.visits
        if entries:
            raise BadVariables(entries)
        return values


def _is_json_text(definition: object) -> bool:
    return isinstance(definition, GraphQLScalarType) and definition.name == JSON_OBJECT


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
