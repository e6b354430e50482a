"""Statements compiled once to a driver's own SQL, and the values that come back from the driver."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from app.core.clock import rfc3339
from app.storage.query import Query
from app.storage.tables import JsonText, JsonValue, Timestamp

Convert = Callable[[Any], Any]


class Statement:
    """A SELECT as driver text, with what its parameters are called and how each value is bound."""

    __slots__ = ("_binds", "sql")

    def __init__(self, select: sa.Select[Any] | sa.CompoundSelect[Any], dialect: Dialect) -> None:
        compiled = _compile(select, dialect)
        self.sql = str(compiled)
        binds: list[tuple[str, Convert | None, Any]] = []
        for name in compiled.positiontup or ():
            bind = compiled.binds.get(name)
            if bind is None:  # an item of a list that was written out; strings and numbers need no processing
                binds.append((name, None, compiled.params[name]))
                continue
            process = bind.type.dialect_impl(dialect).bind_processor(dialect)
            default = bind.effective_value
            binds.append((bind.key, process, default if default is None or process is None else process(default)))
        self._binds = tuple(binds)

    def query(self, values: Mapping[str, object]) -> Query:
        """The statement with these values bound; what `values` leaves out keeps the value it was built with."""
        return Query(
            self.sql,
            [
                default if name not in values else values[name] if process is None else process(values[name])
                for name, process, default in self._binds
            ],
        )


def _compile(select: sa.Select[Any] | sa.CompoundSelect[Any], dialect: Dialect) -> SQLCompiler:
    # Lists that are part of the SQL (`column.in_(("a", "b"))`) are written out here, which wants a value for every
    # parameter, so none of them may insist on having one yet.
    for element in visitors.iterate(select):
        if isinstance(element, sa.BindParameter):
            element.required = False
    return select.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})


def writer(type_: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """What turns a raw value of this type, never None, into what the answer's JSON holds; None for nothing to do."""
    if isinstance(type_, Timestamp):
        return None if dialect.name == "sqlite" else rfc3339
    if isinstance(type_, JsonText | JsonValue):
        return orjson.Fragment
    if isinstance(type_, sa.Boolean):
        return bool if dialect.name == "sqlite" else None
    return None


def reader(type_: TypeEngine[Any], dialect: Dialect) -> Convert:
    """What turns a raw value of this type into the Python value that rules compute with."""
    process = type_.dialect_impl(dialect).result_processor(dialect, None)
    if process is not None:
        return process
    return lambda value: value


def text_of(moment: Any) -> Any:
    """A computed value as the answer's JSON holds it: times as RFC 3339, everything else unchanged."""
    return rfc3339(moment) if isinstance(moment, datetime) else moment
