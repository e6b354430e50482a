"""How a model's fields become columns and back, found once from the model's type hints."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

Convert = Callable[[Any], Any]


class FieldOfRow(NamedTuple):
    """A field that is a column of the same name. `read` and `write` convert what is not None; None: as it is."""

    name: str
    read: Convert | None
    write: Convert | None


def fields_of_row(model: type[Any], columns: Iterable[str]) -> tuple[FieldOfRow, ...]:
    """The model's fields that are among the columns, in the columns' order."""
    hints = get_type_hints(model)
    known = {field.name for field in fields(model)}
    return tuple(FieldOfRow(name, *_converters(hints[name])) for name in columns if name in known)


def read_row(row: Iterable[Any], wanted: Iterable[FieldOfRow]) -> dict[str, Any]:
    """The model's arguments out of the row's values, which come in the same order."""
    return {
        name: value if read is None or value is None else read(value)
        for value, (name, read, _) in zip(row, wanted, strict=True)
    }


def written(model: Any, wanted: Iterable[FieldOfRow]) -> dict[str, Any]:
    """The column values of the model."""
    found = {}
    for name, _, write in wanted:
        value = getattr(model, name)
        found[name] = value if write is None or value is None else write(value)
    return found


def differing(before: Any, after: Any, wanted: Iterable[FieldOfRow]) -> dict[str, Any]:
    """The column values of `after` that `before` does not have."""
    found = {}
    for name, _, write in wanted:
        value = getattr(after, name)
        if value != getattr(before, name):
            found[name] = value if write is None or value is None else write(value)
    return found


def _converters(hint: Any) -> tuple[Convert | None, Convert | None]:
    if get_origin(hint) in (Union, UnionType):
        inner = [each for each in get_args(hint) if each is not NoneType]
        return _converters(inner[0]) if len(inner) == 1 else (None, None)
    if get_origin(hint) is tuple:
        item = _converters(get_args(hint)[0])[0]
        return (tuple if item is None else lambda values: tuple(map(item, values))), list
    if get_origin(hint) is None and isinstance(hint, type) and issubclass(hint, Enum):
        return hint, _value
    return None, None


def _value(member: Enum) -> Any:
    return member.value
