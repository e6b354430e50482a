"""Patches of an entity: RFC 6902 operations and RFC 7396 merges."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import Conflict, InvalidInput
from app.kinds.chat_session.rest.spelling import any_case

Body = Mapping[str, Any]
"""An object of a request, its names in small letters."""

_MISSING = object()
_MOST_OPERATIONS = 1_000


def patched(entity: Mapping[str, Any], patch: object) -> Body:
    """The fields that the patch touches, as it leaves them, by their names in small letters.

    Raises InvalidInput for what is no patch of this entity, Conflict when a `test` fails."""
    if isinstance(patch, Mapping):
        return _merged(any_case(entity), patch)
    if isinstance(patch, Sequence) and not isinstance(patch, str) and len(patch) <= _MOST_OPERATIONS:
        return _operated(any_case(entity), patch)
    raise InvalidInput("A patch is an array of operations, or an object of the fields to change.")


def _merged(before: Body, patch: Mapping[str, Any]) -> Body:
    touched = {}
    for name, value in any_case(patch).items():
        if name not in before:
            continue
        if isinstance(value, Mapping):
            held = any_case(before[name]) if isinstance(before[name], Mapping) else {}
            value = held | any_case(value)
        touched[name] = value
    return touched


def _operated(before: Body, operations: Sequence[Any]) -> Body:
    after, touched = dict(before), set()
    for place, operation in enumerate(operations):
        if not isinstance(operation, Mapping):
            raise InvalidInput("An operation is an object.", path=(place,))
        op, path = operation.get("op"), operation.get("path")
        if op not in ("add", "replace", "remove", "test"):
            raise InvalidInput("An operation is add, replace, remove or test.", path=(place,))
        if op != "remove" and "value" not in operation:
            raise InvalidInput(f"The operation {op} needs a value.", path=(place,))
        name, item = _parts(path, place)
        if op == "test":
            held = after.get(name, _MISSING)
            if item is not None:
                held = any_case(held).get(item, _MISSING) if isinstance(held, Mapping) else _MISSING
            if not _same(held, operation["value"]):
                raise Conflict(f"The test of {path} failed: it has another value.", path=(place,))
            continue
        if name not in after:
            raise InvalidInput(f"A chat session has no {path}.", path=(place,))
        touched.add(name)
        value = None if op == "remove" else operation["value"]
        if item is not None:
            held = any_case(after[name]) if isinstance(after[name], Mapping) else {}
            value = held | {item: value}
        after[name] = value
    return {name: after[name] for name in touched}


def _parts(path: object, place: int) -> tuple[str, str | None]:
    if not isinstance(path, str):
        raise InvalidInput("An operation needs a path.", path=(place,))
    parts = [part.replace("~1", "/").replace("~0", "~").lower() for part in path.removeprefix("/").split("/")]
    if len(parts) > 2:
        raise InvalidInput(f"There is nothing at {path}.", path=(place,))
    return parts[0], parts[1] if len(parts) == 2 else None


def _same(held: object, wanted: object) -> bool:
    """Whether two JSON values are equal; true is no 1."""
    if isinstance(held, Mapping) and isinstance(wanted, Mapping):
        one, other = any_case(held), any_case(wanted)
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(held, bool) or isinstance(wanted, bool):
        return held is wanted
    return held == wanted
