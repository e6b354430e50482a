"""The contract's spelling of keys, times and enum values."""

import re
from typing import Any

from app.core.errors import NotFound
from app.rest import Call, Whole

_WHOLE = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
LARGEST_NUMBER = 2**31 - 1
_LARGEST = 2**63 - 1

READS, LISTS, WRITES = (404,), (404, 422), (404, 409, 413, 415, 422)
"""What operations that read one thing, that list some, and that change something refuse with."""


def key_in_path(name: str, what: str, most: int = _LARGEST) -> Whole:
    """A key in the path."""
    return Whole(name, what, place="path", required=True, least=1, most=most)


CONVERSATION_ID = key_in_path("id", "The conversation.", LARGEST_NUMBER)


def key(call: Call, name: str, what: str, *, most: int = _LARGEST) -> int:
    """The key that the path names. Raises NotFound for an invalid one."""
    given = call.path[name]
    if _WHOLE.fullmatch(given) is None or int(given) > most:
        raise missing(what, given)
    return int(given)


def conversation_key(call: Call, name: str = "id") -> int:
    """The number of the conversation that the path names. Raises NotFound for an invalid one."""
    return key(call, name, "conversation", most=LARGEST_NUMBER)


def missing(what: str, key: object) -> NotFound:
    """The refusal for a key that names nothing; it quotes at most 80 characters of the key."""
    return NotFound(f"There is no {what} {str(key)[:80]}.")


def surrogate(global_id: str) -> int:
    """The number within a global id."""
    return int(global_id.partition("_")[2])


def seconds(moment: str | None) -> str | None:
    """A time of the graph, which has six digits, without fractions of a second."""
    return None if moment is None else f"{moment[:19]}Z"


def word(name: str | None) -> Any:
    """An enum's name as the contract writes most of them: `IN_PROGRESS` is `in-progress`."""
    return None if name is None else name.lower().replace("_", "-")
