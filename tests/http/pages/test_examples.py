"""The example operations of the pages."""

import orjson
from graphql import parse, validate
from graphql.execution import get_variable_values

from app.http.pages.examples import EXAMPLES
from app.schema import build_schema


def test_examples_fit_the_graph() -> None:
    schema = build_schema()
    for example in EXAMPLES:
        assert [error.message for error in validate(schema, parse(example.query))] == []
        (operation,) = parse(example.query).definitions
        given = orjson.loads(example.variables or "{}")
        assert not isinstance(get_variable_values(schema, operation.variable_definitions or (), given), list)  # type: ignore[attr-defined]
