"""The root field `events`: reads the event log from a cursor."""

from collections.abc import Generator, Mapping, Sequence
from itertools import islice
from typing import Any

from app.core.errors import InvalidInput
from app.core.events import LoggedEvent, event_id, topic_name
from app.core.paging import DEFAULT_PAGE, LARGEST_PAGE
from app.core.sight import Viewer
from app.directory.model.user import MANAGE
from app.interactions.reads.facts import seen_sides, sides
from app.interactions.reads.filters import LEVELS
from app.selection.mapping import SOME, Env, ObjectId, One, Read, granted
from app.storage.event_log import (
    check_cursor,
    heads_cursor,
    heads_with_era,
    merged,
    newest_era,
    parse_cursor,
    read_after,
)
from app.storage.query import Query

DIRECTORY = "directory:read"


def events(read: Read, env: Env, arguments: Mapping[str, Any]) -> Generator[Query, Sequence[Any], Mapping[str, object]]:
    """A page of the events after the cursor; without a cursor, an empty page with the cursor of now.

    Events that the actor may not see are skipped, so a page can be shorter than requested, even empty, without being
    the last one. Raises InvalidCursor, CursorExpired, InvalidInput."""
    size = arguments.get("first")
    size = DEFAULT_PAGE if size is None else size
    if not 1 <= size <= LARGEST_PAGE:
        raise InvalidInput(f"first must be from 1 to {LARGEST_PAGE}, not {size}.", path=("first",))
    heads = yield heads_with_era(read.dialect_name)
    if arguments.get("after") is None:
        return {"events": [], "cursor": str(heads_cursor(heads)), "has_more": False}
    cursor = parse_cursor(str(arguments["after"]))
    check_cursor(cursor, heads)
    rows = yield read_after(read.dialect_name, cursor, size + 1, newest_era(heads))
    page, seen = [], cursor
    for each in islice(merged(rows), size):
        seen = seen.advance(each.lane, each.position)
        if may_see(env.actor.viewer, each):
            page.append(event_item(each, str(seen)))
    return {"events": page, "cursor": str(seen), "has_more": len(rows) > size or not heads_cursor(heads) <= seen}


def may_see(viewer: Viewer, logged_event: LoggedEvent) -> bool:
    """Whether the viewer may know of the event: by its interaction as it was then, its kind, or as one of the
    directory. That an interaction left the viewer's sight is not told here."""
    event = logged_event.event
    if event.kind is None:
        return granted(viewer.permissions, MANAGE if event.type.is_audit else DIRECTORY)
    if event.interaction_id is None:
        return granted(viewer.permissions, f"{event.kind}:read{SOME}")
    before, after = seen_sides(event, viewer)
    return after is not None or (before is not None and sides(event)[1] is None)


EVENT: Mapping[str, str | One | ObjectId] = {
    "actor": One("User", key="actor_id"),
    "interaction": One("Interaction", key="interaction_id"),
    "message": One("Message", key="message_id"),
    "messageNodeId": ObjectId("msg", "message_id"),
    "note": One("Note", key="note_id"),
    "noteNodeId": ObjectId("not", "note_id"),
}
"""The fields of `event_item` that are not simply its items."""


def event_item(found: LoggedEvent, cursor: str) -> Mapping[str, object]:
    """The value of the graph's type `Event`; `cursor` is the position behind the event."""
    event = found.event
    return {
        "cursor": cursor,
        "id": event_id(event.interaction_id, found.position, found.lane),
        "at": found.at,
        "topic": topic_name(event.topic, event.kind),
        "kind": None if event.kind is None else event.kind.upper(),
        "interaction_id": event.interaction_id,
        "actor_id": event.actor_id,
        "client_mutation_id": event.client_mutation_id,
        "version": event.version,
        "level_before": LEVELS.get(event.level_before or 0),
        "level_after": LEVELS.get(event.level_after or 0),
        "changes": event.data.get("changes") or [],
        "message_id": event.data.get("message_id"),
        "note_id": event.data.get("note_id"),
    }
