"""The messages of graphql-transport-ws: read strictly, and written in one place."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.types import Message, Send

from app.core import json_input
from app.core.errors import DomainError, TooComplex, release
from app.core.trail import client_named
from app.execution import errors
from app.execution.outcome import Refused
from app.http.authentication import key_of, presented_key
from app.live.connections import Ending
from app.rest.errors import BadRequest
from app.rest.headers import Headers

PROTOCOL = "graphql-transport-ws"

_LONGEST_ID = 256
_LONGEST_REASON = 120

_TYPE = r'(?:"type"\s*+:\s*+"subscribe"\s*+,\s*+)?'
_SUBSCRIBE = re.compile(
    rf'\s*+{{\s*+{_TYPE}"id"\s*+:\s*+(?P<id>"(?:[^"\\]|\\.){{1,2000}}+")\s*+,\s*+{_TYPE}"payload"\s*+:', re.DOTALL
)
"""How a `subscribe` begins that says whose payload it is before the payload, as most clients write it."""

_LAST = re.compile(
    r',\s*+(?:"type"\s*+:\s*+"subscribe"\s*+,\s*+"id"\s*+:\s*+(?P<last>"(?:[^"\\]|\\.){1,256}+")'
    r'|"id"\s*+:\s*+(?P<id>"(?:[^"\\]|\\.){1,256}+")\s*+,\s*+"type"\s*+:\s*+"subscribe")\s*+}\s*+\Z',
    re.DOTALL,
)
"""How one ends that says so after it."""

_NEAR_END = 1_000

INVALID = 4400
UNAUTHORIZED = 4401
NOT_ACCEPTABLE = 4406
INIT_TIMEOUT = 4408
DUPLICATE = 4409
TOO_MANY_INITS = 4429
TOO_BIG = 1009


class Closed(Exception):
    """The socket has to be closed with this code; most of them tell a client that it must not come back as it is."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.ending = Ending(code, reason)


def read_message(message: Message, limit: int) -> dict[str, Any]:
    """The JSON object in a frame of text, with a text as its type. Raises Closed.

    In place of a payload that cannot be read, or is over the bounds, a `subscribe` holds the error that refuses it:
    that is about one operation, not about the socket."""
    text = message.get("text")
    if text is None:
        raise Closed(INVALID, "Invalid message: frames hold text")
    if len(text) > limit:
        raise Closed(TOO_BIG, "Message too big")
    try:
        is_small = json_input.is_small(text)
        if not is_small:
            json_input.require_few_values(text)
        given = json_input.parsed(text)
    except json_input.NotJson as error:
        return refused_unread(text, BadRequest(400, f"The message is not JSON in UTF-8: {error}."))
    except TooComplex as error:
        return refused_unread(text, error)
    if not isinstance(given, dict) or not isinstance(given.get("type"), str):
        raise Closed(INVALID, "Invalid message")
    if not is_small:
        try:
            json_input.check(given.get("payload") if given["type"] == "subscribe" else given)
        except TooComplex as error:
            release(error)
            if given["type"] != "subscribe":
                raise Closed(INVALID, f"Invalid message: {error.message}") from None
            given["payload"] = error
    if given["type"] in ("ping", "pong", "connection_init") and not isinstance(given.get("payload"), dict | None):
        raise Closed(INVALID, "Invalid message")
    return given


def refused_unread(text: str, error: BadRequest | DomainError) -> dict[str, Any]:
    """A `subscribe` of which only the id is read, at either end. Raises Closed for all else.

    Half an emoji in a variable is enough for a text to be no JSON."""
    release(error)
    found = _SUBSCRIBE.match(text) or _LAST.search(text, max(0, len(text) - _NEAR_END))
    try:
        id_ = None if found is None else json_input.parsed(found["id"] or found["last"])
    except json_input.NotJson:
        id_ = None
    if id_ is None:
        raise Closed(INVALID, f"Invalid message: {error.message}")
    return {"type": "subscribe", "id": id_, "payload": error}


def text_of(type_: str, **items: object) -> Message:
    """A message of the protocol; items that are None are left out."""
    body = {"type": type_, **{name: value for name, value in items.items() if value is not None}}
    return framed(orjson.dumps(body).decode())


def framed(text: str) -> Message:
    """A frame of text."""
    return {"type": "websocket.send", "text": text}


def head_of(operation: str) -> str:
    """What comes before the answer in a `next`; a brace comes after it."""
    return f'{{"id":{orjson.dumps(operation).decode()},"type":"next","payload":'


def error_of(operation: str, entries: list[errors.Entry]) -> Message:
    """The refusal of an operation, which ends it."""
    return text_of("error", id=operation, payload=entries)


def refusal_of(operation: str, error: Refused | DomainError | BadRequest) -> Message:
    """The refusal of an operation by an error that nobody handles any more."""
    release(error)
    if isinstance(error, Refused):
        return error_of(operation, error.entries)
    if isinstance(error, BadRequest):
        return error_of(operation, [errors.entry(error.message, error.code)])
    wait = errors.seconds_until_retry(error)
    return error_of(operation, [errors.entry(error.message, error.code, argument=error.path, retry_after=wait)])


def id_of(given: Mapping[str, Any]) -> str:
    """The operation that a message is about. Raises Closed."""
    found = given.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ID:
        raise Closed(INVALID, "Invalid message: the id has to be a text that is not empty")
    return found


def key_given(init: Mapping[str, Any], headers: Headers) -> str:
    """The key in `connection_init`, spelled like the headers of a request and among its `headers` or beside them, or
    else in the upgrade's own headers."""
    given = _given(init)
    return key_of(given.get("authorization"), given.get("x-api-key")) or presented_key(headers)


def client_given(init: Mapping[str, Any], headers: Headers) -> str | None:
    """What the client calls itself, in the same places."""
    named = {name.encode(errors="replace"): value.encode("latin-1", "replace") for name, value in _given(init).items()}
    return client_named(named) or client_named(headers)


def _given(init: Mapping[str, Any]) -> dict[str, str]:
    payload = init.get("payload") or {}
    nested = payload.get("headers")
    both = [*(nested.items() if isinstance(nested, dict) else ()), *payload.items()]
    return {name.lower(): value for name, value in both if isinstance(value, str)}


async def close(send: Send, ending: Ending) -> None:
    """Close the socket, with as much of the reason as a frame holds."""
    reason = ending.reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
    await send({"type": "websocket.close", "code": ending.code, "reason": reason})
