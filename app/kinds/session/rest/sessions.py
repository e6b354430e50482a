"""Sessions, their messages and suggested messages."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import NotFound
from app.kinds.session import service
from app.kinds.session.rest import bodies, reading
from app.rest import Call, Operation, Reply

CURRENT = "current"
MOST = 500
LARGEST_OFFSET = 2**31 - 1


async def list_sessions(call: Call) -> Reply:
    found = await call.read(reading.OF_CUSTOMER, customer_key=call.path["customer_id"], **_page(call))
    if found is None:
        raise NotFound("Couldn't find Customer.")
    return Reply(body=await call.written(found["sessions"], reading.session))


async def get_session(call: Call) -> Reply:
    return Reply(body=reading.session(await _session(call)))


async def update_session(call: Call) -> Reply:
    changes = bodies.changes(await call.json_object())
    changed = await call.perform(service.update, changes, customer_key=call.path["customer_id"], session_key=_key(call))
    return Reply(body=reading.session(await call.read(reading.SESSION, session_key=changed.session_key)))


async def list_messages(call: Call) -> Reply:
    page = _page(call)
    key = (await _session(call))["sessionKey"]
    found = await call.read(reading.MESSAGES, session_key=key, **page)
    return Reply(body=await call.written(found["messages"], lambda each: reading.message(each, key)))


async def create_message(call: Call) -> Reply:
    body = await call.json_object()
    posted = await call.perform(
        service.post_message,
        call.path["customer_id"],
        bodies.content(body),
        author=bodies.author(body),
        sent_at=bodies.sent_at(body),
        session_key=_key(call),
        idempotency_key=call.idempotency_key,
    )
    found = await call.read(reading.MESSAGE, id=f"msg_{posted.message}")
    return Reply(status=201, body=reading.message(found, found["interaction"]["sessionKey"]))


async def bump_suggestion(call: Call) -> Reply:
    key = call.path["id"].lower()
    await call.perform(service.use_suggested_message_by_key, key)
    return Reply(body=reading.suggestion(await call.read(reading.SUGGESTION, suggestion_key=key)))


async def _session(call: Call) -> Mapping[str, Any]:
    customer_key, key = call.path["customer_id"], _key(call)
    if key is None:
        found = await call.read(reading.CURRENT, customer_key=customer_key)
    else:
        found = await call.read(reading.SESSION, session_key=key)
    if found is None or found["customer"]["customerKey"] != customer_key:
        raise NotFound("Couldn't find Session.")
    known: Mapping[str, Any] = found
    return known


def _key(call: Call) -> str | None:
    """The key of the session that the path names; None for the current one."""
    given = call.path["session_id"]
    # As the graph takes a UUID: in either case, and in no other spelling.
    return None if given == CURRENT else given.lower()


def _page(call: Call) -> dict[str, int]:
    return {
        "limit": call.query.integer("limit", 100, 1, MOST),
        "offset": call.query.integer("offset", 0, 0, LARGEST_OFFSET),
    }


_SESSION = "/v1/customers/{customer_id}/sessions/{session_id}"

SESSIONS = (
    Operation("GET", "/v1/customers/{customer_id}/sessions", list_sessions),
    Operation("GET", _SESSION, get_session),
    Operation("PATCH", _SESSION, update_session),
    # The older page's example sends its update by POST.
    Operation("POST", _SESSION, update_session),
    Operation("GET", f"{_SESSION}/messages", list_messages),
    Operation("POST", f"{_SESSION}/messages", create_message),
    Operation("PATCH", "/v1/suggested_messages/{id}", bump_suggestion),
)
