"""Cursors that the graph never gave to anybody."""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

_WRONG: tuple[Any, ...] = (None, True, 1.5, [], {}, 2**63, -(2**64), "x", "", "2026", "2026-01-01")
_MOMENTS = (
    "2026-01-01T00:00:00",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-01-01T00:00:00+00:00\0",
)
_NUMBERS = (0, -1, 99_999, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63))


def forgeries(cursor: str) -> Sequence[str]:
    """What somebody might make of a true cursor: none of it is one."""
    raw = _read(cursor)
    return [
        *("", "nonsense", "====", "é", "\ud800", cursor[:-3], cursor + "A" * 4),
        *map(_text, ({}, [], None, 1, "x", [raw[0]], ["other", *raw[1:]], [*raw, 1], [None, *raw[1:]])),
        *map(_text, _replaced(raw)),
    ]


def odd_places(cursor: str) -> Sequence[str]:
    """Places where no item is, which may be refused or taken for what they are."""
    raw = _read(cursor)
    places = [place for place, value in enumerate(raw) if isinstance(value, int)]
    return [_text([*raw[:place], number, *raw[place + 1 :]]) for place in places for number in _NUMBERS]


def _replaced(raw: list[Any]) -> Iterator[list[Any]]:
    for place, value in enumerate(raw[1:], 1):
        for other in (*_WRONG, *_MOMENTS):
            if type(other) is not type(value) or isinstance(value, str) or abs(other) > 2**62:
                yield [*raw[:place], other, *raw[place + 1 :]]


def _read(cursor: str) -> list[Any]:
    found: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return found


def _text(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
