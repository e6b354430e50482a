"""Metadata: its checks, and its keys for customer and escalation."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core import json_input, json_text
from app.core.errors import InvalidInput, TooComplex, TooLong
from app.core.text import is_storable
from app.directory.model.checks import Path
from app.interactions.model import Level

EMPTY = "{}"

LONGEST_OBJECT = 65_536
LONGEST_STRUCTURE = 262_144
"""The most characters of the text of an object, and of a value that may be an array too. While a text is checked, no
other thread computes, and on SQLite no other command writes."""

_DEEPEST = 64
_LONGEST_KEY = 255


def json_object(value: Any, path: Path) -> str:
    """The text of a JSON object, byte for byte as given; None is an empty object."""
    return EMPTY if value is None else _text_of(value, (dict,), "object", LONGEST_OBJECT, path)


def json_structure(value: Any, path: Path) -> str:
    """The text of a JSON object or array, byte for byte as given; None is an empty object."""
    return EMPTY if value is None else _text_of(value, (dict, list), "object or array", LONGEST_STRUCTURE, path)


def optional_json_object(value: Any, path: Path) -> str | None:
    """The text of a JSON object, byte for byte as given; None stays None."""
    return None if value is None else _text_of(value, (dict,), "object", LONGEST_OBJECT, path)


def customer_key_of(metadata: str) -> str | None:
    """The customer's key in the metadata, `customer_id`; None when there is none."""
    named = _read(metadata).get("customer_id")
    if isinstance(named, int) and not isinstance(named, bool):
        named = str(named)
    if not isinstance(named, str) or not 1 <= len(named.strip()) <= _LONGEST_KEY:
        return None
    return named


def escalation(metadata: str, rule: Mapping[str, Sequence[str] | None]) -> Level | None:
    """How urgently the metadata asks for a human by the rule in the settings; None when it does not.

    For each key of the metadata, the rule has the values that escalate, or None for any value but null. When something
    escalates, `priority` urgent makes it URGENT."""
    found = _read(metadata)
    for key, values in rule.items():
        value = found.get(key)
        if value is not None and (values is None or value in values):
            return Level.URGENT if found.get("priority") == "urgent" else Level.HIGH
    return None


def canonical(value: object) -> str:
    """The JSON as a text that is the same for equal values: keys sorted, numbers as they were written."""
    return json_text.write(_sorted(value))


def merged(base: object, ours: object, theirs: object) -> Mapping[str, object]:
    """Their metadata with our changes since `base`, key by key."""
    before, wanted, found = (each if isinstance(each, Mapping) else {} for each in (base, ours, theirs))
    result = dict(found)
    for key in (*before, *wanted):
        if key in wanted and (key not in before or canonical(before[key]) != canonical(wanted[key])):
            result[key] = wanted[key]
        elif key not in wanted:
            result.pop(key, None)
    return result


def _sorted(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _read(metadata: str) -> Mapping[str, object]:
    found = json_text.parse(metadata)
    assert isinstance(found, dict)
    return found


def _text_of(value: Any, wanted: tuple[type, ...], name: str, longest: int, path: Path) -> str:
    try:
        text = value if isinstance(value, str) else json_text.write(value)
        if len(text) > longest:
            raise TooLong(f"The JSON {name} may have at most {longest:,} characters, not {len(text):,}.", path=path)
        found = json_input.loads_exact(text)
    except TooComplex as error:
        raise TooComplex(error.message, path=path) from None
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput(f"This takes a JSON {name}.", path=path) from None
    if not isinstance(found, wanted):
        raise InvalidInput(f"This takes a JSON {name}.", path=path)
    _require_storable(found, path, _DEEPEST)
    return text


def _require_storable(value: object, path: Path, deeper: int) -> None:
    # The characters behind an escape end up in columns (a customer's key) and in answers.
    if isinstance(value, str):
        if not is_storable(value):
            raise InvalidInput("This holds text that cannot be stored.", path=path)
    elif isinstance(value, dict | list):
        if deeper == 0:
            raise InvalidInput("This is nested too deeply.", path=path)
        for item in value:
            _require_storable(item, path, deeper - 1)
        if isinstance(value, dict):
            for item in value.values():
                _require_storable(item, path, deeper - 1)
