"""Numbers and UUIDs mean the same in variables and in literals: exact, or refused."""

from typing import Any, cast
from uuid import UUID

import orjson
import pytest
import strawberry
from graphql import FieldNode, OperationDefinitionNode, parse, validate
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from app.core import json_text
from app.execution.arguments import Constants, arguments_of
from app.execution.coercion import BadVariables, Coercions
from app.execution.literals import LiteralsOfCorrectType
from app.graph.scalars import SCALARS, JsonObject, Long

REFUSED = "refused"
TEXT = "7cb0a876-5d34-4e03-b725-932606041626"
KEY = UUID(TEXT)


@strawberry.type
class Query:
    @strawberry.field
    def f(
        self,
        long: Long | None = None,
        whole: int | None = None,
        real: float | None = None,
        key: UUID | None = None,
        json: JSON | None = None,
        object: JsonObject | None = None,
    ) -> int:
        return 1


SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))._schema
COERCIONS = Coercions(SCHEMA)
TYPES = {"long": "Long", "whole": "Int", "real": "Float", "key": "UUID", "json": "JSON", "object": "JSONObject"}


def parsed(text: str) -> tuple[OperationDefinitionNode, FieldNode]:
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation, cast("FieldNode", operation.selection_set.selections[0])


def in_variable(name: str, text: str) -> Any:
    """What the JSON text means as a variable of the argument's type."""
    reader = COERCIONS.variables(parsed(f"query ($v: {TYPES[name]}) {{ f({name}: $v) }}")[0])
    try:
        given = orjson.loads(text)
        return reader.neutral({"v": json_text.parse(text) if reader.exact else given})["v"]
    except (orjson.JSONDecodeError, BadVariables):
        return REFUSED


def in_literal(name: str, text: str, declared: str = "", **variables: Any) -> Any:
    """What the GraphQL text means as the argument, which both ways of reading arguments agree on."""
    document = f"query {declared} {{ f({name}: {text}) }}"
    if validate(SCHEMA, parse(document), [LiteralsOfCorrectType]):
        return REFUSED
    _, node = parsed(document)
    definition = SCHEMA.query_type.fields["f"]  # type: ignore[union-attr]
    constants = Constants()
    read, _ = arguments_of(definition, node, constants)
    found = read({**constants.values, **variables})[name]
    values = get_argument_values(definition, node, VariableValues({}, variables))
    assert repr(values[name]) == repr(found)
    return found


@pytest.mark.parametrize(
    ("name", "text", "meaning"),
    [
        *(("long", str(number), number) for number in (0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63))),
        *(("long", f'"{number}"', number) for number in (7, 2**53 + 1, -(2**63))),
        *(("long", text, REFUSED) for text in (str(2**63), str(-(2**63) - 1), "1" * 5_000, "1.5", "1e3", "true", "[]")),
        *(("long", f'"{text}"', REFUSED) for text in ("", "+1", "01", " 1", "1.0", "1e3", "٣", str(2**63))),
        *(("whole", text, REFUSED) for text in (str(2**31), "1e400", '"1"')),
        *(("real", text, float(text)) for text in ("1.10", "-0.0", "1e300", "5", str(2**53), "1e-400")),
        *(("real", text, REFUSED) for text in ("1e400", "-1e400", str(2**53 + 1), "1" * 5_000)),
        *(("json", text, orjson.loads(text)) for text in ("-0.0", "-0", str(2**53 + 1), str(2**64 - 1), str(2**64))),
        *(("json", text, REFUSED) for text in ("1e400", "[1, -1e400]", "1" * 5_000)),
        *(("key", f'"{text}"', KEY) for text in (TEXT, TEXT.upper())),
        *(
            ("key", f'"{text}"', REFUSED)
            for text in (f"{{{TEXT}}}", f"urn:uuid:{TEXT}", TEXT.replace("-", ""), f"{TEXT}\\n", TEXT[:-1])
        ),
    ],
)
def test_numbers_and_uuids_are_exact_or_refused_at_both_doors(name: str, text: str, meaning: Any) -> None:
    assert repr(in_variable(name, text)) == repr(meaning)
    assert repr(in_literal(name, text)) == repr(meaning)


def test_json_literals_around_variables_keep_their_numbers() -> None:
    declared = "($v: Int)"
    assert in_literal("object", "{a: 1.10, b: -0, c: $v}", declared, v=2) == '{"a":1.10,"b":-0,"c":2}'
    assert in_literal("json", "{a: 9007199254740993, c: $v}", declared, v=2) == {"a": 2**53 + 1, "c": 2}
    assert in_literal("json", "{a: 1e400, c: $v}", declared, v=2) == REFUSED


def test_json_variables_beside_an_object_as_written_keep_their_numbers() -> None:
    operation, _ = parsed("query ($v: JSON, $o: JSONObject, $l: Long) { f(json: $v, object: $o, long: $l) }")
    reader = COERCIONS.variables(operation)
    assert reader.exact
    given = json_text.parse('{"v": [9223372036854775807, 1.5], "o": {"a": 1.10}, "l": 9223372036854775807}')
    assert isinstance(given, dict)
    assert reader.neutral(given) == {"v": [2**63 - 1, 1.5], "o": '{"a":1.10}', "l": 2**63 - 1}
