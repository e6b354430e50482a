"""The items of the subscription to users' presence."""

from collections.abc import Collection, Mapping
from typing import Any

from app.core.errors import TooLong
from app.core.ids import require_id
from app.core.sight import Viewer
from app.directory.events import PresenceChanged
from app.feed import Entry, EventStream
from app.feed.stream import Match
from app.selection.mapping import ObjectId, ObjectMap, One

MOST_USERS = 1_000

PRESENCE = ObjectMap("PresenceEvent", {"user": One("User", key="user_id"), "userId": ObjectId("usr", "user_id")})

_Arguments = Mapping[str, Any]
_CHANGED = "CHANGED"


def _wanted(arguments: _Arguments) -> frozenset[int] | None:
    """The surrogates of the users to listen to; None for all. Raises InvalidInput, NotFound, TooLong."""
    users = arguments.get("user_ids")
    if users is None:
        return None
    if len(users) > MOST_USERS:
        raise TooLong(f"userIds must hold at most {MOST_USERS:,} ids.", path=("user_ids",))
    return frozenset(require_id(each, "usr", path=("user_ids", place)).number for place, each in enumerate(users))


def _match(_viewer: Viewer, arguments: _Arguments) -> Match:
    wanted = _wanted(arguments)

    def match(entry: Entry) -> str | None:
        # Everybody sees who is present, so everybody gets these events.
        if entry.type is not PresenceChanged:
            return None
        return _CHANGED if wanted is None or PresenceChanged.of(entry.event).user_id in wanted else None

    return match


def _keys(arguments: _Arguments) -> Collection[tuple[str, object]] | None:
    wanted = _wanted(arguments)
    return None if wanted is None else [("user_id", number) for number in wanted]


def _values_of(entry: Entry, _name: str) -> Collection[object]:
    return (PresenceChanged.of(entry.event).user_id,) if entry.type is PresenceChanged else ()


def _row(entry: Entry, _as_what: str) -> Mapping[str, object]:
    happened = PresenceChanged.of(entry.event)
    return {
        "cursor": entry.cursor_text,
        "at": entry.logged.at,
        "user_id": happened.user_id,
        "present": happened.present,
    }


STREAMS = {"presenceChanged": EventStream("PresenceEvent", _match, _row, keys=_keys, values_of=_values_of)}
