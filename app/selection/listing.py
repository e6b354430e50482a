"""Compiles the connections: a root field's list, and an edge's lists of all parents in one statement."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.selection.connection import MOST_COUNTED, Connection, Listing, ManyEdge, Part, Rows, Variant
from app.selection.edges import Block
from app.selection.mapping import InterfaceMap, Many, Owned, RootMany, Sql, TypeMap
from app.selection.scope import Builder, Source
from app.selection.shape import Make
from app.selection.sql import Statement, writer
from app.selection.tree import Children, Field
from app.storage.constructs import IntList, keys

if TYPE_CHECKING:
    from app.selection.compilation import Compilation
    from app.selection.groups import When


class Lister:
    """One connection while it is compiled: where its rows come from, and the statement of each variant."""

    def __init__(
        self, compilation: "Compilation", mapping: Many | RootMany, field: Field, *, leading: int, name: str
    ) -> None:
        self.compilation = compilation
        self.mapping = mapping
        self.type_map: TypeMap | InterfaceMap = compilation.table_map(mapping.type)
        self.builder = Builder(leading)
        self.source = compilation.source(self.builder, self.type_map)
        self.seen: Sql | bool = (
            True if isinstance(mapping, Many) and mapping.inherits else compilation.visible(self.type_map, self.source)
        )
        self.listing = Listing(name, mapping.orders, mapping.default_order, mapping.filters, field.arguments)
        compilation.listings.append(self.listing)
        self.connection = Connection(self.listing)
        self._parts(field.children or {})

    def _parts(self, children: Children) -> None:
        ((type_name, fields),) = children.items()
        paged = self.connection
        for field in fields:
            paged.parts.append((field.key, self._part(field, type_name)))
        if paged.rows_needed:
            for name, order in self.mapping.orders.items():
                columns = order.by(self.source)
                paged.order_slots[name] = tuple(self.builder.slot(column) for column in columns)
                paged.write[name] = tuple(writer(column.type, self.compilation.dialect) for column in columns)
                self.listing.cursor_types[name] = tuple(column.type for column in columns)
            self.compilation.statements += 1
        else:
            for name, order in self.mapping.orders.items():
                self.listing.cursor_types[name] = tuple(column.type for column in order.by(self.source))
        if paged.counted:
            self.compilation.statements += 1

    def _part(self, field: Field, type_name: str) -> Part:
        paged = self.connection
        match field.name:
            case "__typename":
                return lambda page, run: type_name
            case "edges":
                paged.rows_needed = True
                return self._edges(field)
            case "nodes":
                paged.rows_needed = True
                index = self._node(field.children or {})
                return lambda page, run: list(page.nodes[index])
            case "pageInfo":
                paged.rows_needed = True
                return self._page_info(field)
            case "totalCount":
                paged.counted = True
                return lambda page, run: min(page.total or 0, MOST_COUNTED)
            case "totalCountIsCapped":
                paged.counted = True
                return lambda page, run: (page.total or 0) > MOST_COUNTED
            case "cursor":
                self.compilation.read_heads()
                return lambda page, run: run.head
            case _:
                raise TypeError(f"a connection has no field {field.name}")

    def _node(self, children: Children) -> int:
        block = Block()
        if self.seen is not False:  # of a list without rows nothing is compiled
            block.make = self.compilation.rows(block, self.source, self.mapping.type, children)
        self.connection.nodes.append(block)
        return len(self.connection.nodes) - 1

    def _edges(self, field: Field) -> Part:
        paged = self.connection
        ((edge_type, fields),) = (field.children or {}).items()
        parts: list[tuple[str, Any]] = []
        for each in fields:
            if each.name == "cursor":
                parts.append((each.key, lambda page, i: paged.row_cursor(page.rows[i], page.asked.variant[0])))
            elif each.name == "__typename":
                parts.append((each.key, lambda page, i: edge_type))
            else:
                parts.append((each.key, _node_at(self._node(each.children or {}))))
        return lambda page, run: [{key: part(page, i) for key, part in parts} for i in range(len(page.rows))]

    def _page_info(self, field: Field) -> Part:
        paged = self.connection
        ((type_name, fields),) = (field.children or {}).items()

        def cursor(page: Rows, index: int) -> str | None:
            return paged.row_cursor(page.rows[index], page.asked.variant[0]) if page.rows else None

        values: dict[str, Callable[[Rows], Any]] = {
            "hasNextPage": lambda page: page.asked.page.cursor is not None if page.asked.page.backward else page.more,
            "hasPreviousPage": lambda page: (
                page.more if page.asked.page.backward else page.asked.page.cursor is not None
            ),
            "startCursor": lambda page: cursor(page, 0),
            "endCursor": lambda page: cursor(page, -1),
            "__typename": lambda page: type_name,
        }
        parts = [(each.key, values[each.name]) for each in fields]
        return lambda page, run: {key: part(page) for key, part in parts}

    # ---- statements ----

    def conditions(self, scope: Source, variant: Variant) -> list[Sql]:
        """The filters of a variant and the place of its cursor, over a scope."""
        order_name, backward, placed, filters = variant
        found: list[Sql] = []
        if self.mapping.where is not None:
            found.append(self.mapping.where(scope))
        for name, shape in filters:
            found.append(self.mapping.filters[name].clause(scope, _place_of(name), shape))
        if placed:
            order = self.mapping.orders[order_name]
            columns = order.by(scope)
            binds = [sa.bindparam(f"cursor_{index}", type_=column.type) for index, column in enumerate(columns)]
            here, there = (sa.tuple_(*columns), sa.tuple_(*binds)) if len(columns) > 1 else (columns[0], binds[0])
            found.append(here < there if order.descending != backward else here > there)
        return found

    def ordering(self, scope: Source, variant: Variant) -> list[Sql]:
        order = self.mapping.orders[variant[0]]
        downward = order.descending != variant[1]
        return [column.desc() if downward else column.asc() for column in order.by(scope)]

    def scope(self, builder: Builder, source: Source) -> Source:
        """The type's scope for conditions: the same row source, joining what it needs to this builder."""
        plain = Source(builder, source.alias, self.type_map)
        is_detail = isinstance(self.type_map, TypeMap) and self.type_map.base is not None
        return plain.detail(self.type_map, outer=False) if is_detail else plain  # type: ignore[arg-type]

    def page(self, variant: Variant) -> Statement:
        """The statement of a root field's page."""
        builder = self.builder.fork()
        scope = self.scope(builder, self.source)
        where = self.conditions(scope, variant)
        order = self.ordering(scope, variant)
        select = builder.select().where(*where).order_by(*order).limit(sa.bindparam("size", type_=sa.Integer))
        return self.compilation.statement(self._seen(select))

    def count(self, variant: Variant) -> Statement:
        """The statement that counts what a root field's list holds, up to the cap."""
        builder = Builder()
        source = self.compilation.source(builder, self.type_map)
        unplaced = (variant[0], variant[1], False, variant[3])
        where = self.conditions(source, unplaced)
        seen = self.compilation.visible(self.type_map, source)
        if seen is not True:
            where.append(seen)  # type: ignore[arg-type]
        one: sa.Select[Any] = sa.select(sa.literal_column("1").label("one")).select_from(builder.source()).where(*where)
        counted = one.limit(MOST_COUNTED + 1).subquery("counted")
        return self.compilation.statement(sa.select(sa.func.count()).select_from(counted))

    def _seen(self, select: sa.Select[Any]) -> sa.Select[Any]:
        return select if isinstance(self.seen, bool) else select.where(self.seen)

    def pages_of(self, by: Owned, variant: Variant) -> Statement:
        """The statement of an edge: a page for each parent key."""
        parents = keys(sa.bindparam("keys", type_=IntList()))
        if self.compilation.dialect.name == "sqlite":
            return self._correlated(by, variant, parents)
        builder = self.builder.fork()
        scope = self.scope(builder, self.source)
        where = [by(scope, parents.c.key), *self.conditions(scope, variant)]
        page = builder.select().where(*where).order_by(*self.ordering(scope, variant))
        each = self._seen(page).limit(sa.bindparam("size", type_=sa.Integer)).correlate(parents).lateral("page")
        return self.compilation.statement(sa.select(parents.c.key, *each.c).select_from(parents.join(each, sa.true())))

    def _correlated(self, by: Owned, variant: Variant, parents: Any) -> Statement:
        # SQLite has no LATERAL; a correlated list of ids reads an index as far as the page goes, a window reads all.
        inner = Builder()
        inner._aliases = 5000
        source = self.compilation.source(inner, self.type_map)
        where = [by(source, parents.c.key), *self.conditions(source, variant)]
        seen = True if isinstance(self.seen, bool) else self.compilation.visible(self.type_map, source)
        if not isinstance(seen, bool):
            where.append(seen)
        ids = (
            sa.select(source.alias.c.id)
            .select_from(inner.source())
            .where(*where)
            .order_by(*self.ordering(source, variant))
            .limit(sa.bindparam("size", type_=sa.Integer))
            .correlate(parents)
        )
        builder = self.builder.fork()
        columns = [column.label(f"c{index}") for index, column in enumerate(builder.columns)]
        joined = parents.join(builder.source(), self.source.alias.c.id.in_(ids))
        order = self.ordering(self.scope(builder, self.source), variant)
        return self.compilation.statement(sa.select(parents.c.key, *columns).select_from(joined).order_by(*order))

    def counts_of(self, by: Owned, variant: Variant) -> Statement:
        """The statement that counts an edge's rows for each parent key, up to the cap."""
        parents = keys(sa.bindparam("keys", type_=IntList()))
        builder = Builder()
        source = self.compilation.source(builder, self.type_map)
        where = [by(source, parents.c.key), *self.conditions(source, (variant[0], variant[1], False, variant[3]))]
        seen = True if isinstance(self.seen, bool) else self.compilation.visible(self.type_map, source)
        if not isinstance(seen, bool):
            where.append(seen)
        one: sa.Select[Any] = sa.select(sa.literal_column("1").label("one")).select_from(builder.source()).where(*where)
        counted = one.limit(MOST_COUNTED + 1).correlate(parents).subquery("counted")
        number = sa.select(sa.func.count()).select_from(counted).correlate(parents).scalar_subquery()
        return self.compilation.statement(sa.select(parents.c.key, number.label("number")))


def _place_of(name: str) -> Callable[[Any], sa.BindParameter[Any]]:
    return lambda type_: sa.bindparam(f"filter_{name}", type_=type_)


def _node_at(index: int) -> Callable[[Rows, int], Any]:
    return lambda page, i: page.nodes[index][i]


def compile_many(
    compilation: "Compilation", block: Block, source: Source, mapping: Many, field: Field, when: "When"
) -> Make:
    """A to-many edge of the rows of this source."""
    lister = Lister(compilation, mapping, field, leading=1, name=f"{mapping.type}.{field.name}")
    slot = source.builder.slot(mapping.key(source))
    edge = ManyEdge(compilation.edge_slot(), compilation.collect(slot, when), lister.connection)
    if lister.seen is not False:
        edge.build = lambda variant: lister.pages_of(mapping.by, variant)
        edge.count = lambda variant: lister.counts_of(mapping.by, variant)
    block.edges.append(edge)
    place = edge.slot
    return lambda row, run: run.edges[place].get(row[slot])
