"""Maps the fields of models to columns, by their type hints."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import sqlalchemy as sa

from app.storage.stored import Place

Convert = Callable[[Any], Any]


class FieldOfRow(NamedTuple):
    """A field that is a column of the same name. `read` and `write` convert what is not None; None: as it is."""

    name: str
    read: Convert | None
    write: Convert | None

    def value(self, model: Any) -> Any:
        """What the column holds of the model."""
        found = getattr(model, self.name)
        return found if self.write is None or found is None else self.write(found)


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
    return {field.name: field.value(model) for field in wanted}


def differing(before: Any, after: Any, wanted: Iterable[FieldOfRow]) -> dict[str, Any]:
    """The column values of `after` that `before` does not have."""
    found = {}
    for name, _, write in wanted:
        value = getattr(after, name)
        if value != getattr(before, name):
            found[name] = value if write is None or value is None else write(value)
    return found


def stored_columns(
    table: sa.Table, values: Mapping[str, Convert], dialect: sa.Dialect
) -> dict[Place, Callable[[Any], Any]]:
    """What each column holds of a model as the driver gives it, from what each column is written with."""
    found = {}
    for name, value in values.items():
        process = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        found[table.name, name] = value if process is None else _processed(process, value)
    return found


def _processed(process: Convert, value: Convert) -> Convert:
    return lambda model: process(value(model))


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
