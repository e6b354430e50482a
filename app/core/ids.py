"""Global ids (`ses_17`), and the source of new keys."""

import re
from typing import NamedTuple, Protocol

import uuid_utils

from app.core.errors import InvalidInput, NotFound
from app.core.numbers import LARGEST_LONG

_GLOBAL_ID = re.compile(r"([a-z]{3})_([1-9][0-9]{0,18})", re.ASCII)


class GlobalId(NamedTuple):
    """The prefix names the type, the number is the surrogate key."""

    prefix: str
    number: int

    def __str__(self) -> str:
        return f"{self.prefix}_{self.number}"


def parse_id(text: str) -> GlobalId | None:
    """Read a global id; None when it is not one."""
    match = _GLOBAL_ID.fullmatch(text)
    if match is None or int(match[2]) > LARGEST_LONG:
        return None
    return GlobalId(match[1], int(match[2]))


def require_id(text: str, *prefixes: str, path: tuple[str | int, ...] = ("id",)) -> GlobalId:
    """Read a global id of one of the given types.

    Raises InvalidInput for an id of another type, and NotFound for a text that is not an id."""
    found = parse_id(text)
    if found is None:
        raise NotFound(f"There is nothing with the id {text[:80]!r}.", path=path)
    if found.prefix not in prefixes:
        expected = " or ".join(f"{prefix}_…" for prefix in prefixes)
        raise InvalidInput(f"This takes an id of the form {expected}, not {text[:80]!r}.", path=path)
    return found


class Ids(Protocol):
    """A source of new keys. It is injected, so that tests can produce the ids on a contract's page."""

    def uuid(self) -> str:
        """A new UUID as text, for keys that a contract calls UUIDs."""

    def key(self, prefix: str) -> str:
        """A new key of the form `prefix_…`."""


class TimeOrderedIds:
    """UUIDv7, so that new keys land at the end of their index."""

    def uuid(self) -> str:
        return str(uuid_utils.uuid7())

    def key(self, prefix: str) -> str:
        return f"{prefix}_{uuid_utils.uuid7().hex}"
