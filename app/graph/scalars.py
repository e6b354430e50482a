"""The graph's own scalars, and the check of storable text."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NewType
from uuid import UUID

import orjson
import strawberry
from graphql import (
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    value_from_ast_untyped,
)
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from app.core import json_text
from app.core.clock import parse_date, parse_datetime, rfc3339
from app.core.errors import InvalidInput
from app.core.numbers import LARGEST_LONG
from app.core.text import is_storable

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)


def parse_uuid(value: object) -> UUID:
    """A UUID from its 36 characters, in either case. Raises ValueError for every other spelling."""
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        raise ValueError("A UUID has to look like 7cb0a876-5d34-4e03-b725-932606041626.")
    return UUID(int=int(value.replace("-", ""), 16))


def parse_long(value: object) -> int:
    """A whole number of 64 bits from a number or from its decimal digits as text. Raises ValueError.

    A fraction or an exponent is refused, because whoever writes one may have lost digits."""
    text = value.text if isinstance(value, json_text.Number) else value
    if isinstance(text, str) and _WHOLE.fullmatch(text):
        text = int(text)
    if isinstance(text, bool) or not isinstance(text, int) or not -LARGEST_LONG - 1 <= text <= LARGEST_LONG:
        raise ValueError("A Long is a whole number of 64 bits, or text of its digits.")
    return text


def _long_literal(node: ValueNode, _variables: Mapping[str, Any] | None = None) -> int:
    return parse_long(node.value if isinstance(node, StringValueNode | IntValueNode) else None)


def _write(value: datetime | str) -> str:
    return value if isinstance(value, str) else rfc3339(value)


def _same(value: object) -> object:
    return value


JSON_OBJECT = "JSONObject"

Long = NewType("Long", int)
"""A whole number that 32 bits may not hold."""

JsonObject = NewType("JsonObject", str)
"""The text of a JSON object; selections splice it, services check it."""


def _json_text(value: object) -> str:
    return value if isinstance(value, str) else json_text.write(value)


def _literal_text(node: ValueNode, variables: Mapping[str, Any] | None = None) -> str:
    return node.value if isinstance(node, StringValueNode) else json_text.write(_exact(node, variables or {}))


def _json_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> object:
    return json_text.plain(_exact(node, variables or {}))


def _exact(node: ValueNode, variables: Mapping[str, Any]) -> object:
    if isinstance(node, IntValueNode | FloatValueNode):
        return json_text.Number(node.value)
    if isinstance(node, ListValueNode):
        return [_exact(item, variables) for item in node.values]
    if isinstance(node, ObjectValueNode):
        return {field.name.value: _exact(field.value, variables) for field in node.fields}
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    return value_from_ast_untyped(node)


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment, as RFC 3339: `2026-01-31T09:30:00.000000Z`. Answers are in UTC with six digits.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=_write,
        parse_value=parse_datetime,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar date: `2026-01-31`.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=str,
        parse_value=parse_date,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A UUID: `7cb0a876-5d34-4e03-b725-932606041626`. Upper case is accepted; answers are in lower "
        "case.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc9562",
        serialize=str,
        parse_value=parse_uuid,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="A 64-bit integer. Written as a JSON number, and read as a number or as a string of its digits, "
        '`"9007199254740993"`, for clients whose numbers are exact up to 2^53. A fraction or an exponent is refused.',
        serialize=int,
        parse_value=parse_long,
        parse_literal=_long_literal,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value; objects keep the order of their keys. Whole numbers are exact from -2^63 to "
        "2^64-1, others are doubles.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259",
        serialize=_same,
        parse_value=json_text.plain,
        parse_literal=_json_literal,
    ),
    JsonObject: strawberry.scalar(
        name=JSON_OBJECT,
        description="A JSON object that is returned as it was written. Passed as an object it keeps the order of "
        "its keys and the spelling of its numbers; passed as a String that holds its text it is kept "
        "byte for byte.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259",
        serialize=_same,
        parse_value=_json_text,
        parse_literal=_literal_text,
    ),
}


def refuse_unstorable_text(value: object) -> None:
    """Raise InvalidInput, with the path inside `value`, for a text with a NUL character or half a surrogate pair, and
    for JSON nested deeper than can be written out again.

    PostgreSQL cannot hold the first, UTF-8 cannot express the second."""
    try:
        if b"\\u0000" not in orjson.dumps(value, default=str):
            return
    except TypeError as error:
        if "ecursion" in str(error):
            raise InvalidInput("This is nested too deeply.") from None
    _find(value, ())


def _find(value: object, path: tuple[str | int, ...]) -> None:
    if isinstance(value, str):
        if not is_storable(value):
            fault = "NUL characters" if "\0" in value else "half of a surrogate pair"
            raise InvalidInput(f"Text must not contain {fault}.", path=path)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _find(key, path)
            _find(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _find(item, (*path, index))
