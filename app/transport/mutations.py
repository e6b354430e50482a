"""Calls a mutation's resolver without graphql-core's execution; the one module that leans on Strawberry's insides."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any, cast

import strawberry
from graphql import FieldNode, GraphQLError, GraphQLField
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from app.core.errors import InvalidInput
from app.transport.context import Context
from app.transport.presence import NOT_NULL

Call = Callable[[VariableValues, Context], Awaitable[dict[str, Any]]]


def prepare_call(schema: strawberry.Schema, definition: GraphQLField, node: FieldNode) -> Call:
    """How to run a root field of Mutation: variables and context in, the row of its payload out.

    Raises, when called, InvalidInput for arguments that do not fit, and whatever the resolver raises."""
    field = cast("StrawberryField", definition.extensions["strawberry-definition"])
    resolver = field.base_resolver
    assert resolver is not None
    converter = schema.schema_converter
    info_name = resolver.info_parameter.name if resolver.info_parameter is not None else None

    async def call(variables: VariableValues, context: Context) -> dict[str, Any]:
        try:
            values = get_argument_values(definition, node, variables)
        except (GraphQLError, StrawberryInputCoercionError) as error:
            raise InvalidInput(str(getattr(error, "message", error))) from None
        try:
            kwargs = convert_arguments(values, field.arguments, converter.scalar_registry, schema.config)
        except StrawberryInputCoercionError:
            raise InvalidInput(NOT_NULL) from None
        if info_name is not None:
            kwargs[info_name] = strawberry.Info(_raw_info=cast("Any", SimpleNamespace(context=context)), _field=field)
        args = (None,) if resolver.self_parameter is not None else ()
        row: Any = resolver(*cast("Any", args), **kwargs)
        return cast("dict[str, Any]", await row if isawaitable(row) else row)

    return call
