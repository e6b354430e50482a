"""The contract's spellings: names in any case, numbers and booleans as text."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema, model_validator

from app.core.numbers import LARGEST_INT
from app.kinds.chat_session.model.session import STATUS_OF_WIRE, ChatSessionStatus
from app.rest.bodies import Body, Faults, told

_WHOLE = f"{{name}} has to be a whole number from %s to {LARGEST_INT}."
_TEXT = "{name} has to be a text."
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_FLAGS = {"customeristyping": False, "useristyping": True}
_STATUSES: Mapping[str, ChatSessionStatus] = {
    **{name.lower(): status for name, status in STATUS_OF_WIRE.items()},
    **{str(place): status for place, status in enumerate(ChatSessionStatus)},
}


class AnyCase(Body):
    """An object whose names may be in any case; of names that differ by case alone the last counts."""

    faults = Faults(
        MappingProxyType(
            {"missing": _WHOLE % 0, "model_type": "{name} has to be an object.", "string_type": _TEXT},
        )
    )

    @model_validator(mode="before")
    @classmethod
    def _as_declared(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        known = _aliases(cls)
        return {known[low]: value for name, value in given.items() if (low := name.lower()) in known}


@cache
def _aliases(model: type[Body]) -> Mapping[str, str]:
    names = [field.alias or name for name, field in model.model_fields.items()]
    return {name.lower(): name for name in names}


def any_case(given: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its names in small letters; of names that differ by case alone the last counts."""
    return {name.lower(): value for name, value in given.items()}


def number(value: Any) -> Any:
    """A number that may come as text; anything else as it is, for the rules to refuse."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii() and len(value) < 20:
        return int(value)
    return value


def _whole(least: int) -> Callable[[Any], int]:
    def validate(value: Any) -> int:
        found = number(value)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= LARGEST_INT:
            raise told(_WHOLE % least)
        return found

    return validate


def _boolean(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    found = _BOOLEANS.get(str(value).lower()) if isinstance(value, str | int) else None
    if found is None:
        raise told("{name} has to be true or false.")
    return found


def _status(value: Any) -> ChatSessionStatus:
    if isinstance(value, str | int) and not isinstance(value, bool):
        found = _STATUSES.get(str(value).strip().lower())
        if found is not None:
            return found
    raise told(f"{{name}} is one of {', '.join(STATUS_OF_WIRE)}.")


def _flags(value: Any) -> bool:
    """Whether the flags say that the user is typing; that the customer is, is their value 0 and cannot be told."""
    if isinstance(value, str):
        names = [name.strip().lower() for name in value.split(",") if name.strip()]
        if all(name in _FLAGS for name in names):
            return any(_FLAGS[name] for name in names)
    found = number(value)
    if isinstance(found, bool) or not isinstance(found, int) or found not in (0, 1):
        raise told("Flags are CustomerIsTyping (0) and UserIsTyping (1).")
    return found == 1


def _rating(value: Any) -> Any:
    # 0 is how the contract writes that there is none.
    return number(value) or None


def _key(value: Any) -> str | None:
    if not value:
        return None
    if not isinstance(value, str):
        raise told(_TEXT)
    return value


def _integer(least: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": LARGEST_INT}


Int = Annotated[int, PlainValidator(_whole(0)), WithJsonSchema(_integer(0))]
After = Annotated[
    int,
    PlainValidator(lambda value: _whole(-1)(value or 0)),
    WithJsonSchema({**_integer(-1), "type": ["integer", "null"]}),
]
"""A whole number from -1 on; nothing is 0."""

Boolean = Annotated[bool, PlainValidator(_boolean), WithJsonSchema({"type": ["boolean", "null"]})]
Status = Annotated[
    ChatSessionStatus,
    PlainValidator(_status),
    WithJsonSchema({"anyOf": [{"enum": list(STATUS_OF_WIRE)}, {"type": "integer", "minimum": 0, "maximum": 11}]}),
]
Flags = Annotated[
    bool,
    PlainValidator(_flags),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["CustomerIsTyping", "UserIsTyping", "CustomerIsTyping, UserIsTyping", ""]},
                {"type": "integer", "minimum": 0, "maximum": 1},
            ]
        }
    ),
]
Level = Annotated[Any, PlainValidator(number), WithJsonSchema(_integer(0))]
Rating = Annotated[Any, PlainValidator(_rating), WithJsonSchema(_integer(-LARGEST_INT - 1))]
SessionKey = Annotated[str | None, PlainValidator(_key), WithJsonSchema({"type": ["string", "null"]})]
