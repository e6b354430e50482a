"""JSON that keeps the spelling of numbers and the order of keys."""

import json
from collections.abc import Mapping
from math import isinf
from typing import NoReturn

import orjson

_EXACT_DIGITS = 18


class Number(float):
    """A number as it was written: `1.10`, `1E3`, `-0`, or an integer with more digits than 64 bits hold."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> "Number":
        made = super().__new__(cls, text)
        made.text = text
        return made


def parse(text: str | bytes) -> object:
    """Read JSON as RFC 8259 defines it. Raises ValueError for anything else, and RecursionError when it is too deep."""
    return json.loads(text, parse_float=Number, parse_int=_integer, parse_constant=_refuse)


def write(value: object) -> str:
    """The value as compact JSON text, each Number as it was written. Raises TypeError for a value that JSON cannot
    hold."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts)


def plain(value: object) -> object:
    """The same value with ordinary numbers in place of Numbers. Raises ValueError for a number beyond every double."""
    if isinstance(value, Number):
        if isinf(value):
            raise ValueError("A number is beyond the range of doubles.")
        return orjson.loads(value.text)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= _EXACT_DIGITS and text != "-0" else Number(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON.")


def _write(value: object, parts: list[str]) -> None:
    if isinstance(value, Number):
        parts.append(value.text)
    elif isinstance(value, Mapping):
        separator = "{"
        for key, item in value.items():
            parts.append(separator)
            parts.append(orjson.dumps(key).decode())
            parts.append(":")
            _write(item, parts)
            separator = ","
        parts.append("}" if value else "{}")
    elif isinstance(value, list):
        separator = "["
        for item in value:
            parts.append(separator)
            _write(item, parts)
            separator = ","
        parts.append("]" if value else "[]")
    else:
        parts.append(orjson.dumps(value).decode())
