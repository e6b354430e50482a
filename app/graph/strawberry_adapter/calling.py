"""Calls a mutation's resolver without graphql-core's execution."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import MISSING, fields
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any, cast

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
)
from strawberry import Some
from strawberry.types.base import StrawberryMaybe
from strawberry.types.field import StrawberryField

from app.graph.strawberry_adapter.reading import DECLARED, Convert, python_name
from app.selection.tree import Arguments

Call = Callable[[Mapping[str, object], object], Awaitable[dict[str, Any]]]
"""From the neutral variables and the context of one operation to the row of a payload."""


class Calls:
    """Calls the resolvers of one schema's mutations; the conversion of each input type is built once."""

    def __init__(self) -> None:
        self._inputs: dict[str, Convert] = {}

    def prepare(self, definition: GraphQLField, arguments: Arguments) -> Call:
        """A function that runs a root field of Mutation: neutral variables and context in, the row of its payload out.

        It raises what `arguments` raises for invalid variables, and whatever the resolver raises."""
        field = cast("StrawberryField", definition.extensions[DECLARED])
        resolver: Any = field.base_resolver
        info_name = resolver.info_parameter.name if resolver.info_parameter is not None else None
        args = (None,) if resolver.self_parameter is not None else ()
        converts = {
            python_name(argument, name): convert
            for name, argument in definition.args.items()
            if (convert := self._convert(argument.type)) is not None
        }

        async def call(variables: Mapping[str, object], context: object) -> dict[str, Any]:
            kwargs = dict(arguments(variables))
            for name, convert in converts.items():
                if name in kwargs:
                    kwargs[name] = convert(kwargs[name])
            if info_name is not None:
                raw: Any = SimpleNamespace(context=context)
                kwargs[info_name] = strawberry.Info(_raw_info=raw, _field=field)
            row: Any = resolver(*args, **kwargs)
            return cast("dict[str, Any]", await row if isawaitable(row) else row)

        return call

    def _convert(self, type_: GraphQLInputType) -> Convert | None:
        """A conversion from the neutral form to a resolver's arguments; None where they are equal."""
        if isinstance(type_, GraphQLNonNull):
            return self._convert(type_.of_type)
        if isinstance(type_, GraphQLList):
            return _list(self._convert(type_.of_type))
        if isinstance(type_, GraphQLEnumType):
            enum = type_.extensions[DECLARED].wrapped_cls
            return lambda value: None if value is None else enum[value]
        if isinstance(type_, GraphQLInputObjectType):
            name = type_.name
            if name not in self._inputs:
                # A type may hold itself: what is made first is a way to look the conversion up.
                self._inputs[name] = lambda value: self._inputs[name](value)
                self._inputs[name] = self._object(type_)
            return self._inputs[name]
        return None

    def _object(self, type_: GraphQLInputObjectType) -> Convert:
        make = type_.extensions[DECLARED].origin
        converts = {
            python_name(field, name): convert
            for name, field in type_.fields.items()
            if (convert := self._field(field)) is not None
        }

        # A field that may be null and has no default in its class is null when it is absent.
        absent = {
            field.name: None for field in fields(make) if field.default is MISSING and field.default_factory is MISSING
        }

        def read(value: Any) -> Any:
            if value is None:
                return None
            given = absent | value
            for name, convert in converts.items():
                if name in value:
                    given[name] = convert(value[name])
            return make(**given)

        return read

    def _field(self, field: GraphQLInputField) -> Convert | None:
        convert = self._convert(field.type)
        if not isinstance(field.extensions[DECLARED].type, StrawberryMaybe):
            return convert
        return Some if convert is None else lambda value: Some(convert(value))


def _list(convert: Convert | None) -> Convert:
    # Copied, because a constant is the same object in each run.
    if convert is None:
        return lambda value: None if value is None else list(value)
    return lambda value: None if value is None else [convert(item) for item in value]
