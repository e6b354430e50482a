"""Statements that are compiled once and run on the driver."""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import UpdateBase

MOST_VARIANTS = 256
"""How many sets of parameters one statement is kept compiled for: an UPDATE has as many as columns can differ."""

NO_PARAMETERS: Mapping[str, Any] = MappingProxyType({})

Parameters = Mapping[str, Any]


class Fixed:
    """A Core statement that is the same for every unit, but for its parameters: SQLAlchemy compiles it once.

    Rows can be read by position and by name. An INSERT and an UPDATE write the columns that the parameters name.
    Errors are SQLAlchemy's. Any thread may use it: two that compile the same at once do it twice."""

    __slots__ = ("_compiled", "_core")

    def __init__(self, core: sa.Select[Any] | UpdateBase) -> None:
        self._core = core
        self._compiled: dict[tuple[str, ...], _Compiled] = {}

    def rows(self, connection: sa.Connection, parameters: Parameters = NO_PARAMETERS) -> Sequence[Any]:
        """All rows of the result."""
        compiled = self._for(connection.dialect, parameters)
        cursor = _execute(connection, compiled.sql, compiled.arguments(parameters), many=False)
        return [compiled.row(row) for row in cursor.fetchall()]

    def run(self, connection: sa.Connection, parameters: Parameters = NO_PARAMETERS) -> int:
        """Write; how many rows were."""
        compiled = self._for(connection.dialect, parameters)
        return int(_execute(connection, compiled.sql, compiled.arguments(parameters), many=False).rowcount)

    def run_many(self, connection: sa.Connection, parameters: Sequence[Parameters]) -> None:
        """Write once for each set of parameters, which all have the same names."""
        if not parameters:
            return
        compiled = self._for(connection.dialect, parameters[0])
        arguments = [compiled.arguments(each) for each in parameters]
        if len(arguments) == 1:
            _execute(connection, compiled.sql, arguments[0], many=False)
        else:
            _execute(connection, compiled.sql, arguments, many=True)

    def _for(self, dialect: Dialect, parameters: Parameters) -> "_Compiled":
        key = (dialect.name, *parameters)
        compiled = self._compiled.get(key)
        if compiled is None:
            if len(self._compiled) >= MOST_VARIANTS:
                self._compiled.clear()
            compiled = self._compiled[key] = _Compiled(self._core, dialect, list(parameters))
        return compiled


class _Compiled:
    """A statement for one database and one set of parameters."""

    __slots__ = ("_binds", "row", "sql")

    def __init__(self, core: Any, dialect: Dialect, names: list[str]) -> None:
        # As for many rows: an INSERT then returns its key only where it says so.
        is_plain_insert = isinstance(core, sa.Insert) and not core.exported_columns
        compiled = core.compile(dialect=dialect, column_keys=names, for_executemany=is_plain_insert)
        if compiled.post_compile_params:
            raise RuntimeError(f"the SQL of a fixed statement depends on its parameters: {compiled}")
        self.sql = str(compiled)
        self._binds = [_bind(compiled.binds[name], dialect) for name in compiled.positiontup or ()]
        self.row = _row(list(core.exported_columns), dialect)

    def arguments(self, given: Parameters) -> list[Any]:
        """The values in the order of the SQL, as the driver takes them."""
        return [
            default
            if default is not _REQUIRED and name not in given
            else given[name]
            if process is None
            else process(given[name])
            for name, process, default in self._binds
        ]


_REQUIRED = object()


def _bind(bind: sa.BindParameter[Any], dialect: Dialect) -> tuple[str, Callable[[Any], Any] | None, Any]:
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        return bind.key, process, _REQUIRED
    value = bind.effective_value
    return bind.key, process, value if process is None else process(value)


def _row(columns: Sequence[sa.ColumnElement[Any]], dialect: Dialect) -> Callable[[Sequence[Any]], Any]:
    """What makes a row of the result out of the driver's."""
    named: Any = namedtuple  # whose fields have to be literal for a type checker
    row_type = named("Row", [column.key or "" for column in columns], rename=True)
    make: Callable[[Sequence[Any]], Any] = row_type._make
    readers = [
        (place, read)
        for place, column in enumerate(columns)
        if (read := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
    ]
    if not readers:
        return make

    def row(values: Sequence[Any]) -> Any:
        made = list(values)
        for place, read in readers:
            made[place] = read(made[place])
        return make(made)

    return row


def _execute(connection: sa.Connection, sql: str, arguments: Any, *, many: bool) -> Any:
    if not connection.in_transaction():
        connection.begin()
    cursor: Any = connection.connection.cursor()
    if connection._has_events or connection.engine._has_events:
        for observer in connection.dispatch.before_cursor_execute:
            observer(connection, cursor, sql, arguments, None, many)
    try:
        if many:
            cursor.executemany(sql, arguments)
        else:
            cursor.execute(sql, arguments)
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, connection.dialect.loaded_dbapi.Error):
            raise
        # SQLAlchemy's own way out: it knows which errors end the connection, and raises what it raises elsewhere.
        connection._handle_dbapi_exception(error, sql, None, cursor, None)
    return cursor
