"""What the contract's request bodies may hold, checked by type alone; the rules are the services'."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from app.core.clock import parse_datetime
from app.core.errors import InvalidInput
from app.directory.model.checks import flag
from app.interactions.messages import MessageAuthor
from app.kinds.session.model import SessionChanges, Suggestion
from app.rest.errors import BadRequest

T = TypeVar("T")

_AUTHORS = {
    "end-user": MessageAuthor.CUSTOMER,
    "agent": MessageAuthor.USER,
    "bot": MessageAuthor.BOT,
    # What the bot's messages were called before they were called that.
    "init": MessageAuthor.BOT,
}


def changes(body: Mapping[str, Any]) -> SessionChanges:
    """The changes of an update; what is absent stays. Raises InvalidInput."""
    found: SessionChanges = {}
    if "need_attention" in body:
        found["need_attention"] = flag(body["need_attention"], ("need_attention",))
    if "tags" in body:
        found["tags"] = _items(body["tags"], ("tags",), text)
    if "topics" in body:
        found["topics"] = _items(body["topics"], ("topics",), text)
    if "suggested_messages" in body:
        found["suggested_messages"] = _items(body["suggested_messages"], ("suggested_messages",), _suggestion)
    return found


def content(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of a message. Raises InvalidInput, BadRequest when it is missing."""
    return {"type": "text", "content": _content(body, ())}


def author(body: Mapping[str, Any]) -> MessageAuthor:
    """Who wrote a message; a user when nothing is said. Raises InvalidInput."""
    role = body.get("sender_role", "agent")
    if not isinstance(role, str) or role not in _AUTHORS:
        raise InvalidInput(f"sender_role is one of {', '.join(_AUTHORS)}.", path=("sender_role",))
    return _AUTHORS[role]


def sent_at(body: Mapping[str, Any]) -> datetime | None:
    """When a message was sent; None when nothing is said. Raises InvalidInput."""
    if body.get("sent_at") is None:
        return None
    try:
        return parse_datetime(body["sent_at"])
    except ValueError as error:
        raise InvalidInput(str(error), path=("sent_at",)) from None


def text(value: Any, path: tuple[str | int, ...]) -> str:
    """Text. Raises InvalidInput."""
    if not isinstance(value, str):
        raise InvalidInput("This takes text.", path=path)
    return value


def missing(name: str) -> BadRequest:
    """The refusal of a request without a parameter that it needs."""
    return BadRequest(422, f"param is missing or the value is empty: {name}", code="PARAMETER_MISSING")


def _content(body: Mapping[str, Any], path: tuple[str | int, ...]) -> str:
    if body.get("content") is None:
        raise missing(".".join(map(str, (*path, "content"))))
    if body.get("content_type", "text") != "text":
        raise InvalidInput("content_type is text.", path=(*path, "content_type"))
    return text(body["content"], (*path, "content"))


def _suggestion(value: Any, path: tuple[str | int, ...]) -> Suggestion:
    if not isinstance(value, dict):
        raise InvalidInput("This takes a suggested message.", path=path)
    remote_id = value.get("id")
    return Suggestion(
        remote_id=None if remote_id is None else text(remote_id, (*path, "id")), content=_content(value, path)
    )


def _items(value: Any, path: tuple[str | int, ...], item: Callable[[Any, tuple[str | int, ...]], T]) -> list[T]:
    # null clears, as the empty list does.
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput("This takes an array.", path=path)
    return [item(one, (*path, place)) for place, one in enumerate(value)]
