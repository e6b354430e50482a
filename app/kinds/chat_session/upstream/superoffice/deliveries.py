"""SuperOffice's webhooks and tenant notices: hints of what to read again."""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from app.interactions.connector import Unmappable

EVENTS = ("chatsession.created", "chatsession.changed", "chatsession.message")
"""The events that are subscribed to."""

BACKUP_RESTORED = 1

_EVENT_ID, _SIGNATURE = "x-superoffice-eventid", "x-superoffice-signature"
_CHANGES = range(5)
# The samples on SuperOffice's pages are invalid JSON: a comma follows their last member.
_LAST_COMMA = re.compile(r",(\s*[}\]])")


class Hint(NamedTuple):
    """What a delivery says: the number of a chat that changed, or that the tenant was restored from a backup."""

    context: str | None
    chat: int | None = None
    restored: bool = False


class SuperOfficeSignature:
    """HMAC-SHA256 over the body in base64, with the secret as UTF-8.

    A notice of the tenant's state is not signed like this. Its token could only be verified with keys requested from
    the other system. It is accepted from anyone who knows the path, because it only makes everything be read again."""

    def key(self, headers: Mapping[str, str], body: str) -> str:
        found = _object(body)
        event = found.get("EventId")
        given = event if isinstance(event, str) and event else headers.get(_EVENT_ID)
        return given or hashlib.sha256(body.encode()).hexdigest()

    def is_made_with(self, secret: str, headers: Mapping[str, str], body: str) -> bool:
        given = headers.get(_SIGNATURE, "")
        if not given and _is_notice(_object(body)):
            return True
        made = b64encode(hmac.digest(secret.encode(), body.encode(), "sha256"))
        return hmac.compare_digest(made, given.encode())


def read_hint(body: str) -> Hint:
    """What the delivery says. Raises Unmappable for a delivery that is not SuperOffice's."""
    found = _object(body)
    context = found.get("ContextIdentifier")
    context = context if isinstance(context, str) else None
    if _is_notice(found):
        return Hint(context, restored=found["ChangeType"] == BACKUP_RESTORED)
    event, number = found.get("Event"), found.get("PrimaryKey")
    if not isinstance(event, str):
        raise Unmappable("The delivery names no event.")
    if event not in EVENTS:
        return Hint(context)
    if isinstance(number, str) and number.isdecimal():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise Unmappable("The delivery names no chat.")
    return Hint(context, chat=number)


def _is_notice(found: Mapping[str, Any]) -> bool:
    return found.get("ChangeType") in _CHANGES and "Event" not in found and isinstance(found.get("Token"), str)


def _object(body: str) -> Mapping[str, Any]:
    """The delivery. One that is not a JSON object counts as empty."""
    for text in (body, _LAST_COMMA.sub(r"\1", body)):
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            continue
        return found if isinstance(found, dict) else {}
    return {}
