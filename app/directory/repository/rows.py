"""Shared by the directory's repositories: rows to models, models to changed columns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import sqlalchemy as sa

from app.core.errors import DomainError
from app.core.telephone import Telephone, number_entries
from app.core.text import index_entries
from app.storage.constructs import insert_into
from app.storage.fixed import Fixed
from app.storage.repository import Repository


class Stored(Protocol):
    """A dataclass whose fields are named as its table's columns."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def id(self) -> int: ...


M = TypeVar("M", bound=Stored)


def pairs(stored: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A stored object of texts as a tuple of pairs, which models can compare and hash."""
    return tuple(stored.items())


class Rows(Repository, Generic[M]):
    """Rows of one table as models of one dataclass. `word_table` is given when they can be searched.

    `region` is the region of telephone numbers without a country, unless the row has one of its own."""

    model: type[M]
    rows: ClassVar[sa.Table]
    word_table: ClassVar[sa.Table | None] = None
    readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    writers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    region: str | None = None
    shares_key: ClassVar[bool] = False
    """Whether other units may write rows with a foreign key to a locked row."""

    _names: ClassVar[Sequence[str]]
    _found: ClassVar[dict[tuple[object, ...], Fixed]]

    def __init_subclass__(cls, **kw: Any) -> None:
        super().__init_subclass__(**kw)
        cls._names = [field.name for field in fields(cls.model)]
        cls._found = {}

    def get(self, number: int, *, for_update: bool = False) -> M | None:
        """The row with this surrogate, locked until the unit ends if it is going to change."""
        return self._find_by(for_update=for_update, id=number)

    def add(self, model: M) -> M:
        """Store a new row, and give the model its surrogate. Raises the error of `taken` when it is not unique."""
        values = self._values(model)
        with self._refusing(self.taken(model)):
            row = self._one(sa.insert(self.rows).values(values).returning(self.rows.c.id))
        assert row is not None
        stored = replace(model, id=row.id)
        self._index(stored)
        return stored

    def add_many(self, models: Sequence[M]) -> None:
        """Bulk-load rows that already have surrogates, with their search words."""
        if not models:
            return
        self.connection.execute(sa.insert(self.rows), [{"id": model.id, **self._values(model)} for model in models])
        if self.word_table is not None:
            entries = [{"owner_id": model.id, "word": entry} for model in models for entry in self._entries(model)]
            self.connection.execute(sa.insert(self.word_table), entries)

    def all(self, *, for_update: bool = False) -> Sequence[M]:
        """Every row, oldest first."""
        statement = sa.select(*self._columns()).order_by(self.rows.c.id)
        return [self._model(row) for row in self._all(statement.with_for_update() if for_update else statement)]

    def add_if_new(self, model: M) -> M | None:
        """As `add`, but returns None when another row has the unique value, and the unit goes on."""
        insert = insert_into(self.dialect_name, self.rows).values(self._values(model)).on_conflict_do_nothing()
        row = self._one(insert.returning(self.rows.c.id))
        if row is None:
            return None
        stored = replace(model, id=row.id)
        self._index(stored)
        return stored

    def save(self, before: M, after: M) -> None:
        """Write the columns that differ. Raises the error of `taken` when the new values are not unique."""
        old, new = self._values(before), self._values(after)
        changed = {name: value for name, value in new.items() if value != old[name]}
        if not changed:
            return
        with self._refusing(self.taken(after)):
            self.connection.execute(sa.update(self.rows).where(self.rows.c.id == after.id).values(changed))
        if self._entries(before) != self._entries(after):
            self._index(after)

    def remove(self, number: int) -> None:
        """Delete the row, and the rows that depend on it."""
        self.connection.execute(sa.delete(self.rows).where(self.rows.c.id == number))

    def taken(self, model: M) -> DomainError:
        """The error when another row has a unique value of the model."""
        raise NotImplementedError

    def _find(self, *clauses: sa.ColumnElement[bool], for_update: bool = False) -> M | None:
        statement = sa.select(*self._columns()).where(*clauses).limit(1)
        row = self._one(statement.with_for_update(key_share=self.shares_key) if for_update else statement)
        return None if row is None else self._model(row)

    def _find_by(self, *, for_update: bool = False, **values: object) -> M | None:
        """The row whose columns have these values, none of which is None."""
        names = (for_update, *values)
        if names not in self._found:
            of = self.rows.c
            found = sa.select(*self._columns()).where(*(of[name] == sa.bindparam(name) for name in values)).limit(1)
            self._found[names] = Fixed(found.with_for_update(key_share=self.shares_key) if for_update else found)
        row = self._one(self._found[names], values)
        return None if row is None else self._model(row)

    def _columns(self) -> list[sa.Column[Any]]:
        return [self.rows.c[name] for name in self._names]

    def _model(self, row: Sequence[Any]) -> M:
        values = dict(zip(self._names, row, strict=True))
        for name, read in self.readers.items():
            if values[name] is not None:
                values[name] = read(values[name])
        return self.model(**values)

    def _values(self, model: M) -> dict[str, Any]:
        values = {field.name: getattr(model, field.name) for field in fields(model) if field.name != "id"}
        for name, write in self.writers.items():
            if values[name] is not None:
                values[name] = write(values[name])
        return values

    def _entries(self, model: M) -> list[str]:
        searchable: Callable[[], Iterable[str | None]] | None = getattr(model, "searchable", None)
        if searchable is None:
            return []
        telephones: Callable[[], Iterable[Telephone]] = getattr(model, "telephones", tuple)
        numbers = [entry for each in telephones() for entry in number_entries(each.number, each.region or self.region)]
        return list(dict.fromkeys([*index_entries(*searchable()), *numbers]))

    def _index(self, model: M) -> None:
        if self.word_table is None:
            return
        words = self.word_table
        self.connection.execute(sa.delete(words).where(words.c.owner_id == model.id))
        entries = [{"owner_id": model.id, "word": entry} for entry in self._entries(model)]
        self.connection.execute(sa.insert(words), entries)
