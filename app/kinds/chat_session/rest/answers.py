"""Media type, time zone and `$select` of all answers of the contract."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from app.core.errors import InvalidInput
from app.kinds.chat_session.rest.spelling import any_case
from app.kinds.chat_session.rest.wire import Wire
from app.rest import Call, Reply, Text, sent
from app.rest.contract import Handler
from app.rest.describing import Sent
from app.rest.errors import BadRequest

TYPES = ("application/json", "text/json", "application/json-patch+json", "application/merge-patch+json")
"""The media types that bodies and answers are in; the contract's XML ones are not served."""

FORM = "application/x-www-form-urlencoded"

SELECT = Text(
    "$select",
    "Names of the fields to show, in any case; `person/email` names a field of a field. The others are null.",
)

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})", re.ASCII | re.IGNORECASE)
_LONGEST_ACCEPT = 1_000


def taken(shape: Any, *more: str, required: bool = True) -> Sent:
    """A body in JSON, or in one more type. Others of `TYPES` are taken for what they hold, too."""
    return sent(shape, *TYPES[:2], *more, required=required)


def answering(handler: Handler) -> Handler:
    """The handler with what its request's headers ask of the answer; nothing is done when that cannot be given."""

    async def answer(call: Call) -> Reply:
        media_type = _media_type(call.headers)
        _zone(call.headers)
        reply = await handler(call)
        return replace(reply, media_type=f"{media_type}; charset=utf-8")

    return answer


def wire_of(call: Call) -> Wire:
    """How the answer to this request is written."""
    return Wire(_zone(call.headers), call.base_url)


def selected(call: Call, entity: dict[str, Any]) -> dict[str, Any]:
    """The entity with every field nulled that `$select` does not name; `person/email` names a field of a field."""
    given = SELECT.read(call.query)
    if not given or not given.strip():
        return entity
    return _only(entity, [name.strip().lower().split("/") for name in given.split(",") if name.strip()])


async def body_of(call: Call, *, empty: bool = False) -> dict[str, Any]:
    """The object in the request's body with its names in small letters. Raises BadRequest when there is none.

    An `empty` body, or null, counts as an object without members."""
    if call.headers.get(b"content-type", b"").split(b";")[0].strip().lower() == FORM.encode():
        form = await call.form()
        return any_case({name: form.get(name) for name in form})
    found = await call.json(*TYPES, FORM, empty=True)
    if isinstance(found, dict):
        return any_case(found)
    if found is None and empty:
        return {}
    raise BadRequest(400, "The entity to save is not in the request body.")


def _only(value: dict[str, Any], wanted: list[list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, held in value.items():
        below = [path[1:] for path in wanted if path[0] == name.lower()]
        if not below:
            found[name] = None
        elif isinstance(held, dict) and all(below):
            found[name] = _only(held, below)
        else:
            found[name] = held
    return found


def _media_type(headers: Mapping[bytes, bytes]) -> str:
    """The first of the types accepted that is served. Raises BadRequest (406)."""
    accept = headers.get(b"accept", b"").decode("latin-1").strip().lower()
    if not accept or len(accept) > _LONGEST_ACCEPT:
        return TYPES[0]
    ranges = []
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((_quality(each[2:]) for each in parameters if each.startswith("q=")), 1.0)
        if quality > 0:
            ranges.append((-quality, name))
    for _, name in sorted(ranges, key=lambda each: each[0]):
        if name in ("*/*", "application/*"):
            return TYPES[0]
        if name == "text/*":
            return TYPES[1]
        if name in TYPES:
            return name
    raise BadRequest(406, f"Answers are {' or '.join(TYPES)}.")


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _zone(headers: Mapping[bytes, bytes]) -> tzinfo:
    """The zone that times are given in: `Europe/Oslo` or `+02:00`; UTC when none is asked for. Raises InvalidInput."""
    name = headers.get(b"so-timezone", b"").decode("latin-1").strip()
    if not name or name.upper() in ("UTC", "GMT", "Z"):
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is not None and int(offset[2]) < 15 and int(offset[3]) < 60:
        shift = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-shift if offset[1] == "-" else shift)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a directory of the database
        raise InvalidInput("SO-TimeZone takes the name of a time zone, such as Europe/Oslo.") from None
