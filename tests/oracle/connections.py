"""Pages of lists of Python objects, by the book: sort everything, cut at the cursor, take from the right end."""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from graphql import GraphQLError

from app.core.clock import rfc3339

Item = Mapping[str, Any]
Key = Callable[[Item], tuple[Any, ...]]
Orders = Mapping[str, tuple[Key, bool]]
"""The key of each order by its name, and whether it goes downwards."""


def refuse(code: str, message: str = "") -> GraphQLError:
    """A refusal with its code."""
    return GraphQLError(message or code, extensions={"code": code})


def cursor_of(name: str, values: Sequence[Any]) -> str:
    """A cursor as the graph spells it, which nobody but the graph has to know; compared so that pages stay stable."""
    written = [rfc3339(value) if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(orjson.dumps([name, *written])).rstrip(b"=").decode()


def connection(
    items: Sequence[Item], name: str, orders: Orders, default: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """The page that the arguments ask for. `name` is what the connection's cursors begin with."""
    first, after, last, before = (arguments.get(each) for each in ("first", "after", "last", "before"))
    if (first is not None and last is not None) or (after is not None and before is not None):
        raise refuse("INVALID_INPUT")
    backward = last is not None or before is not None
    if (backward and (after is not None or first is not None)) or (not backward and before is not None):
        raise refuse("INVALID_INPUT")
    size = last if backward else first
    size = 20 if size is None else size
    if not 1 <= size <= 100:
        raise refuse("INVALID_INPUT")
    sorted_by = arguments.get("orderBy")
    order = default if sorted_by is None else f"{sorted_by['field']}_{sorted_by['direction']}"
    key, descending = orders[order]
    label = f"{name}.{order}"
    ordered = sorted(items, key=key, reverse=descending)
    cursors = [cursor_of(label, key(item)) for item in ordered]
    given = before if backward else after
    place = None if given is None else _place(given, label, key, ordered, descending)
    if backward:
        candidates = list(range(len(ordered) if place is None else place[0]))
        page = candidates[-size:]
    else:
        candidates = list(range(0 if place is None else place[1], len(ordered)))
        page = candidates[:size]
    more = len(candidates) > size
    return {
        "edges": [{"cursor": cursors[at], "node": ordered[at]} for at in page],
        "nodes": [ordered[at] for at in page],
        "page_info": {
            "has_next_page": given is not None if backward else more,
            "has_previous_page": more if backward else given is not None,
            "start_cursor": cursors[page[0]] if page else None,
            "end_cursor": cursors[page[-1]] if page else None,
        },
        "total_count": min(len(ordered), 10_000),
        "total_count_is_capped": len(ordered) > 10_000,
    }


def _place(cursor: str, label: str, key: Key, ordered: Sequence[Item], descending: bool) -> tuple[int, int]:
    """How many items come before the cursor, and how many not after it."""
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise refuse("INVALID_CURSOR") from None
    if not isinstance(found, list) or found[0] != label:
        raise refuse("INVALID_CURSOR")
    values = tuple(found[1:])

    def compared(item: Item) -> tuple[Any, ...]:
        return tuple(rfc3339(value) if isinstance(value, datetime) else value for value in key(item))

    if descending:
        return sum(compared(each) > values for each in ordered), sum(compared(each) >= values for each in ordered)
    return sum(compared(each) < values for each in ordered), sum(compared(each) <= values for each in ordered)
