"""Rows that many tests begin with: made once for each kind of database, and written as they were from then on."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.util import await_

from app.core.events import EventRecord
from app.storage.work import Work
from tests.conftest import CountingIds

T = TypeVar("T")
F = TypeVar("F", bound=Any)

# Not the tables of the text search, which triggers keep.
_SQLITE_TABLES = """
SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'
AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'message_search%'
"""
_SQLITE_COLUMNS = "SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden = 0"
# What a partition holds is read, and written, as of the whole table.
_POSTGRESQL_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
_POSTGRESQL_COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = '"{table}"'::regclass
AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_COUNTERS = ("chat_number", "conversation_counter", "lane")
"""Tables in which migrations put a row that a filling may change."""
_OF_OTHERS = ("chore", "lease")
"""Tables in which an application writes beside a filling."""
_MOST = 8
"""Circumstances that are remembered of a function."""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"


@dataclass(frozen=True)
class _Filling:
    """What a filling gave, and what it left behind: ids, events, rows."""

    given: Any
    before: tuple[Any, ...]
    ids: Any
    events: Sequence[EventRecord]
    rows: "_Rows"


@dataclass(frozen=True)
class _Rows:
    """Statements with their arguments, and for PostgreSQL one text of all."""

    statements: Sequence[tuple[str, Sequence[tuple[Any, ...]]]] = ()
    script: str = ""


def remembered(fill: Callable[[Work], T]) -> Callable[[Work], T]:
    """The function, which runs once in like circumstances and writes the same rows from then on.

    It has to fill a database that is as migrated, and to depend on nothing but its unit's clock, ids and settings."""
    known: list[_Filling] = []

    @wraps(fill)
    def write(work: Work) -> T:
        if not isinstance(work.ids, CountingIds) or work.events:
            return fill(work)
        before = _circumstances(work)
        found = next((each for each in known if each.before == before), None)
        if found is None:
            found = _watch(fill, work, before)
            known.append(found)
            del known[:-_MOST]
        else:
            _write(work, found)
        given: T = deepcopy(found.given)
        return given

    return write


def remembered_graph(fill: Callable[[Any], Awaitable[F]]) -> Callable[[Any], Awaitable[F]]:
    """The same for a function that fills a graph without an application beside it, by as many commands as it likes.

    What it gives has the attribute `graph`; the clock stands afterwards where the function left it."""
    known: list[tuple[_Filling, Any]] = []

    @wraps(fill)
    async def write(graph: Any) -> F:
        run = graph.database.command
        before = await run(_circumstances)
        found = next((each for each in known if each[0].before == before), None)
        if found is None:
            tables, sequences = await run(_held)
            given = await fill(graph)
            rows, ids = await run(_made_since, tables, sequences)
            filling = _Filling(deepcopy(replace(given, graph=None)), before, ids, (), rows)
            known.append((filling, graph.clock.now))
            del known[:-_MOST]
            return given
        filling, graph.clock.now = found
        await run(_write, filling)
        again: F = replace(deepcopy(filling.given), graph=graph)
        return again

    return write


def _held(work: Work) -> "tuple[_Tables, Mapping[str, int]]":
    return _tables(work.connection, ()), _sequences(work.connection)


def _made_since(work: Work, tables: "_Tables", sequences: Mapping[str, int]) -> "tuple[_Rows, Any]":
    return _new(work, tables, sequences, ()), _ids(work).state()


def _circumstances(work: Work) -> tuple[Any, ...]:
    settings = work.settings.model_copy(update={"database_url": ""})
    return work.dialect_name, work.now, _ids(work).state(), tuple(work.kinds), settings


def _ids(work: Work) -> CountingIds:
    return cast("CountingIds", work.ids)


def _watch(fill: Callable[[Work], Any], work: Work, before: tuple[Any, ...]) -> _Filling:
    assert not work.events
    tables_before, sequences_before = _tables(work.connection, _OF_OTHERS), _sequences(work.connection)
    given = deepcopy(fill(work))
    rows = _new(work, tables_before, sequences_before, _OF_OTHERS)
    return _Filling(given, before, _ids(work).state(), tuple(work.events), rows)


