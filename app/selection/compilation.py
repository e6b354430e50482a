"""One plan while it is compiled: objects, neighbours and edges."""

from collections.abc import Hashable, Iterable
from functools import partial
from typing import Any

import orjson
import sqlalchemy as sa

from app.core.clock import rfc3339
from app.core.sight import is_narrowed
from app.selection.catalogue import Catalogue
from app.selection.connection import Listing
from app.selection.edges import Block, Collect, OneEdge, of_caller
from app.selection.groups import Alone, Together, When
from app.selection.items import Items
from app.selection.joins import by_key
from app.selection.listing import compile_many
from app.selection.mapping import (
    Column,
    Computed,
    Embedded,
    FieldMap,
    HiddenFields,
    Id,
    Inline,
    InterfaceMap,
    Many,
    One,
    Permissions,
    Sql,
    TypeMap,
    granted,
)
from app.selection.scope import Builder, Detail, Source
from app.selection.shape import Fields, Make, Row, Run, chosen, nullable
from app.selection.sql import SqlCompiler, reader, text_of, writer
from app.selection.statement import Convert, Statement
from app.selection.stored import stored_places
from app.selection.tree import Children, Field
from app.storage.constructs import IntList, keys, unindexed_in
from app.storage.event_log import HEADS
from app.storage.query import Query


