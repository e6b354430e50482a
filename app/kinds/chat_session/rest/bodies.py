"""What the contract's request bodies say: names in any case, numbers and booleans also as text, as forms have them."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from app.core.errors import InvalidInput
from app.kinds.chat_session.model.limits import LENGTHS, REFERENCES, check_int
from app.kinds.chat_session.model.session import STATUS_OF_WIRE, ChatSessionChanges, ChatSessionStatus

Body = Mapping[str, Any]
"""An object of a request, its names in small letters."""

_STATUSES: Mapping[str, ChatSessionStatus] = {
    **{name.lower(): status for name, status in STATUS_OF_WIRE.items()},
    **{str(place): status for place, status in enumerate(ChatSessionStatus)},
}
_FLAGS = {"customeristyping": False, "useristyping": True}
_UNSET_REFERENCES = (0, "0", "")


def any_case(given: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its names in small letters; of names that differ by case alone the last counts."""
    return {name.lower(): value for name, value in given.items()}


def number(value: Any, *path: str) -> Any:
    """A number that may come as text; anything else as it is, for the rules to refuse."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii() and len(value) < 20:
        return int(value)
    return value


def int32(value: Any, *path: str, least: int = 0) -> int:
    """A whole number. Raises InvalidInput."""
    found = number(value)
    check_int(path[-1], found, *path, least=least)
    return cast("int", found)


def boolean(value: Any, *path: str) -> bool:
    """A boolean, also as 0 or 1 or as text; null is false. Raises InvalidInput."""
    if value is None or isinstance(value, bool):
        return bool(value)
    known = {"true": True, "1": True, "false": False, "0": False}
    found = known.get(str(value).lower()) if isinstance(value, str | int) else None
    if found is None:
        raise InvalidInput(f"{path[-1]} has to be true or false.", path=path)
    return found


def status(value: Any, *path: str) -> ChatSessionStatus:
    """A status by its name or number. Raises InvalidInput."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        found = _STATUSES.get(str(value).strip().lower())
        if found is not None:
            return found
    raise InvalidInput(f"{path[-1]} is one of {', '.join(STATUS_OF_WIRE)}.", path=path)


def changes(body: Body, *, whole: bool) -> ChatSessionChanges:
    """What a chat is to become.

    A `whole` entity says something of every field that can be written: one that is absent or null is empty, but a chat
    keeps the topic and status that it cannot be without. Otherwise only what is there is said.
    Raises InvalidInput; what the rules refuse is left to them."""
    found: dict[str, Any] = {}
    for name, (field, read) in _WRITABLE.items():
        if whole or name in body:
            value = body.get(name)
            found[field] = None if value is None else read(value, field)
    for field in ("customer_consented", "chatbot_is_active", "user_is_typing"):
        if field in found:
            found[field] = bool(found[field])
    if "alert_level" in found:
        found["alert_level"] = 0 if found["alert_level"] is None else found["alert_level"]
    if whole:
        for field, unset in (("topic_id", (None, 0)), ("status", (None, ChatSessionStatus.INVALID))):
            if found[field] in unset:
                del found[field]
    if body.get("sessionkey"):
        found["session_key"] = _text(body["sessionkey"], "session_key")
    return cast("ChatSessionChanges", found)


def _text(value: Any, *path: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{path[-1]} has to be a text.", path=path)
    return value


def _rating(value: Any, *path: str) -> Any:
    # 0 is how the contract writes that there is none.
    return number(value) or None


def _flags(value: Any, *path: str) -> bool:
    """Whether the flags say that the user is typing; that the customer is, is their value 0 and cannot be told."""
    if isinstance(value, str):
        names = [name.strip().lower() for name in value.split(",") if name.strip()]
        if all(name in _FLAGS for name in names):
            return any(_FLAGS[name] for name in names)
    found = number(value)
    if isinstance(found, bool) or not isinstance(found, int) or found not in (0, 1):
        raise InvalidInput("Flags are CustomerIsTyping (0) and UserIsTyping (1).", path=("flags",))
    return found == 1


def _reference(value: Any, *path: str) -> Mapping[str, object] | None:
    (name,) = path
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{name} has to be an object.", path=path)
    given = any_case(value)
    items = REFERENCES[name]
    identity = next(iter(items))
    if given.get(identity.replace("_", "")) in _UNSET_REFERENCES:
        return None
    found = {}
    for item, kind in items.items():
        held = given.get(item.replace("_", ""))
        if held is not None:
            found[item] = number(held) if kind is int else held
    return found


_READERS: Mapping[str, Callable[..., Any]] = {
    "topic_id": int32,
    **dict.fromkeys(REFERENCES, _reference),
    **dict.fromkeys(LENGTHS, _text),
    "customer_consented": boolean,
    "status": status,
    "alert_level": number,
    "chatbot_is_active": boolean,
    "rating": _rating,
}
_WRITABLE: Mapping[str, tuple[str, Callable[..., Any]]] = {
    **{field.replace("_", ""): (field, read) for field, read in _READERS.items()},
    "flags": ("user_is_typing", _flags),
}
