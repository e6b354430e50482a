"""Keyset pages: how many rows, in which direction, from which cursor."""

import base64
import binascii
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from app.core.errors import InvalidCursor, InvalidInput

DEFAULT_PAGE = 20
LARGEST_PAGE = 100
MOST_COUNTED = 10_000
"""A count of a list ends here."""
MOST_GROUPS = 100
"""A grouping returns at most this many groups: the largest."""
ANOTHER_CURSOR = "This cursor does not belong to this list in this order. Start from the first page."
"""The message of InvalidCursor for a page."""
_LONGEST_CURSOR = 16_384  # several times the length of the longest name of an order
_LARGEST = 2**63 - 1  # of a number, as either database stores it


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a connection. `backward` takes the rows before the cursor, nearest first."""

    size: int = DEFAULT_PAGE
    backward: bool = False
    cursor: str | None = None


def page_of(
    first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
) -> Page:
    """Check the four Relay arguments. Raises InvalidInput with the argument's path."""
    if first is not None and last is not None:
        raise InvalidInput("Give either first or last, not both.", path=("last",))
    if after is not None and before is not None:
        raise InvalidInput("Give either after or before, not both.", path=("before",))
    backward = last is not None or (before is not None and first is None)
    if backward and after is not None:
        raise InvalidInput("after goes with first; last goes with before.", path=("after",))
    if not backward and before is not None:
        raise InvalidInput("before goes with last; first goes with after.", path=("before",))
    name = "last" if backward else "first"
    size = last if backward else first
    if size is None:
        size = DEFAULT_PAGE
    if not 1 <= size <= LARGEST_PAGE:
        raise InvalidInput(f"{name} must be from 1 to {LARGEST_PAGE}, not {size}.", path=(name,))
    return Page(size, backward, before if backward else after)


def encode_cursor(order: str, values: Sequence[str | int | None]) -> str:
    """An opaque cursor with a row's place in the named order."""
    return base64.urlsafe_b64encode(orjson.dumps([order, *values])).rstrip(b"=").decode()


def decode_cursor(order: str, cursor: str, types: Sequence[type], *, path: tuple[str, ...]) -> list[str | int]:
    """The values of a cursor that `encode_cursor` made for the same order. Raises InvalidCursor for any other text."""
    found = None
    if len(cursor) <= _LONGEST_CURSOR:
        with suppress(binascii.Error, ValueError):
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            found = orjson.loads(raw)
    if (
        not isinstance(found, list)
        or len(found) != len(types) + 1
        or found[0] != order
        or any(type(value) is not wanted for value, wanted in zip(found[1:], types, strict=True))
        or any(type(value) is int and not -_LARGEST - 1 <= value <= _LARGEST for value in found[1:])
    ):
        raise InvalidCursor(ANOTHER_CURSOR, path=path)
    return found[1:]
