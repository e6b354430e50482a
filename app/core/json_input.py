"""Reads clients' JSON within limits on size and nesting."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from app.core import json_text
from app.core.errors import TooComplex

MOST_VALUES = 10_000
LONGEST_ARRAY = 5_000
DEEPEST = 100

_TOO_MANY = "The JSON holds too many values; the limit is {:,}."
_TOO_LONG = f"The JSON holds an array that is too long; the limit is {LONGEST_ARRAY:,} items."
_TOO_DEEP = f"The JSON is nested too deeply; the limit is {DEEPEST} objects and arrays."
_DEPTH_OF_ORJSON = "depth limit"

# This also matches a string without an end: searching for it again from each quote inside would take quadratic time.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_END = b'"\0'

# No other thread can run while bytes are counted. So they are counted in pieces of a fraction of a millisecond.
_PIECE = 16_384
_LARGEST_SMALL = 65_536


class NotJson(ValueError):
    """The text is not JSON. The message says where, and contains nothing of the text."""


def loads(text: bytes | str) -> Any:
    """The value of JSON text. Raises NotJson, and TooComplex for a value over the limits."""
    if is_small(text):
        return parsed(text)
    require_few_values(text)
    value = parsed(text)
    check(value)
    return value


def loads_exact(text: bytes | str) -> Any:
    """As `loads`, with numbers that keep their spelling (see `json_text`)."""
    # Read with ordinary numbers first: that refuses numbers beyond every double, and exact reading costs ten times as
    # much.
    loads(text)
    try:
        return json_text.parse(text if isinstance(text, str) else text.decode())
    except ValueError as error:
        found = str(error)
    raise NotJson(found)


def parsed(text: bytes | str) -> Any:
    """The value of JSON text, before the check of its limits. Raises NotJson, and TooComplex for very deep nesting."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # The error holds the whole text, and would stay the context of the error raised here.
        found = str(error)
    if found.startswith(_DEPTH_OF_ORJSON):
        raise TooComplex(_TOO_DEEP)
    raise NotJson(found)


def require_few_values(text: bytes | str, most: int = MOST_VALUES, *, piece: int = _PIECE) -> None:
    """Raise TooComplex for a text that, if it is JSON, contains more than `most` values.

    The text is not parsed for that: creating and freeing a million values takes much longer than counting them."""
    opened = commas = 0
    for bare in _without_strings(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"), piece):
        opened += bare.count(b"{") + bare.count(b"[")
        commas += bare.count(b",")
        if max(commas, opened - 1) > most:
            raise TooComplex(_TOO_MANY.format(most))


def _without_strings(text: bytes, size: int) -> Iterator[bytes]:
    """The text in pieces of this size, without its strings."""
    start, goes_on = 0, False
    while start < len(text):
        piece = text[start : start + size]
        start += len(piece)
        if start < len(text) and (len(piece) - len(piece.rstrip(b"\\"))) % 2:
            # An escape sequence is kept together.
            piece = piece[:-1]
            start -= 1
        # The quote of _END closes a string that is still open, and leaves the NUL over. When no string is open, the
        # quote opens
        # one that includes the NUL.
        bare = _STRING.sub(b"", (b'"' if goes_on else b"") + piece + _END)
        goes_on = bare.endswith(_END[1:])
        yield bare


def is_small(text: bytes | str) -> bool:
    """Whether the value is certainly within the limits, judged by the text's length, brackets and commas alone."""
    if len(text) > _LARGEST_SMALL:
        return False
    if isinstance(text, bytes):
        opened, commas = text.count(b"{") + text.count(b"["), text.count(b",")
    else:
        opened, commas = text.count("{") + text.count("["), text.count(",")
    return opened <= DEEPEST and opened + commas < LONGEST_ARRAY


def check(value: object) -> None:
    """Raise TooComplex, with the limit, for a value over the limits. Looks at no more than MOST_VALUES values."""
    found = 0
    level = [value]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                found += len(each)
                if found > MOST_VALUES:
                    raise TooComplex(_TOO_MANY.format(MOST_VALUES))
                inner += [item for item in each.values() if isinstance(item, (dict, list))]
            elif isinstance(each, list):
                found += len(each)
                if len(each) > LONGEST_ARRAY:
                    raise TooComplex(_TOO_LONG)
                if found > MOST_VALUES:
                    raise TooComplex(_TOO_MANY.format(MOST_VALUES))
                inner += [item for item in each if isinstance(item, (dict, list))]
        if not inner:
            return
        level = inner
    raise TooComplex(_TOO_DEEP)
