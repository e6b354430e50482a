"""The items of the subscription to connections."""

from collections.abc import Collection, Mapping
from typing import Any

from app.connections.events import ConnectionEvent
from app.connections.model import MANAGE, PREFIX
from app.core.errors import Forbidden
from app.core.events import topic_name
from app.core.ids import require_id
from app.core.sight import Viewer
from app.feed import Entry, EventStream
from app.feed.stream import Match
from app.selection.mapping import ObjectId, ObjectMap, One, granted

CHANGE = ObjectMap(
    "ConnectionEvent",
    {"connection": One("ConnectedSystem", key="connection_id"), "connectionId": ObjectId(PREFIX, "connection_id")},
)

_Arguments = Mapping[str, Any]
_CHANGED = "CHANGED"


def _wanted(arguments: _Arguments) -> int | None:
    """The surrogate of the connection to listen to; None for all. Raises InvalidInput and NotFound."""
    given = arguments.get("id")
    return None if given is None else require_id(given, PREFIX, path=("id",)).number


def _of(entry: Entry) -> int | None:
    """The surrogate of the connection that the event is about; None for any other event."""
    found: Any = entry.event.data.get("connection_id") if issubclass(entry.type, ConnectionEvent) else None
    return None if found is None else int(found)


def _match(viewer: Viewer, arguments: _Arguments) -> Match:
    if not granted(viewer.permissions, MANAGE):
        raise Forbidden(f"This needs the permission {MANAGE}.", permission=MANAGE)
    wanted = _wanted(arguments)

    def match(entry: Entry) -> str | None:
        number = _of(entry)
        return _CHANGED if number is not None and wanted in (None, number) else None

    return match


def _keys(arguments: _Arguments) -> Collection[tuple[str, object]] | None:
    wanted = _wanted(arguments)
    return None if wanted is None else [("connection_id", wanted)]


def _values_of(entry: Entry, _name: str) -> Collection[object]:
    number = _of(entry)
    return () if number is None else (number,)


def _row(entry: Entry, _as_what: str) -> Mapping[str, object]:
    return {
        "cursor": entry.cursor_text,
        "at": entry.logged.at,
        "topic": topic_name(entry.event.topic, None),
        "connection_id": entry.event.data["connection_id"],
    }


STREAMS = {"connectionChanged": EventStream("ConnectionEvent", _match, _row, keys=_keys, values_of=_values_of)}