class Compilation:
    """What the parts of one plan share while they are compiled."""

    def __init__(
        self, catalogue: Catalogue, sql: SqlCompiler, permissions: Permissions, *, times_as_text: bool = False
    ) -> None:
        self._times_as_text = times_as_text
        self.catalogue = catalogue
        self.sql = sql
        self.dialect = sql.dialect
        self.permissions = permissions
        self.statements = 0
        self.personal = is_narrowed(permissions)
        self.heads: Query | None = None
        self.listings: list[Listing] = []
        self._edges = 0
        self._own_statements: dict[int, dict[Hashable, Statement]] = {}

    def edge_slot(self) -> int:
        self._edges += 1
        return self._edges

    def statement(self, select: sa.Select[Any]) -> Statement:
        return self.sql.statement(select)

    def statements_of(self, root: object) -> dict[Hashable, Statement]:
        """The statements that a root field's own steps have compiled. Fields of the same root share them."""
        return self._own_statements.setdefault(id(root), {})

    def read_heads(self) -> None:
        """Make the plan read the heads of the event log before anything else."""
        if self.heads is None:
            self.heads = HEADS
            self.statements += 1

    # ---- rows ----

    def source(self, builder: Builder, type_map: TypeMap | InterfaceMap, *, outer: bool = False) -> Source:
        """Start the builder with a type's rows."""
        table = (
            self.catalogue.base(type_map).table if isinstance(type_map, TypeMap) and type_map.base else type_map.table
        )
        alias = builder.alias(table)
        builder.start(alias)
        return self.over(Source(builder, alias, type_map), type_map, outer=outer)

    def over(self, source: Source, type_map: TypeMap | InterfaceMap, *, outer: bool) -> Source:
        """The type's scope over a source of its interface's rows, or of its own rows."""
        if isinstance(type_map, TypeMap) and type_map.base:
            detail = source.detail(type_map, outer=outer)
            detail.joined()
            return detail
        return source

    def visible(self, type_map: TypeMap | InterfaceMap, source: Source) -> Sql | bool:
        """The condition under which a row may be seen and is of the concrete type."""
        if isinstance(type_map, TypeMap) and type_map.base:
            base = self.catalogue.base(type_map)
            if not granted(self.permissions, type_map.requires):
                return False
            of_type: Sql = source.alias.c[base.discriminator] == type_map.value
            own = type_map.visible(self.permissions, source)
            part = base.narrows(self.permissions, source.base, type_map.value or "")
            if own is False or part is False:
                return False
            return sa.and_(of_type, *(each for each in (own, part) if not isinstance(each, bool)))
        if isinstance(type_map, TypeMap) and not granted(self.permissions, type_map.requires):
            return False
        return self.catalogue.visible(self.permissions, type_map, source)

    def table_map(self, name: str) -> TypeMap | InterfaceMap:
        """The mapping of a type with a table. Raises TypeError for any other."""
        if not isinstance(found := self.catalogue.maps[name], TypeMap | InterfaceMap):
            raise TypeError(f"{name} lies in no table")
        return found

    def rows(self, block: Block, source: Source, type_name: str, children: Children, when: When = None) -> Make:
        """The function from rows of this source to the objects of a selection on `type_name`."""
        found = self.catalogue.maps[type_name]
        if not isinstance(found, InterfaceMap):
            return self._object(block, source, type_name, children.get(type_name, ()), Alone(when))
        slot = source.builder.slot(source.alias.c[found.discriminator])
        extending = self.catalogue.extending(type_name)
        together = Together(slot, {each.value: children.get(each.name, ()) for each in extending})
        makes: dict[Any, Make] = {}
        for each in extending:
            detail = source.detail(each)
            makes[each.value] = self._object(
                block, detail, each.name, children.get(each.name, ()), together.of(each.value)
            )
        return chosen(slot, makes)

    def _object(self, block: Block, source: Source, type_name: str, fields: Iterable[Field], group: "Alone") -> Make:
        made = Fields()
        for field in fields:
            if field.name == "__typename":
                made.constant(field.key, type_name)
            else:
                self._field(made, block, source, type_name, field, group)
        if not source.builder.columns:
            source.builder.slot(source.c.id)
        return made.make()

    def _field(self, made: Fields, block: Block, source: Source, type_name: str, field: Field, group: "Alone") -> None:
        mapping = self.catalogue.field(type_name, field.name)
        if not self._sees(mapping):
            made.constant(field.key, None)
        elif isinstance(mapping, HiddenFields):
            made.constant(field.key, self._hidden(type_name))
        elif isinstance(mapping, Column):
            shared = self.catalogue.is_shared(type_name, field.name)
            slot, convert = self._column(source.base if shared else source, mapping)
            written = made.moment if convert is rfc3339 and not self._times_as_text else made.column
            written(field.key, slot, convert)
        elif isinstance(mapping, Id):
            made.id(field.key, source.builder.slot(mapping.sql(source)), mapping.prefix)
        else:
            # A field of the interface is compiled once for all the types that select it, over the interface's row.
            known = group.known(field, mapping)
            if known is None:
                shared = self.catalogue.is_shared(type_name, field.name)
                scope = source.base if shared else source
                known = self._fix(block, scope, mapping, field, group if shared else group.alone())
                if shared:
                    group.remember(field, mapping, known)
            made.fix(field.key, known)

    def _sees(self, mapping: FieldMap) -> bool:
        return granted(self.permissions, getattr(mapping, "requires", None))

    def _hidden(self, type_name: str) -> list[str]:
        names = self.catalogue.types[type_name].fields
        return sorted(name for name in names if not self._sees(self.catalogue.field(type_name, name)))

    def _column(self, source: Source, mapping: Column) -> tuple[int, Convert | None]:
        of = mapping.sql if mapping.seen is None else partial(mapping.seen, self.permissions)
        sql = source.expression(mapping, of)
        convert = writer(sql.type, self.dialect) if mapping.names is None else mapping.names.get
        return source.builder.slot(sql), convert

    def _fix(self, block: Block, source: Source, mapping: FieldMap, field: Field, group: "Alone") -> Make:
        if isinstance(mapping, One):
            return self._one(block, source, mapping, field, group.when(field))
        if isinstance(mapping, Many):
            return compile_many(self, block, source, mapping, field, group.when(field))
        if isinstance(mapping, Inline):
            make = self._object(
                block, source, mapping.type, (field.children or {}).get(mapping.type, ()), Alone(group.when(field))
            )
            return make if mapping.present is None else nullable(source.builder.slot(mapping.present(source)), make)
        if isinstance(mapping, Computed):
            return self._computed(block, source, mapping, field)
        if isinstance(mapping, Embedded):
            return self._embedded(block, source, mapping, field)
        raise TypeError(f"{type(mapping).__name__} is no mapping of a field")

    # ---- neighbours ----

    def _one(self, block: Block, source: Source, mapping: One, field: Field, when: When) -> Make:
        children = field.children or {}
        if mapping.of_caller is not None:
            self.personal = True
            return self.detached(block, mapping.type, children, *of_caller(mapping.of_caller))
        if mapping.sql is None:
            raise TypeError(f"{field.name} names no column to join by")
        target = self.table_map(mapping.type)
        builder = source.builder
        sql = mapping.sql(source)
        if builder.full:
            slot = builder.slot(sql)
            return self.detached(block, target.name, children, self.collect(slot, when), lambda row, run: row[slot])
        base = self.catalogue.base(target) if isinstance(target, TypeMap) and target.base else target
        alias = builder.alias(base.table)
        neighbour = Source(builder, alias, target)
        seen = True if mapping.inherits else self.visible(target, neighbour)
        if seen is False:
            return lambda row, run: None
        builder.join(alias, by_key(alias.c.id, sql, seen, self.dialect, distinct=mapping.distinct))
        scope = neighbour.detail(target) if isinstance(target, TypeMap) and target.base else neighbour
        return nullable(builder.slot(alias.c.id), self.rows(block, scope, target.name, children, when))

    def collect(self, slot: int, when: When) -> Collect:
        """The parent keys in a row: the value in this slot, if the row is of a type that selects the edge."""
        if when is None:
            return lambda row, run: () if row[slot] is None else (row[slot],)
        discriminator, values = when
        return lambda row, run: () if row[slot] is None or row[discriminator] not in values else (row[slot],)

    def one_edge(self, type_name: str, children: Children, collect: Collect) -> OneEdge:
        """Neighbours of many rows, read by a separate statement."""
        target = self.table_map(type_name)
        edge = OneEdge(self.edge_slot(), collect)
        builder = Builder(leading=1)
        source = self.source(builder, target)
        seen = self.visible(target, source)
        if seen is False:
            return edge
        edge.block.make = self.rows(edge.block, source, type_name, children)
        wanted = keys(sa.bindparam("keys", type_=IntList()))
        named = [column.label(f"c{index}") for index, column in enumerate(builder.columns)]
        select = sa.select(source.alias.c.id.label("key"), *named).select_from(builder.source())
        select = select.where(source.alias.c.id.in_(sa.select(wanted.c.key)))
        edge.statement = self.statement(select if seen is True else select.where(unindexed_in(seen, source.alias)))
        self.statements += 1
        if not edge.block.edges and isinstance(source, Detail) and isinstance(target, TypeMap):
            edge.kind, edge.places = target.value, stored_places(self.catalogue, self.permissions, target, source)
        return edge

    def detached(self, block: Block, type_name: str, children: Children, collect: Collect, key: Make) -> Make:
        edge = self.one_edge(type_name, children, collect)
        block.edges.append(edge)
        return lambda row, run: run.edges[edge.slot].get(key(row, run))

    def _computed(self, block: Block, source: Source, mapping: Computed, field: Field) -> Make:
        self.personal = self.personal or mapping.personal
        columns = [source.column(each) for each in mapping.columns]
        slots = [(source.builder.slot(column), reader(column.type, self.dialect)) for column in columns]
        fn = mapping.fn

        def value(row: Row, run: Run) -> Any:
            return fn(run.env, *[None if row[slot] is None else read(row[slot]) for slot, read in slots])

        return self._shaped(block, mapping.type, mapping.many, field, value)

    def _embedded(self, block: Block, source: Source, mapping: Embedded, field: Field) -> Make:
        slot = source.builder.slot(mapping.sql(source))

        def value(row: Row, run: Run) -> Any:
            return None if row[slot] is None else orjson.loads(row[slot])

        return self._shaped(block, mapping.type, mapping.many, field, value)

    def _shaped(self, block: Block, type_name: str | None, many: bool, field: Field, value: Make) -> Make:
        if type_name is None:
            return lambda row, run: text_of(value(row, run))

        def reach(row: Row, run: Run) -> Iterable[Any]:
            found = value(row, run)
            return () if found is None else found if many else (found,)

        make = Items(self, block).object(type_name, field.children or {}, reach)
        if many:
            return lambda row, run: [make(each, run) for each in value(row, run) or ()]

        def single(row: Row, run: Run) -> Any:
            found = value(row, run)
            return None if found is None else make(found, run)

        return single

    def item(self, type_name: str, children: Children) -> Block:
        """The block of a row that is given at run time as a mapping: a payload, or a value of a root's own steps."""
        block = Block()
        block.make = Items(self, block).object(type_name, children, lambda row, run: (row,))
        return block
