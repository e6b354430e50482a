import re

import orjson
from graphql import parse, validate
from graphql.execution import get_variable_values

from app.schema import build_schema
from app.transport.graphiql import EXAMPLES, PAGE


def test_the_page_loads_pinned_assets_alone() -> None:
    page = PAGE.decode()
    assets = re.findall(r'<(?:script|link)\s[^>]*(?:src|href)="(https:[^"]*)"\s+integrity="sha384-[^"]+"', page)
    loaded = re.findall(r'(?:src|href)="(https:[^"]*)"', page)
    assert assets == loaded
    names = [re.sub(r"^https://[^/]+/(.+)@[0-9.]+/.*?([a-z]+)$", r"\1 \2", asset) for asset in assets]
    assert sorted(names) == [
        "@graphiql/plugin-explorer css",
        "@graphiql/plugin-explorer js",
        "graphiql css",
        "graphiql js",
        "react js",
        "react-dom js",
    ]


def test_the_examples_are_tabs_of_the_page() -> None:
    found = re.search(r"const tabs = (\[.*\]);", PAGE.decode())
    assert found is not None
    assert [tab["query"] for tab in orjson.loads(found[1])] == [example.query for example in EXAMPLES]
    assert b"<!-- assets -->" not in PAGE


def test_the_examples_fit_the_graph() -> None:
    schema = build_schema()._schema
    for example in EXAMPLES:
        assert [error.message for error in validate(schema, parse(example.query))] == []
        (operation,) = parse(example.query).definitions
        given = orjson.loads(example.variables or "{}")
        assert not isinstance(get_variable_values(schema, operation.variable_definitions or (), given), list)  # type: ignore[attr-defined]
