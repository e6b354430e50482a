"""The orders that a list of the graph can be asked for."""

from collections.abc import Mapping
from itertools import product

from graphql import GraphQLArgument, GraphQLEnumType, GraphQLInputObjectType, get_named_type

Order = Mapping[str, str]


def orders_of(arguments: Mapping[str, GraphQLArgument]) -> list[Order]:
    """Each field with each direction, as values of the argument `orderBy`; none without that."""
    if "orderBy" not in arguments:
        return []
    taken = get_named_type(arguments["orderBy"].type)
    assert isinstance(taken, GraphQLInputObjectType)
    values = []
    for name in ("field", "direction"):
        enum = get_named_type(taken.fields[name].type)
        assert isinstance(enum, GraphQLEnumType)
        values.append(sorted(enum.values))
    return [{"field": field, "direction": direction} for field, direction in product(*values)]


def written(order: Order) -> str:
    """The order as it stands in a document."""
    return f"{{field: {order['field']}, direction: {order['direction']}}}"
