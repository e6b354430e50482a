"""Sessions, their messages and suggested messages."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import NotFound
from app.kinds.session import service
from app.kinds.session.rest import answers, bodies, reading
from app.rest import IDEMPOTENCY_KEY, About, Answer, Call, Operation, Reply, Whole, in_path, sent

CURRENT = "current"
CUSTOMER_ID = in_path("customer_id", "The customer's key.")
_SESSION_ID = in_path("session_id", "The session's UUID, or `current`.")
_LIMIT = Whole("limit", "How many.", least=1, most=500, default=100)
_OFFSET = Whole("offset", "How many to pass over.", least=0, most=2**31 - 1, default=0)


async def list_sessions(call: Call) -> Reply:
    """The customer's sessions, the newest first, 500 at most. Raises NotFound for the customer, InvalidInput."""
    found = await call.read(reading.OF_CUSTOMER, customer_key=call.path["customer_id"], **_page(call))
    if found is None:
        raise NotFound("Couldn't find Customer.")
    return Reply(body=await call.written(found["sessions"], reading.session))


async def get_session(call: Call) -> Reply:
    """The session that the path names, which may be `current`. Raises NotFound, also for another customer's."""
    return Reply(body=reading.session(await _session(call)))


async def update_session(call: Call) -> Reply:
    """The customer's current session with the fields of the body changed. Raises what `update` of the service
    raises."""
    changes = (await call.given(bodies.SessionUpdate)).changes()
    changed = await call.perform(service.update, changes, customer_key=call.path["customer_id"], session_key=_key(call))
    return Reply(body=reading.session(await call.read(reading.SESSION, session_key=changed.session_key)))


async def list_messages(call: Call) -> Reply:
    """The session's messages, the newest first, 500 at most. Raises NotFound, InvalidInput."""
    page = _page(call)
    key = (await _session(call))["sessionKey"]
    found = await call.read(reading.MESSAGES, session_key=key, **page)
    return Reply(body=await call.written(found["messages"], lambda each: reading.message(each, key)))


async def create_message(call: Call) -> Reply:
    """The new message in the current session, with 201. Raises what `post_message` of the service raises."""
    message = await call.given(bodies.NewMessage)
    posted = await call.perform(
        service.post_message,
        call.path["customer_id"],
        message.contents,
        author=message.author,
        sent_at=message.sent_at,
        session_key=_key(call),
        idempotency_key=call.idempotency_key,
    )
    found = await call.read(reading.MESSAGE, id=f"msg_{posted.message}")
    return Reply(status=201, body=reading.message(found, found["interaction"]["sessionKey"]))


async def bump_suggestion(call: Call) -> Reply:
    """The suggested message with one more use. Raises NotFound, Forbidden."""
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
    return {"limit": _LIMIT.read(call.query), "offset": _OFFSET.read(call.query)}


_SESSIONS = "/v1/customers/{customer_id}/sessions"
_SESSION = f"{_SESSIONS}/{{session_id}}"
_OF_SESSION = (CUSTOMER_ID, _SESSION_ID)
_CHANGED = Answer(200, "The session as it is now.", answers.Session)

SESSIONS = (
    Operation(
        "GET",
        _SESSIONS,
        list_sessions,
        About(
            "listSessions",
            "The customer's sessions, the newest first.",
            parameters=(CUSTOMER_ID, _LIMIT, _OFFSET),
            answer=Answer(200, "The sessions.", list[answers.Session]),
            refuses=(404, 422),
        ),
    ),
    Operation(
        "GET",
        _SESSION,
        get_session,
        About(
            "getSession",
            "A session.",
            parameters=_OF_SESSION,
            answer=Answer(200, "The session.", answers.Session),
            refuses=(404, 422),
        ),
    ),
    Operation(
        "PATCH",
        _SESSION,
        update_session,
        About(
            "updateSession",
            "Change the current session.",
            parameters=_OF_SESSION,
            body=sent(bodies.SessionUpdate),
            answer=_CHANGED,
            refuses=(404, 409, 422),
        ),
    ),
    # The older page's example sends its update by POST.
    Operation(
        "POST",
        _SESSION,
        update_session,
        About(
            "updateSessionByPost",
            "Change the current session, as the older page's example does.",
            parameters=_OF_SESSION,
            body=sent(bodies.SessionUpdate),
            answer=_CHANGED,
            refuses=(404, 409, 422),
        ),
    ),
    Operation(
        "GET",
        f"{_SESSION}/messages",
        list_messages,
        About(
            "listMessages",
            "The session's messages, the newest first.",
            parameters=(*_OF_SESSION, _LIMIT, _OFFSET),
            answer=Answer(200, "The messages.", list[answers.Message]),
            refuses=(404, 422),
        ),
    ),
    Operation(
        "POST",
        f"{_SESSION}/messages",
        create_message,
        About(
            "createMessage",
            "Write in the current session, which is opened when there is none.",
            parameters=(*_OF_SESSION, IDEMPOTENCY_KEY),
            body=sent(bodies.NewMessage),
            answer=Answer(201, "The message.", answers.Message),
            refuses=(404, 409, 422),
        ),
    ),
    Operation(
        "PATCH",
        "/v1/suggested_messages/{id}",
        bump_suggestion,
        About(
            "useSuggestedMessage",
            "Count one more pick of a suggested message.",
            parameters=(in_path("id", "The suggested message's UUID."),),
            answer=Answer(200, "The suggested message.", answers.CountedSuggestedMessage),
            refuses=(404,),
        ),
    ),
)
