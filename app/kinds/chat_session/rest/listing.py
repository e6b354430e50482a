"""The list of chats as OData rows of archive columns."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from app.core.errors import InvalidInput
from app.kinds.chat_session.model.session import ChatSessionStatus
from app.kinds.chat_session.reads.listing import Shape
from app.kinds.chat_session.rest.answers import wire_of
from app.kinds.chat_session.rest.filters import LONGEST, condition_of, orders_of
from app.kinds.chat_session.rest.reading import listing
from app.kinds.chat_session.rest.shapes import ODataSlimResponse
from app.kinds.chat_session.rest.wire import Wire, number_of
from app.rest import About, Answer, Call, Operation, Reply, Selection, Text, Whole
from app.rest.errors import BadRequest

MOST = 1_000
_LARGEST_OFFSET = 2**31 - 1
_TOP = Whole("$top", f"How many, at most {MOST:,} in one answer.", least=0, most=_LARGEST_OFFSET, default=100)
_SKIP = Whole("$skip", "How many to pass over.", least=0, most=_LARGEST_OFFSET, default=0)

Row = Mapping[str, Any]


def _of(name: str, item: str | None = None) -> Callable[[Row, Wire], Any]:
    def value(row: Row, _wire: Wire) -> Any:
        held = row[name]
        return held if item is None or held is None else held[item]

    return value


def _time(name: str) -> Callable[[Row, Wire], Any]:
    return lambda row, wire: None if row[name] is None else wire.time(row[name])


def _span(start: str, end: str) -> Callable[[Row, Wire], Any]:
    """The time between two moments as `hh:mm:ss`; null while one of them is to come."""

    def value(row: Row, _wire: Wire) -> str | None:
        if row[start] is None or row[end] is None:
            return None
        seconds = int((datetime.fromisoformat(row[end]) - datetime.fromisoformat(row[start])).total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    return value


def _agent(row: Row, _wire: Wire) -> str | None:
    return None if row["user"] is None else row["user"]["fullName"] or row["user"]["name"]


_COLUMNS: Mapping[str, Callable[[Row, Wire], Any]] = {
    "chatSessionId": _of("chatSessionId"),
    "firstMessage": _of("firstMessage"),
    "lastMessage": _of("lastMessage"),
    "whenRequested": _time("whenRequested"),
    "whenStarted": _time("whenStarted"),
    "whenEnded": _time("whenEnded"),
    "duration": _span("whenStarted", "whenEnded"),
    "timeInQueue": _span("whenRequested", "whenStarted"),
    "queueLength": _of("initialQueuePos"),
    "rating": _of("rating"),
    "agent": _of("user", "name"),
    "status": lambda row, _wire: ChatSessionStatus(row["status"]).wire,
    "associateId": lambda row, _wire: None if row["user"] is None else number_of(row["user"]["id"]),
    "associate/fullName": _agent,
    "associate/personId": _of("user", "personId"),
    "contactId": _of("contact", "contactId"),
    "personId": _of("person", "personId"),
    "person/personId": _of("person", "personId"),
    "person/contactId": _of("person", "contactId"),
    "person/firstName": _of("person", "firstname"),
    "person/lastName": _of("person", "lastname"),
    "person/fullName": _of("person", "fullName"),
    "chatTopic/chatTopicId": _of("topicId"),
    "chatTopic/name": _of("topic", "name"),
    "chatTopic/description": _of("topic", "description"),
    "updatedDate": _time("updatedAt"),
    "registeredDate": _time("createdAt"),
}
_NAMES = {name.lower(): name for name in _COLUMNS}


async def list_chats(call: Call) -> Reply:
    """A page of chats as rows of the selected columns, 1,000 at most, with the address of the next one.

    Raises BadRequest (406) for a format other than JSON, and InvalidInput for an option that cannot be read."""
    given = {name.lower(): call.query.get(name) for name in call.query}
    if str(given.get("$format", "json")).lower() != "json":
        raise BadRequest(406, "Lists are given as JSON.")
    columns = _selected(given.get("$select"))
    condition, values = condition_of(given.get("$filter"))
    top, skip = _whole(given, _TOP), _whole(given, _SKIP)
    size = min(top, MOST)
    selection = _selection(Shape(condition, orders_of(given.get("$orderby"))))
    found = await call.read(selection, values=values, limit=size + 1, offset=skip)
    wire, chats = wire_of(call), found["chats"]
    cells_of = [(name, _COLUMNS[name]) for name in columns]

    def slim(row: Row) -> dict[str, Any]:
        cells = {name: cell(row, wire) for name, cell in cells_of}
        return {"PrimaryKey": row["chatSessionId"], "EntityName": "chat", **cells}

    rows = await call.written(chats[:size], slim)
    further = given | {"$skip": str(skip + size), "$top": str(top - size if top > MOST else top)}
    following = f"{call.base_url}/api/v1/ChatSession?" + "&".join(
        f"{name}={quote(value or '', safe='')}" for name, value in further.items()
    )
    body = {
        "odata.metadata": f"{call.base_url}/api/v1/archive$metadata",
        "odata.nextLink": following if size and len(chats) > size else None,
        "value": rows,
    }
    return Reply(body=body)


@lru_cache(maxsize=256)
def _selection(shape: Shape) -> Selection:
    return listing(shape)


def _selected(given: str | None) -> list[str]:
    if given is None or not given.strip():
        return list(_COLUMNS)
    wanted = [name.strip() for name in given.split(",") if name.strip()]
    unknown = [name for name in wanted if name.lower() not in _NAMES]
    if unknown:
        raise InvalidInput(f"$select cannot be read: there is no column {unknown[0][:80]!r}.")
    return list(dict.fromkeys(_NAMES[name.lower()] for name in wanted))


def _whole(parameters: Mapping[str, str | None], declared: Whole) -> int:
    given = parameters.get(declared.name)
    if given is None:
        return declared.default or 0
    if not (given.isascii() and given.isdigit() and len(given) <= 10 and int(given) <= declared.most):
        raise InvalidInput(f"{declared.name} has to be a whole number from 0 to {declared.most}.")
    return int(given)


LISTING = (
    Operation(
        "GET",
        "/api/v1/ChatSession",
        list_chats,
        About(
            "listChatSessions",
            "A page of the chats, as rows of the archive's columns.",
            parameters=(
                Text("$select", "Columns, by default all."),
                Text(
                    "$filter",
                    "A condition: eq, ne, gt, ge, lt, le, oneOf, notOneOf, and, or, contains, startswith.",
                    most=LONGEST,
                ),
                Text("$orderBy", "Up to five columns, each with asc or desc."),
                _TOP,
                _SKIP,
                Text("$format", "JSON alone.", among=("JSON", "json")),
            ),
            answer=Answer(200, "A page of the chats.", ODataSlimResponse),
        ),
    ),
)