def _new(work: Work, tables_before: "_Tables", sequences_before: Mapping[str, int], of_others: Sequence[str]) -> _Rows:
    """The rows that there were not before."""
    new = {}
    for table, (columns, rows) in _tables(work.connection, of_others).items():
        old = set(tables_before[table][1])
        assert not old or old == set(rows) or table in _COUNTERS, f"{table} is not as migrated"
        if old != set(rows):
            new[table] = columns, rows, bool(old)
    sequences = {
        name: value for name, value in _sequences(work.connection).items() if sequences_before.get(name) != value
    }
    make = _sqlite_rows if work.dialect_name == "sqlite" else _postgresql_rows
    return make(new, sequences)


def _write(work: Work, filling: _Filling) -> None:
    _ids(work).go_on_from(filling.ids)
    work.events.extend(filling.events)
    driver: Any = work.connection.connection.driver_connection
    if work.dialect_name == "sqlite":
        driver.execute("PRAGMA defer_foreign_keys = ON")
        for sql, rows in filling.rows.statements:
            driver.executemany(sql, rows)
    else:
        # Rows come in any order; and it begins the transaction.
        work.connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        await_(driver.execute(filling.rows.script))
        work.connection.exec_driver_sql("SET LOCAL session_replication_role = origin")


_New = Mapping[str, tuple[Sequence[str], Sequence[tuple[Any, ...]], bool]]
"""The columns and the rows of the tables that changed, and whether there were rows before."""


def _sqlite_rows(new: _New, _sequences: Mapping[str, int]) -> _Rows:
    statements: list[tuple[str, Sequence[tuple[Any, ...]]]] = []
    for table, (columns, rows, had_rows) in new.items():
        if had_rows:
            statements.append((f'DELETE FROM "{table}"', [()]))
        values = ", ".join("?" * len(columns))
        statements.append((f'INSERT INTO "{table}" ({_listed(columns)}) VALUES ({values})', rows))
    return _Rows(statements)


def _postgresql_rows(new: _New, sequences: Mapping[str, int]) -> _Rows:
    texts = []
    for table, (columns, rows, had_rows) in new.items():
        if had_rows:
            texts.append(f'DELETE FROM public."{table}"')
        values = ", ".join(f"({', '.join(row)})" for row in rows)
        texts.append(f'INSERT INTO public."{table}" ({_listed(columns)}) OVERRIDING SYSTEM VALUE VALUES {values}')
    texts += [f"SELECT setval('public.{name}', {value})" for name, value in sequences.items()]
    return _Rows(script=";".join(texts))


_Tables = Mapping[str, tuple[Sequence[str], Sequence[tuple[Any, ...]]]]


def _tables(connection: sa.Connection, of_others: Sequence[str]) -> _Tables:
    """The columns and the rows of every table: values in SQLite, literals of PostgreSQL."""
    is_sqlite = connection.dialect.name == "sqlite"
    found = {}
    names = _column(connection, _SQLITE_TABLES if is_sqlite else _POSTGRESQL_TABLES)
    for table in (name for name in names if name not in of_others):
        columns = _column(connection, (_SQLITE_COLUMNS if is_sqlite else _POSTGRESQL_COLUMNS).format(table=table))
        wanted = [f'"{name}"' if is_sqlite else f'quote_nullable("{name}"::text)' for name in columns]
        rows = connection.exec_driver_sql(f'SELECT {", ".join(wanted)} FROM "{table}"')
        found[table] = columns, [tuple(row) for row in rows]
    return found


def _sequences(connection: sa.Connection) -> Mapping[str, int]:
    if connection.dialect.name == "sqlite":
        return {}  # there the largest id makes the next one
    return {row[0]: row[1] for row in connection.exec_driver_sql(_SEQUENCES)}


def _column(connection: sa.Connection, sql: str) -> Sequence[str]:
    return [row[0] for row in connection.exec_driver_sql(sql)]


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
