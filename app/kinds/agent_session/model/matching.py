"""The contract's two filters of sessions: a regular expression, and metadata conditions."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from types import MappingProxyType
from typing import Any

import re2

from app.core import json_text
from app.core.errors import InvalidInput

LONGEST_PATTERN = 1_000

Matches = Callable[[str], bool]

_CONDITION = re.compile(
    r"\s*(?:metadata\.|session\.)?([A-Za-z0-9_-]{1,255})\s*(<=|>=|!=|<>|==|=|<|>)\s*"
    r"('(?:[^']|'')*'|-?[0-9]{1,17}(?:\.[0-9]{1,17})?|true|false|null)\s*(and\b|$)",
    re.IGNORECASE | re.ASCII,
)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {"=": eq, "==": eq, "!=": ne, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
)


@lru_cache(maxsize=256)
def expression(pattern: str) -> Matches:
    """A function that says whether a text has a match, in time linear to its length. Raises InvalidInput for an invalid
    RE2 expression."""
    options = re2.Options()
    options.log_errors = False
    try:
        if len(pattern) > LONGEST_PATTERN:
            raise re2.error("it is too long")
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise InvalidInput(f"filter is not a regular expression: {why}.", path=("filter",)) from None
    return lambda text: compiled.search(text) is not None


@lru_cache(maxsize=256)
def conditions(text: str) -> Matches:
    """A function that says whether metadata, as JSON text, meets every condition: `priority = 'urgent' and level >= 2`,
    or a JSON object whose values the metadata has under the same keys. Raises InvalidInput."""
    wanted = _by_object(text) if text.lstrip().startswith("{") else _by_comparisons(text)

    def matches(metadata: str) -> bool:
        found = json_text.plain(json_text.parse(metadata))
        return isinstance(found, dict) and all(_meets(found.get(key), compare, value) for key, compare, value in wanted)

    return matches


def _meets(found: Any, compare: Callable[[Any, Any], bool], value: Any) -> bool:
    if compare in (eq, ne):
        # JSON's true is not its 1, though they are equal in Python.
        return (compare is eq) == (found == value and isinstance(found, bool) == isinstance(value, bool))
    # Numbers have an order, and so have texts. True, false and null have none.
    ordered = (int, float) if isinstance(value, int | float) else str
    if isinstance(value, bool) or isinstance(found, bool):
        return False
    return isinstance(value, ordered) and isinstance(found, ordered) and compare(found, value)


def _by_object(text: str) -> list[tuple[str, Callable[[Any, Any], bool], Any]]:
    try:
        found = json_text.plain(json_text.parse(text))
    except (ValueError, RecursionError):
        raise _refusal() from None
    assert isinstance(found, dict)
    return [(key, eq, value) for key, value in found.items()]


def _by_comparisons(text: str) -> list[tuple[str, Callable[[Any, Any], bool], Any]]:
    wanted, place = [], 0
    while True:
        match = _CONDITION.match(text[:LONGEST_PATTERN], place)
        if match is None or len(text) > LONGEST_PATTERN:
            raise _refusal()
        wanted.append((match[1], _OPERATORS[match[2]], _literal(match[3])))
        if not match[4]:
            return wanted
        place = match.end()


def _literal(text: str) -> Any:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return json_text.plain(json_text.parse(text.lower()))


def _refusal() -> InvalidInput:
    return InvalidInput(
        "metadata_filter takes conditions such as priority = 'urgent' and level >= 2, or a JSON object.",
        path=("metadata_filter",),
    )
