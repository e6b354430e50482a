"""Statements that are compiled once and run on the driver."""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import UpdateBase

from app.storage.deferring import DeferringConnection, Write

MOST_VARIANTS = 256
"""How many sets of parameters one statement stays compiled for. An UPDATE has one set per combination of columns."""

NO_PARAMETERS: Mapping[str, Any] = MappingProxyType({})

Parameters = Mapping[str, Any]


class Fixed:
    """A Core statement that only differs in its parameters from unit to unit, so SQLAlchemy compiles it once.

    Rows can be read by position and by name. INSERT and UPDATE write the columns that the parameters name. Errors are
    SQLAlchemy's. It is safe to use in several threads: at worst two threads compile the same statement."""

    __slots__ = ("_compiled", "_core")

    def __init__(self, core: sa.Select[Any] | UpdateBase) -> None:
        self._core = core
        self._compiled: dict[tuple[str, ...], _Compiled] = {}

    def rows(self, connection: sa.Connection, parameters: Parameters = NO_PARAMETERS) -> Sequence[Any]:
        """All rows of the result."""
        compiled = self.compiled(connection.dialect, parameters)
        arguments = compiled.arguments(parameters)
        if isinstance(connection, DeferringConnection):
            found = connection.rows(compiled.sql, arguments)
        else:
            found = _execute(connection, compiled.sql, arguments, many=False).fetchall()
        return [compiled.row(row) for row in found]

    def run(self, connection: sa.Connection, parameters: Parameters = NO_PARAMETERS) -> int:
        """Write; returns the number of rows written."""
        compiled = self.compiled(connection.dialect, parameters)
        arguments = compiled.arguments(parameters)
        if isinstance(connection, DeferringConnection):
            return connection.run(compiled.sql, arguments)
        return int(_execute(connection, compiled.sql, arguments, many=False).rowcount)

    def run_many(self, connection: sa.Connection, parameters: Sequence[Parameters]) -> None:
        """Write once for each set of parameters. All sets have the same names."""
        if not parameters:
            return
        compiled = self.compiled(connection.dialect, parameters[0])
        arguments = [compiled.arguments(each) for each in parameters]
        if isinstance(connection, DeferringConnection):
            connection.run_many(compiled.sql, arguments)
        elif len(arguments) == 1:
            _execute(connection, compiled.sql, arguments[0], many=False)
        else:
            _execute(connection, compiled.sql, arguments, many=True)

    def write(self, connection: sa.Connection, parameters: Parameters) -> None:
        """Write, at the latest with the unit's next statement or at the unit's end. A constraint violation is raised
        then."""
        write_together(connection, [(self, parameters)])

    def compiled(self, dialect: Dialect, parameters: Parameters) -> "_Compiled":
        """The statement compiled for one database and for parameters of these names."""
        key = (dialect.name, *parameters)
        compiled = self._compiled.get(key)
        if compiled is None:
            if len(self._compiled) >= MOST_VARIANTS:
                self._compiled.clear()
            compiled = self._compiled[key] = _Compiled(self._core, dialect, list(parameters))
        return compiled


def write_together(connection: sa.Connection, writes: Sequence[tuple[Fixed, Parameters]]) -> None:
    """`Fixed.write` for several statements. No two of them may write the same row."""
    if not isinstance(connection, DeferringConnection):
        for statement, parameters in writes:
            statement.run(connection, parameters)
        return
    found = []
    for statement, parameters in writes:
        compiled = statement.compiled(connection.dialect, parameters)
        found.append(Write(compiled.table, compiled.sql, compiled.arguments(parameters), compiled.named))
    connection.defer(found)


class _Compiled:
    """A statement for one database and one set of parameters."""

    __slots__ = ("_binds", "named", "row", "sql", "table")

    def __init__(self, core: Any, dialect: Dialect, names: list[str]) -> None:
        # Compiled as for many rows: an INSERT then returns its key only when the statement says so.
        is_plain_insert = isinstance(core, sa.Insert) and not core.exported_columns
        compiled = core.compile(dialect=dialect, column_keys=names, for_executemany=is_plain_insert)
        if compiled.post_compile_params:
            raise RuntimeError(f"the SQL of a fixed statement depends on its parameters: {compiled}")
        self.sql = str(compiled)
        self.table = str(core.table) if isinstance(core, UpdateBase) else ""
        places = compiled.positiontup or ()
        self._binds = [_bind(compiled.binds[name], dialect) for name in places]
        self.named = tuple(_named(core.table, places, dialect)) if isinstance(core, UpdateBase) else ()
        self.row = _row(list(core.exported_columns), dialect)

    def arguments(self, given: Parameters) -> list[Any]:
        """The values in the order of the SQL, converted for the driver."""
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


def _named(table: Any, places: Sequence[str], dialect: Dialect) -> Iterator[str]:
    """The SELECTs of the rows that the written row refers to by a foreign key."""
    for number, name in enumerate(places, start=1):
        column = table.columns.get(name)
        for key in () if column is None else sorted(column.foreign_keys, key=lambda each: each.target_fullname):
            target = key.column
            given = f"${number}::{target.type.compile(dialect)}"
            yield f"SELECT 1 FROM {target.table.name} WHERE {target.name} = {given}"


def _row(columns: Sequence[sa.ColumnElement[Any]], dialect: Dialect) -> Callable[[Sequence[Any]], Any]:
    """A function that makes a result row from the driver's row."""
    named: Any = namedtuple  # a type checker wants the fields to be literals
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
    observe(connection, sql, arguments, many=many)
    try:
        if many:
            cursor.executemany(sql, arguments)
        else:
            cursor.execute(sql, arguments)
    except BaseException as error:
        failed(connection, sql, error)
    return cursor


def observe(connection: sa.Connection, sql: str, arguments: Any, *, many: bool = False) -> None:
    """Report a statement that bypasses SQLAlchemy to the listeners of SQLAlchemy's executions."""
    if connection._has_events or connection.engine._has_events:
        for observer in connection.dispatch.before_cursor_execute:
            observer(connection, None, sql, arguments, None, many)


def failed(connection: sa.Connection, sql: str, error: BaseException) -> NoReturn:
    """Raise a driver's error as SQLAlchemy would."""
    if isinstance(error, Exception) and not isinstance(error, connection.dialect.loaded_dbapi.Error):
        raise error
    # SQLAlchemy's own function: it knows which errors end the connection, and raises the usual classes.
    connection._handle_dbapi_exception(error, sql, None, None, None)
