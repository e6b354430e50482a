"""SQL constructs that each database spells in its own way."""

from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import replacement_traverse
from sqlalchemy.types import TypeEngine

from app.storage.tables import JsonValue, Process

ListParameter = sa.BindParameter[Any] | Sequence[int] | Sequence[str]


def insert_into(dialect_name: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT with ON CONFLICT, which both databases spell alike."""
    return sqlite.insert(table) if dialect_name == "sqlite" else postgresql.insert(table)


class IntList(sa.types.TypeDecorator[Sequence[int]]):
    """A Python list of integers as one parameter: bigint[] on PostgreSQL, JSON text on SQLite."""

    impl = sa.Text
    cache_ok = True
    item: TypeEngine[Any] = sa.BigInteger()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return sa.Text() if dialect.name == "sqlite" else ARRAY(self.item)

    def bind_processor(self, dialect: Dialect) -> Process:
        return _json_list if dialect.name == "sqlite" else _plain_list


class TextList(IntList):
    """A Python list of strings as one parameter: text[] on PostgreSQL, JSON text on SQLite."""

    cache_ok = True
    item = sa.Text()


def _json_list(value: Sequence[object] | None) -> str | None:
    return None if value is None else orjson.dumps(list(value)).decode()


def _plain_list(value: Sequence[object] | None) -> list[object] | None:
    return None if value is None else list(value)


def _list_parameter(param: ListParameter, item: TypeEngine[Any]) -> sa.BindParameter[Any]:
    list_type = IntList() if isinstance(item, sa.Integer) else TextList()
    if isinstance(param, sa.BindParameter):
        known = isinstance(param.type, IntList)
        return param if known else sa.type_coerce(param, list_type)  # type: ignore[return-value]
    return sa.bindparam(None, list(param), type_=list_type, unique=True)


class _Condition(FunctionElement[bool]):
    """A condition that is written as it is: SQLAlchemy would append `= 1`, which SQLite would compare for each row, and
    then look none up by an index."""

    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Condition":
        return self


class among(_Condition):  # noqa: N801 - reads as SQL
    """`among(column, param)`: the column's value is in the bound list. The SQL text is the same for any length."""

    inherit_cache = True
    name = "among"

    def __init__(self, column: sa.ColumnElement[Any], param: ListParameter) -> None:
        self.type = sa.Boolean()
        super().__init__(column, _list_parameter(param, column.type))


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, param = element.clauses
    return f"({compiler.process(column, **kw)} = ANY ({compiler.process(param, **kw)}))"


AMONG_ON_SQLITE = r"\((?P<among>\+{1,2}[\w.\"]+) IN \(SELECT value FROM json_each\(\?\)\)\)"
AMONG_ON_POSTGRESQL = r"\((?P<among>[\w.\"]+) = ANY \(\$(?P<listed>[0-9]+)::BIGINT\[\]\)\)"
"""What `among` is for a plain column, as a regular expression."""


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, param = element.clauses
    # `+` as in `unindexed`: from a bound list, SQLite cannot estimate how many rows match.
    return f"(+{compiler.process(column, **kw)} IN (SELECT value FROM json_each({compiler.process(param, **kw)})))"


class among_keys(among):  # noqa: N801 - reads as SQL
    """As `among`, where rows are looked up by an index of the column, one for each value of the list."""

    inherit_cache = True
    name = "among_keys"


@compiles(among_keys, "sqlite")
def _among_keys_sqlite(element: among_keys, compiler: SQLCompiler, **kw: Any) -> str:
    column, param = element.clauses
    return f"({compiler.process(column, **kw)} IN (SELECT value FROM json_each({compiler.process(param, **kw)})))"


def constant(text: str) -> sa.ColumnElement[str]:
    """A text of ours as a constant of the SQL. It is not escaped: never what a client sent."""
    return sa.literal_column(f"'{text}'", sa.Text)


class is_any(_Condition):  # noqa: N801 - reads as SQL
    """`is_any(column, texts)`: the column is one of these few texts, which are constants of the SQL; an index on it may
    not be used.

    On SQLite each is compared in turn: `IN` would build a table of them at each run."""

    inherit_cache = True
    name = "is_any"

    def __init__(self, column: sa.ColumnElement[Any], texts: Sequence[str]) -> None:
        self.type = sa.Boolean()
        super().__init__(unindexed(column), *(constant(text) for text in texts))


@compiles(is_any, "postgresql")
def _is_any_postgresql(element: is_any, compiler: SQLCompiler, **kw: Any) -> str:
    column, *texts = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({column} IN ({', '.join(texts)}))"


@compiles(is_any, "sqlite")
def _is_any_sqlite(element: is_any, compiler: SQLCompiler, **kw: Any) -> str:
    column, *texts = element.clauses
    # The column anew each time: it may have parameters, which SQLite takes in their order.
    each = (f"{compiler.process(column, **kw)} = {compiler.process(text, **kw)}" for text in texts)
    return f"({' OR '.join(each)})"


class unindexed(FunctionElement[Any]):  # noqa: N801 - reads as SQL
    """`unindexed(column)`: the column, but SQLite's planner may not use an index on it.

    SQLite has no histogram of these columns. This keeps it on the index that gives the order."""

    inherit_cache = True
    name = "unindexed"

    def __init__(self, column: sa.ColumnElement[Any]) -> None:
        self.type = column.type
        super().__init__(column)


@compiles(unindexed, "postgresql")
def _unindexed_postgresql(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(unindexed, "sqlite")
def _unindexed_sqlite(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


class among_few(_Condition):  # noqa: N801 - reads as SQL
    """`among_few(key, select)`: the key is one of those that the SELECT returns, a few thousand at most.

    Rows are looked up by this key, in any order of the result. PostgreSQL finds the keys before it plans the rest."""

    inherit_cache = True
    name = "among_few"

    def __init__(self, key: sa.ColumnElement[Any], select: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
        self.type = sa.Boolean()
        super().__init__(key, select.scalar_subquery())


@compiles(among_few, "postgresql")
def _among_few_postgresql(element: among_few, compiler: SQLCompiler, **kw: Any) -> str:
    key, select = element.clauses
    return f"({compiler.process(key, **kw)} = ANY (ARRAY{compiler.process(select, **kw)}))"


@compiles(among_few, "sqlite")
def _among_few_sqlite(element: among_few, compiler: SQLCompiler, **kw: Any) -> str:
    key, select = element.clauses
    return f"({compiler.process(key, **kw)} IN {compiler.process(select, **kw)})"


class json_rows(FunctionElement[Any]):  # noqa: N801 - reads as SQL
    """`json_rows(column, …)`: an aggregate of the rows as a JSON list of lists. Times and JSON values become text."""

    inherit_cache = True
    name = "json_rows"

    def __init__(self, *columns: sa.ColumnElement[Any]) -> None:
        self.type = JsonValue()
        super().__init__(*(c if isinstance(c.type, sa.Integer) else sa.cast(c, sa.Text) for c in columns))


@compiles(json_rows, "postgresql")
def _json_rows_postgresql(element: json_rows, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_agg(json_build_array({compiler.process(element.clauses, **kw)}))"


@compiles(json_rows, "sqlite")
def _json_rows_sqlite(element: json_rows, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **kw)}))"


class _Keys(FunctionElement[int]):
    inherit_cache = True
    name = "keys"


@compiles(_Keys, "postgresql")
def _keys_postgresql(element: _Keys, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(SELECT key FROM unnest({compiler.process(element.clauses, **kw)}) AS each(key))"


@compiles(_Keys, "sqlite")
def _keys_sqlite(element: _Keys, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(SELECT value AS key FROM json_each({compiler.process(element.clauses, **kw)}))"


def keys(param: ListParameter, name: str = "keys") -> sa.TableValuedAlias:
    """A FROM element of one bigint column, `keys(…).c.key`, with a row per number of the bound list."""
    return _Keys(_list_parameter(param, sa.BigInteger())).table_valued(sa.column("key", sa.BigInteger()), name=name)


class _Texts(FunctionElement[str]):
    inherit_cache = True
    name = "texts"


@compiles(_Texts, "postgresql")
def _texts_postgresql(element: _Texts, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(SELECT text FROM unnest({compiler.process(element.clauses, **kw)}::text[]) AS each(text))"


@compiles(_Texts, "sqlite")
def _texts_sqlite(element: _Texts, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(SELECT value AS text FROM json_each({compiler.process(element.clauses, **kw)}))"


def texts(param: ListParameter, name: str = "texts") -> sa.TableValuedAlias:
    """A FROM element of one text column, `texts(…).c.text`, with a row per string of the bound list."""
    return _Texts(_list_parameter(param, sa.Text())).table_valued(sa.column("text", sa.Text()), name=name)


class _Records(FunctionElement[Any]):
    inherit_cache = False
    name = "records"

    def __init__(self, param: sa.BindParameter[str], columns: Sequence[sa.Column[Any]]) -> None:
        self.columns_of = columns
        super().__init__(param)


@compiles(_Records, "postgresql")
def _records_postgresql(element: _Records, compiler: SQLCompiler, **kw: Any) -> str:
    columns = (f"{column.name} {column.type.compile(compiler.dialect)}" for column in element.columns_of)
    given = compiler.process(element.clauses, **kw)
    return f"(SELECT * FROM json_to_recordset({given}::json) AS each({', '.join(columns)}))"


@compiles(_Records, "sqlite")
def _records_sqlite(element: _Records, compiler: SQLCompiler, **kw: Any) -> str:
    columns = (f"json_extract(value, '$.{column.name}') AS {column.name}" for column in element.columns_of)
    return f"(SELECT {', '.join(columns)} FROM json_each({compiler.process(element.clauses, **kw)}))"


def records(param: str, *columns: sa.Column[Any]) -> sa.TableValuedAlias:
    """A FROM element of columns of these names and types, with a row per object of the parameter's JSON list."""
    given: sa.BindParameter[str] = sa.bindparam(param, type_=sa.Text)
    names = (sa.column(column.name, column.type) for column in columns)
    return _Records(given, columns).table_valued(*names, name=param)


def unindexed_in(condition: Any, table: sa.FromClause) -> Any:
    """A condition on rows that are read by their keys. SQLite cannot see that these are few, and would otherwise search
    among all rows of a kind."""
    columns = set(table.c)

    def plain(element: Any, **_: Any) -> Any:
        return unindexed(element) if isinstance(element, sa.ColumnElement) and element in columns else None

    return replacement_traverse(condition, {}, plain)
