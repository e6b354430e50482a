"""The base of the kinds' repositories: common and own row as one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa

from app.interactions.holders import lost_holder_id
from app.interactions.model import Interaction
from app.interactions.repository.interactions import COLUMNS, COMMON, InteractionRepository, common_arguments
from app.interactions.repository.rows import (
    FieldOfRow,
    differing,
    fields_of_row,
    read_row,
    stored_columns,
    written,
)
from app.interactions.tables import interaction
from app.storage.fixed import Fixed
from app.storage.locking import LockingRead
from app.storage.repository import Repository
from app.storage.stored import Place, Stored

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures

_KEY: sa.BindParameter[int] = sa.bindparam("key")


class KindRepository(Repository, Generic[I]):
    """A subclass names its kind's table (primary key `id`) and model; columns and fields of one name belong together.

    `repeated` are common fields that the kind's table has too, for a constraint; they are written once and never read.
    `lists` are the kind's own lists that filters read, as model field -> `tag` or `topic`. `related` are fields of the
    model that other tables have: subclasses then join those in `source()`, as outer joins, for they are not locked.
    Fields that are neither come from `others()`."""

    table: ClassVar[sa.Table]
    model: ClassVar[type[Any]]
    repeated: ClassVar[tuple[str, ...]] = ()
    lists: ClassVar[Mapping[str, str]] = {}
    related: ClassVar[Mapping[str, sa.ColumnElement[Any]]] = {}

    _own: ClassVar[tuple[FieldOfRow, ...]]
    _new: ClassVar[tuple[FieldOfRow, ...]]
    _read: ClassVar[tuple[FieldOfRow, ...]]
    _has_others: ClassVar[bool]
    _stored: ClassVar[dict[str, Mapping[Place, Callable[[Any], Any]]]]
    _select: ClassVar[sa.Select[Any]]
    _by_id: ClassVar[LockingRead]
    _found: ClassVar[dict[tuple[str, ...], Fixed]]
    _insert: ClassVar[Fixed]
    _update: ClassVar[Fixed]

    def __init_subclass__(cls, **kw: Any) -> None:
        super().__init_subclass__(**kw)
        common = {field.name for field in fields(Interaction)}
        names = [name for name in cls.table.columns.keys() if name not in common]  # noqa: SIM118 - of a collection
        cls._own = fields_of_row(cls.model, names)
        cls._new = cls._own + fields_of_row(cls.model, cls.repeated)
        related = {**cls.related, "lost_holder_id": lost_holder_id(interaction)}
        cls._read = cls._own + fields_of_row(cls.model, related)
        rest = {field.name for field in fields(cls.model)} - common - {field.name for field in cls._read}
        cls._has_others = bool(rest)
        cls._stored = {}
        own = (cls.table.c[field.name] for field in cls._own)
        whole = sa.select(*COLUMNS, *own, *related.values()).select_from(cls.source())
        # Both rows: PostgreSQL reads again, after a wait, only the rows that it locks.
        locked = [interaction, cls.table]
        cls._select = whole.with_for_update(of=locked)
        cls._by_id = LockingRead(whole.where(interaction.c.id == _KEY), locked)
        cls._found = {}
        cls._insert = Fixed(sa.insert(cls.table))
        cls._update = Fixed(sa.update(cls.table).where(cls.table.c.id == _KEY))

    @classmethod
    def source(cls) -> sa.FromClause:
        """What `load` and `find` select from."""
        return interaction.join(cls.table, cls.table.c.id == interaction.c.id)

    def others(self, interaction_id: int) -> Mapping[str, Any]:
        """The values of the fields that no column of the one statement has."""
        raise NotImplementedError(f"{type(self).__name__} does not say where the rest of its model comes from")

    def load(self, interaction_id: int) -> I | None:
        """Lock and read one interaction of this kind."""
        return self._whole(self._by_id.row(self.connection, interaction_id))

    def find(self, **values: object) -> I | None:
        """Lock and read the interaction of this kind whose own columns have these values: there is at most one."""
        names = tuple(values)
        if names not in self._found:
            self._found[names] = Fixed(
                self._select.where(*(self.table.c[name] == sa.bindparam(name) for name in names))
            )
        return self._whole(self._one(self._found[names], values))

    def add(self, new: I) -> I:
        """Insert the common row, the kind's row and the rows of its lists; the same with its new id."""
        interactions = InteractionRepository(self.connection)
        stored = replace(new, id=interactions.add(new))
        self._insert.run(self.connection, {"id": stored.id, **written(stored, self._new)})
        interactions.write_lists(stored.id, [(name, (), getattr(stored, field)) for field, name in self.lists.items()])
        return stored

    def add_many(self, new: Sequence[I]) -> None:
        """Insert interactions that come with their ids, with their lists: a bulk load, without events."""
        interactions = InteractionRepository(self.connection)
        interactions.add_many(new)
        self._insert.run_many(self.connection, [{"id": each.id, **written(each, self._new)} for each in new])
        lists = {"labels": "label", **self.lists}
        interactions.add_tags(
            [(each.id, name, value) for each in new for field, name in lists.items() for value in getattr(each, field)]
        )

    def save(self, before: I, after: I) -> None:
        """Write the kind's own columns and lists that differ."""
        values = differing(before, after, self._own)
        if values:
            self._update.write(self.connection, {"key": after.id, **values})
        changes = [
            (name, getattr(before, field), getattr(after, field))
            for field, name in self.lists.items()
            if field in values
        ]
        InteractionRepository(self.connection).write_lists(after.id, changes)

    def stored(self, left: I) -> Stored:
        """The interaction as a unit has left it, column by column."""
        columns = self._stored.get(self.dialect_name)
        if columns is None:
            columns = self._stored[self.dialect_name] = {
                **stored_columns(interaction, COMMON, self.connection.dialect),
                **stored_columns(self.table, {field.name: field.value for field in self._own}, self.connection.dialect),
            }
        return Stored.keep(left.id, left, columns)

    def _whole(self, row: Sequence[Any] | None) -> I | None:
        if row is None:
            return None
        arguments = common_arguments(row)
        arguments.update(read_row(row[len(COLUMNS) :], self._read))
        if self._has_others:
            arguments.update(self.others(row[0]))
        whole: I = self.model(**arguments)
        return whole
