"""Which values the directory accepts, field by field."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson

from app.core.errors import InvalidInput, TooLong
from app.core.numbers import LARGEST_INT
from app.core.telephone import without_grouping
from app.core.text import is_storable

Path = tuple[str | int, ...]
Check = Callable[[Any, Path], Any]
"""Takes a value and its path, and returns the value to store. Raises InvalidInput or TooLong."""

E = TypeVar("E", bound=Enum)

_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)*")
_TELEPHONE = re.compile(r"\+?[0-9]{3,31}")
_LARGEST_OBJECT = 16_384
_DEEPEST_OBJECT = 16


def checked(values: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """The values to store. A key without a check is a programming error (KeyError)."""
    return {name: checks[name](value, (name,)) for name, value in values.items()}


def optional(check: Check) -> Check:
    """None is allowed and clears the field."""
    return lambda value, path: None if value is None else check(value, path)


def text(most: int, *, blank: bool = True) -> Check:
    """A string of at most `most` characters, stored as given. Without `blank`, it must contain more than spaces."""

    def check(value: Any, path: Path) -> str:
        if not isinstance(value, str) or not is_storable(value):
            raise InvalidInput("This contains control characters that cannot be stored.", path=path)
        if len(value) > most:
            raise TooLong(f"This takes at most {most} characters, not {len(value)}.", path=path)
        if not blank and not value.strip():
            raise InvalidInput("This must not be empty.", path=path)
        return value

    return check


def line(most: int, *, blank: bool = True) -> Check:
    """Text without control characters, line breaks included, and without spaces around it."""
    limited = text(most, blank=blank)

    def check(value: Any, path: Path) -> str:
        found: str = limited(value, path)
        if any(ord(character) < 32 or ord(character) == 127 for character in found):
            raise InvalidInput("This takes a single line without control characters.", path=path)
        return found.strip()

    return check


def matching(pattern: str, says: str, most: int) -> Check:
    """A line that the whole pattern matches. `says` tells a person what is expected."""
    compiled = re.compile(pattern, re.ASCII)
    limited = line(most)

    def check(value: Any, path: Path) -> str:
        found: str = limited(value, path)
        if compiled.fullmatch(found) is None:
            raise InvalidInput(says, path=path)
        return found

    return check


def email(value: Any, path: Path) -> str:
    """An e-mail address of at most 254 characters: something, `@`, a domain."""
    found: str = line(254)(value, path)
    if _EMAIL.fullmatch(found) is None:
        raise InvalidInput("This takes an e-mail address, such as ana@example.com.", path=path)
    return found


def telephone(value: Any, path: Path) -> str:
    """A telephone number of 3 to 31 ASCII digits without grouping, with a `+` before them when it is international."""
    found: str = line(64)(value, path)
    bare = without_grouping(found)
    if _TELEPHONE.fullmatch(bare) is None:
        raise InvalidInput("This takes a telephone number, such as +4915224367929.", path=path)
    return bare


def time_zone(value: Any, path: Path) -> str:
    """A name of the time zone database, such as `Europe/Oslo`."""
    found: str = line(64)(value, path)
    try:
        ZoneInfo(found)
    except (KeyError, ValueError, OSError):  # OSError: the name is that of a folder in the database
        raise InvalidInput("This takes the name of a time zone, such as Europe/Oslo.", path=path) from None
    return found


def birthday(value: Any, path: Path) -> date:
    """A day of the year 1 or later."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidInput("This takes a day, such as 1970-01-01.", path=path)
    return value


def moment(value: Any, path: Path) -> datetime:
    """A time with its offset."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidInput("This takes a time with its offset from UTC.", path=path)
    return value


def flag(value: Any, path: Path) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InvalidInput("This takes true or false.", path=path)
    return value


def whole(least: int = -LARGEST_INT - 1, most: int = LARGEST_INT) -> Check:
    """A whole number within the bounds."""

    def check(value: Any, path: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidInput(f"This takes a whole number from {least} to {most}.", path=path)
        return value

    return check


def one_of(choices: type[E]) -> Check:
    """A member of the enum, or its name."""

    def check(value: Any, path: Path) -> E:
        try:
            return choices(value)
        except ValueError:
            names = ", ".join(choice.name for choice in choices)
            raise InvalidInput(f"This takes one of {names}.", path=path) from None

    return check


def distinct(item: Check, most: int) -> Check:
    """A list of at most `most` values. Repeated values are stored once; None is the empty list."""

    def check(value: Any, path: Path) -> tuple[Any, ...]:
        if value is None:
            return ()
        if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
            raise InvalidInput("This takes a list.", path=path)
        found = list(value)
        if len(found) > most:
            raise TooLong(f"This takes at most {most} entries, not {len(found)}.", path=path)
        return tuple(dict.fromkeys(item(one, (*path, place)) for place, one in enumerate(found)))

    return check


def json_object(value: Any, path: Path) -> dict[str, Any]:
    """A JSON object of at most 16,384 bytes, nested at most 16 deep, stored as given."""
    if not isinstance(value, dict) or not _is_json(value, _DEEPEST_OBJECT):
        raise InvalidInput(f"This takes a JSON object, nested at most {_DEEPEST_OBJECT} deep.", path=path)
    try:
        size = len(orjson.dumps(value))
    except orjson.JSONEncodeError:
        raise InvalidInput("This takes a JSON object whose numbers fit in 64 bits.", path=path) from None
    if size > _LARGEST_OBJECT:
        raise TooLong(f"This takes at most {_LARGEST_OBJECT} bytes, not {size}.", path=path)
    return value


def _is_json(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, dict):
        pairs_fit = all(isinstance(key, str) and is_storable(key) for key in value)
        return depth > 0 and pairs_fit and all(_is_json(one, depth - 1) for one in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_json(one, depth - 1) for one in value)
    return value is None or isinstance(value, bool | int | float)
