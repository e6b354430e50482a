"""JSON that clients send: read within bounds on its size and nesting."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from app.core import json_text
from app.core.errors import TooComplex

MOST_VALUES = 10_000
LONGEST_ARRAY = 5_000
DEEPEST = 100

_TOO_MANY = f"The JSON holds too many values; the limit is {MOST_VALUES:,}."
_TOO_LONG = f"The JSON holds an array that is too long; the limit is {LONGEST_ARRAY:,} items."
_TOO_DEEP = f"The JSON is nested too deeply; the limit is {DEEPEST} objects and arrays."
_DEPTH_OF_ORJSON = "depth limit"

# Also one that nothing ends: looked for again from each quote within, it would take quadratic time.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_END = b'"\0'

# No thread can run while bytes are counted, so that is done in pieces which take a fraction of a millisecond.
_PIECE = 16_384
_LARGEST_SMALL = 65_536


class NotJson(ValueError):
    """The text is not JSON; the message says where, and holds nothing of the text."""


def loads(text: bytes | str) -> Any:
    """The value of JSON text. Raises NotJson, and TooComplex for a value that is over the bounds."""
    if is_small(text):
        return parsed(text)
    require_few_values(text)
    value = parsed(text)
    check(value)
    return value


def loads_exact(text: bytes | str) -> Any:
    """As `loads`, with numbers that keep their spelling (`json_text`)."""
    # As ordinary numbers first: it refuses those beyond every double, and a spelled one costs ten times as much.
    loads(text)
    try:
        return json_text.parse(text if isinstance(text, str) else text.decode())
    except ValueError as error:
        found = str(error)
    raise NotJson(found)


def parsed(text: bytes | str) -> Any:
    """The value of JSON text, still to be checked. Raises NotJson, and TooComplex where it is nested very deeply."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # The error holds the whole text, and would stay the context of whatever is raised here.
        found = str(error)
    if found.startswith(_DEPTH_OF_ORJSON):
        raise TooComplex(_TOO_DEEP)
    raise NotJson(found)


def require_few_values(text: bytes | str) -> None:
    """Raise TooComplex for a text that holds more than MOST_VALUES values if it is JSON.

    It is not parsed for that: to make a million values, and to free them, takes much longer than to count them."""
    opened = commas = 0
    for bare in _without_strings(text if isinstance(text, bytes) else text.encode(errors="surrogatepass")):
        opened += bare.count(b"{") + bare.count(b"[")
        commas += bare.count(b",")
        if max(commas, opened - 1) > MOST_VALUES:
            raise TooComplex(_TOO_MANY)


def _without_strings(text: bytes) -> Iterator[bytes]:
    """The text in pieces, without the strings in it."""
    start, goes_on = 0, False
    while start < len(text):
        piece = text[start : start + _PIECE]
        start += len(piece)
        if start < len(text) and (len(piece) - len(piece.rstrip(b"\\"))) % 2:
            # An escape stays whole.
            piece = piece[:-1]
            start -= 1
        # The quote of _END closes a string that is still open, and its NUL is left over. Where none is open, the quote
        # opens one, which takes the NUL with it.
        bare = _STRING.sub(b"", (b'"' if goes_on else b"") + piece + _END)
        goes_on = bare.endswith(_END[1:])
        yield bare


def is_small(text: bytes | str) -> bool:
    """Whether the value of the text is within the bounds for certain, from its length, brackets and commas alone."""
    if len(text) > _LARGEST_SMALL:
        return False
    if isinstance(text, bytes):
        opened, commas = text.count(b"{") + text.count(b"["), text.count(b",")
    else:
        opened, commas = text.count("{") + text.count("["), text.count(",")
    return opened <= DEEPEST and opened + commas < LONGEST_ARRAY


def check(value: object) -> None:
    """Raise TooComplex, with the limit, for a value over the bounds. Looks at no more than MOST_VALUES values."""
    found = 0
    level = [value]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                found += len(each)
                if found > MOST_VALUES:
                    raise TooComplex(_TOO_MANY)
                inner += [item for item in each.values() if isinstance(item, (dict, list))]
            elif isinstance(each, list):
                found += len(each)
                if len(each) > LONGEST_ARRAY:
                    raise TooComplex(_TOO_LONG)
                if found > MOST_VALUES:
                    raise TooComplex(_TOO_MANY)
                inner += [item for item in each if isinstance(item, (dict, list))]
        if not inner:
            return
        level = inner
    raise TooComplex(_TOO_DEEP)
