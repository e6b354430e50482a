"""graphql-core over the printed schema with the plain resolvers: the other way to the same answers."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    execute_sync,
    is_abstract_type,
    parse,
    validate,
)

from app.core.clock import parse_date, parse_datetime
from app.core.paging import DEFAULT_PAGE
from tests.oracle.basics import Resolve, default, global_id
from tests.oracle.resolvers import FIELDS
from tests.oracle.roots import root
from tests.oracle.world import END_OF_LOG, Asking

ELSEWHERE = ("report",)
"""The root fields that are compared with a reference of their own, over the event log, for narrowed callers too:
tests/reports/test_against_reference.py."""


def executable(sdl: str) -> GraphQLSchema:
    """The schema of an SDL, made executable."""
    # The default holds without `last` and `before` alone: `connection` knows it, graphql-core would always give it.
    schema = build_schema(sdl.replace(f"first: Int = {DEFAULT_PAGE}", "first: Int"))
    for name, type_ in schema.type_map.items():
        if name.startswith("__"):
            continue
        if is_abstract_type(type_):
            type_.resolve_type = lambda row, _info, _type: row["__typename"]
        elif type_ is schema.query_type:
            for field_name in ELSEWHERE:
                del schema.query_type.fields[field_name]
            for field_name, field in schema.query_type.fields.items():
                field.resolve = root(field_name)
        elif isinstance(type_, GraphQLObjectType) and type_ is not schema.mutation_type:
            for field_name, field in type_.fields.items():
                plain: Resolve = global_id if field_name == "id" else default
                if field_name == "cursor" and name.endswith("Connection"):
                    # From there whoever read the list listens on.
                    plain = _end_of_log
                field.resolve = FIELDS.get(name, {}).get(field_name, plain)
    for name, read in (("DateTime", parse_datetime), ("Date", parse_date)):
        if name in schema.type_map:
            scalar: Any = schema.type_map[name]
            scalar.coerce_input_value = read
            scalar.parse_value = read
    return schema


def _end_of_log(_row: Any, _info: Any) -> str:
    return END_OF_LOG


@lru_cache(maxsize=16)
def document_of(schema: GraphQLSchema, text: str) -> DocumentNode | None:
    """The document of a text, which several databases and actors are asked; None for one that is not valid."""
    document = parse(text)
    return None if validate(schema, document) else document


def ask(schema: GraphQLSchema, text: str, asking: Asking, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as it would be sent: `data`, and `errors` if there are any. Raises what a resolver tripped over."""
    document = document_of(schema, text)
    assert document is not None, f"the document is not valid: {text}"
    result = execute_sync(schema, document, context_value=asking, variable_values=dict(variables))
    errors = []
    for error in result.errors or ():
        if error.original_error is not None and "code" not in (error.extensions or {}):
            raise error.original_error
        if error.path is None:
            raise AssertionError(f"the document is not valid: {error.message}\n{text}")
        errors.append({"path": list(error.path), "code": (error.extensions or {})["code"]})
    answer: dict[str, Any] = {"data": result.data}
    if errors:
        answer["errors"] = errors
    return answer
