"""FROM clause and columns of one statement while it is compiled."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from app.core.errors import TooComplex
from app.selection.mapping import InterfaceMap, OfInterface, Sql, SqlOf, TypeMap
from app.storage.constructs import unindexed

MOST_JOINS = 40  # SQLite joins at most 64 tables; beyond this, a neighbour gets a statement of its own


@lru_cache(maxsize=512)
def _alias(table: sa.Table, number: int) -> FromClause:
    # SQLAlchemy copies a table's columns for each alias. That was most of a plan's time and memory, so plans share
    # aliases.
    return table.alias(f"t{number}")


class Builder:
    """Collects the joins and columns of a statement. A column that is selected twice is read once."""

    def __init__(self, leading: int = 0, first_alias: int = 0) -> None:
        self.columns: list[Sql] = []
        self._leading = leading  # columns that the statement puts before these
        self._slots: dict[object, int] = {}
        self._joins: list[tuple[FromClause, Sql, bool]] = []
        self._root: FromClause | None = None
        self._aliases = first_alias

    def alias(self, table: sa.Table) -> FromClause:
        """A new alias of the table."""
        self._aliases += 1
        return _alias(table, self._aliases)

    def start(self, source: FromClause) -> None:
        """Select from this; joins come after it."""
        self._root = source

    def join(self, source: FromClause, on: Sql, *, outer: bool = True) -> None:
        """Join one more row source. Raises TooComplex above 60 of them: SQLite joins 64 tables at most."""
        self._joins.append((source, on, outer))
        if len(self._joins) > 60:
            raise TooComplex(
                "This operation joins too many tables. Select fewer nested objects, or send several operations."
            )

    @property
    def full(self) -> bool:
        return len(self._joins) >= MOST_JOINS

    def slot(self, column: Sql) -> int:
        """The index of this column in each row."""
        known: object = (
            (column.table.name, column.name) if isinstance(column, sa.Column) and column.table is not None else column
        )
        index = self._slots.get(known)
        if index is None:
            index = self._slots[known] = self._leading + len(self.columns)
            self.columns.append(column)
        return index

    def source(self) -> FromClause:
        """The joined FROM element."""
        if self._root is None:
            raise RuntimeError("a statement needs a source to start from")
        joined: Any = self._root
        for source, on, outer in self._joins:
            joined = joined.join(source, on, isouter=outer)
        return joined  # type: ignore[no-any-return]

    def select(self) -> sa.Select[Any]:
        """A SELECT of the columns."""
        return self.select_from(self.source())

    def select_from(self, source: FromClause) -> sa.Select[Any]:
        """A SELECT of the columns, from a FROM element that contains `source()`."""
        named = [column.label(f"c{index}") for index, column in enumerate(self.columns)]
        return sa.select(*named).select_from(source)


class Columns:
    """`scope.c`: columns by name, of the type's own table or of the one it extends."""

    def __init__(self, find: Callable[[str], Sql | None], name: str) -> None:
        self._find = find
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = self._find(name)
        if found is None:
            raise AttributeError(f"{self._name} has no column {name}")
        return found

    def get(self, name: str) -> Sql | None:
        """The column with this name; None when there is none."""
        return self._find(name)


class Source:
    """A type's row source in a statement: its alias. If the type extends another, the extending row is joined when one
    of its columns is selected."""

    def __init__(self, builder: Builder, alias: FromClause, type_map: TypeMap | InterfaceMap | None) -> None:
        self.builder = builder
        self.alias = alias
        self.type_map = type_map
        self.c = Columns(self._find, type_map.name if type_map else str(alias))
        self._details: dict[str, Detail] = {}
        self._expressions: dict[int, tuple[object, Sql]] = {}

    @property
    def base(self) -> "Source":
        """The scope of the interface's row; for a type without an interface, the source itself."""
        return self

    def expression(self, mapping: object, sql: Callable[["Source"], Sql]) -> Sql:
        """A mapping's SQL over this row. It is the same object for all types that select it, so it is read once."""
        known = self._expressions.get(id(mapping))
        if known is None:  # kept with its mapping, so that the mapping's id() is not reused
            known = self._expressions[id(mapping)] = (mapping, sql(self))
        return known[1]

    def column(self, of: str | SqlOf | OfInterface) -> Sql:
        """A column by its name, or the result of a mapping's expression over this row."""
        if isinstance(of, str):
            return getattr(self.c, of)  # type: ignore[no-any-return]
        return self.base.expression(of, of.sql) if isinstance(of, OfInterface) else of(self)

    def detail(self, extending: TypeMap, *, outer: bool = True) -> "Detail":
        """The scope of a type that extends this one. Its table is joined by `id` at the first use."""
        known = self._details.get(extending.name)
        if known is None:
            known = self._details[extending.name] = Detail(self, extending, outer)
        return known

    def _find(self, name: str) -> Sql | None:
        return self.alias.c.get(name)


class Unindexed:
    """A row source whose columns SQLite's planner cannot use to find rows."""

    def __init__(self, source: Source) -> None:
        self.c = Columns(lambda name: _unindexed(source.c.get(name)), str(source.alias))


def _unindexed(column: Sql | None) -> Sql | None:
    return None if column is None else unindexed(column)


class Detail(Source):
    """The scope of a concrete type over its interface's row."""

    def __init__(self, base: Source, extending: TypeMap, outer: bool) -> None:
        self._base = base
        self._outer = outer
        self._joined: FromClause | None = None
        super().__init__(base.builder, base.alias, extending)
        self._table = extending.table

    def _find(self, name: str) -> Sql | None:
        own = self._table.c.get(name)
        if own is None or own.primary_key:
            return self._base.alias.c.get(name)
        return self.joined().c[name]

    @property
    def base(self) -> Source:
        return self._base

    def joined(self) -> FromClause:
        """The alias of the extending table, joined now if it was not yet."""
        if self._joined is None:
            self._joined = self.builder.alias(self._table)
            self.builder.join(self._joined, self._joined.c.id == self._base.alias.c.id, outer=self._outer)
        return self._joined
