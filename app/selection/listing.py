"""Compiles connections: the list of a root field, or of an edge."""

from collections.abc import Callable, Container, Hashable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import FromClause

from app.core.paging import MOST_COUNTED
from app.selection.connection import Connection, Listing, ManyEdge, Part, Rows, Variant
from app.selection.edges import Block
from app.selection.mapping import InterfaceMap, Many, Owned, RootMany, Sql, TypeMap
from app.selection.scope import Builder, Source, Unindexed
from app.selection.shape import Make
from app.selection.sql import NO_CONSTANTS, Constants, Select, SqlCompiler, Template, hole, place_of, writer
from app.selection.statement import Fragment, Statement
from app.selection.streams import ONE, Templates, Walked, count_of_walks, number_of, page_of_walks, walked_by
from app.selection.tree import Children, Field
from app.storage.constructs import IntList, keys

if TYPE_CHECKING:
    from app.selection.compilation import Compilation
    from app.selection.groups import When

WHERE, ORDER, _COUNTED = "where", "order", "counted"
_INNER_WHERE, _INNER_ORDER = "inner_where", "inner_order"
_INNER_ALIASES = 5_000
SIZE = sa.bindparam("size", type_=sa.Integer)


class Lister:
    """One connection while it is compiled: where its rows come from, and what its statements consist of."""

    def __init__(
        self, compilation: "Compilation", mapping: Many | RootMany, field: Field, *, leading: int, name: str
    ) -> None:
        self.compilation = compilation
        self.sql: SqlCompiler = compilation.sql
        self.mapping = mapping
        self.type_map: TypeMap | InterfaceMap = compilation.table_map(mapping.type)
        self.builder = Builder(leading)
        self.source = compilation.source(self.builder, self.type_map)
        self.seen: Sql | bool = (
            True if isinstance(mapping, Many) and mapping.inherits else compilation.visible(self.type_map, self.source)
        )
        self.types: Sequence[str] = ()
        self.seen_in_part = self.seen_by_teams = False
        if isinstance(mapping, RootMany) and mapping.partition is not None:
            self.types = sorted(each.value or "" for each in compilation.catalogue.extending(self.type_map.name))
            seen = mapping.partition.seen(compilation.permissions)
            of_viewer = mapping.partition.of_viewer
            self.seen_by_teams = of_viewer is not None and of_viewer[1](compilation.permissions)
            if seen is not None and not set(self.types).issubset(seen):
                self.seen_in_part = True
                self.types = [name for name in self.types if name in seen]
        self.listing = Listing(name, mapping.orders, mapping.default_order, mapping.filters, field.arguments)
        compilation.listings.append(self.listing)
        self.connection = Connection(self.listing)
        self._parts(field.children or {})

    def _parts(self, children: Children) -> None:
        ((type_name, fields),) = children.items()
        paged = self.connection
        for field in fields:
            paged.parts.append((field.key, self._part(field, type_name)))
        for name, order in self.mapping.orders.items():
            columns = order.by(self.source)
            self.listing.cursor_types[name] = tuple(column.type for column in columns)
            if paged.places_needed:
                paged.order_slots[name] = tuple(self.builder.slot(column) for column in columns)
                paged.write[name] = tuple(writer(column.type, self.compilation.dialect) for column in columns)
        if paged.rows_needed and not self.builder.columns:  # rows of which no column is selected
            self.builder.slot(self.source.c.id)
        self.compilation.statements += paged.rows_needed + paged.counted

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
                paged.lists.append((field.key, index))
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
        if self.seen is not False:  # nothing is compiled for a list that selects no rows
            block.make = self.compilation.rows(block, self.source, self.mapping.type, children)
        self.connection.nodes.append(block)
        return len(self.connection.nodes) - 1

    def _edges(self, field: Field) -> Part:
        paged = self.connection
        ((edge_type, fields),) = (field.children or {}).items()
        parts: list[tuple[str, Any]] = []
        for each in fields:
            if each.name == "cursor":
                paged.places_needed = True
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
        if any(each.name in ("startCursor", "endCursor") for each in fields):
            paged.places_needed = True
        return lambda page, run: {key: part(page) for key, part in parts}

    # ---- statements ----

    def statement(
        self, template: Template, variant: Variant, walked: Walked = (), constants: Constants = NO_CONSTANTS
    ) -> Statement:
        """The statement of one variant. Only conditions and orders that this process has not seen are compiled.

        The `walked` conditions are in the template already. `constants` are SQL in place of parameters, by name."""
        return template.filled(lambda name: list(self._fragments(name, variant, dict(walked))), constants)

    def _fragments(self, name: str, variant: Variant, without: Container[str]) -> Iterator[Fragment]:
        order_name, backward, placed, filters = variant
        inner = name in (_INNER_WHERE, _INNER_ORDER)
        sql, mapping = self.sql, self.mapping
        if name in (ORDER, _INNER_ORDER):
            yield sql.ordering(mapping, (inner, name, order_name, backward), lambda: self.ordering(inner, variant))
            return
        for each, shape in filters:
            if each not in without:
                yield sql.condition(mapping, (inner, each, shape), partial(self._filter, inner, each, shape))
        if placed and name != _COUNTED:
            yield sql.condition(mapping, (inner, None, order_name, backward), lambda: self.placed(inner, variant))

    def rows(self, *, inner: bool) -> tuple[FromClause, Source]:
        """Only the type's rows, under the aliases that they have in the statements."""
        builder = Builder(first_alias=_INNER_ALIASES if inner else 0)
        source = self.compilation.source(builder, self.type_map)
        return builder.source(), source

    def _filter(self, inner: bool, name: str, shape: Hashable) -> tuple[FromClause, Sql]:
        rows, source = self.rows(inner=inner)
        scope = self._looked_up(source, name)
        return rows, self.mapping.filters[name].clause(scope, place_of(name), shape)

    def _looked_up(self, source: Source, name: str | None = None) -> Source | Unindexed:
        """The row source for a condition of this name. It allows or forbids that the rows are found by the
        condition."""
        found_by = self.mapping.found_by if isinstance(self.mapping, RootMany) else None
        return source if found_by in (None, name) else Unindexed(source)

    def placed(self, inner: bool, variant: Variant) -> tuple[FromClause, Sql]:
        """The rows, and the condition that they lie behind the variant's cursor."""
        rows, scope = self.rows(inner=inner)
        order = self.mapping.orders[variant[0]]
        columns = order.by(scope)
        binds = [sa.bindparam(f"cursor_{index}", type_=column.type) for index, column in enumerate(columns)]
        here, there = (sa.tuple_(*columns), sa.tuple_(*binds)) if len(columns) > 1 else (columns[0], binds[0])
        return rows, here < there if order.descending != variant[1] else here > there

    def ordering(self, inner: bool, variant: Variant) -> tuple[FromClause, Sequence[Sql]]:
        """The rows, and what they are sorted by."""
        (rows, scope), order = self.rows(inner=inner), self.mapping.orders[variant[0]]
        return rows, [column.asc() if order.descending == variant[1] else column.desc() for column in order.by(scope)]

    def always(self, source: Source) -> list[Sql]:
        """The conditions of all variants."""
        found = [] if self.mapping.where is None else [self.mapping.where(source)]
        scope = self._looked_up(source)
        seen: Sql | bool = True
        if not isinstance(self.seen, bool):
            visible = self.type_map.visible
            seen = (
                self.compilation.visible(self.type_map, source)
                if scope is source
                else visible(self.compilation.permissions, scope)
            )
        return found if isinstance(seen, bool) else [*found, seen]

    def pages(
        self, over: Callable[[sa.Select[Any]], Select] = lambda page: page, *, now: bool = True
    ) -> Callable[[Variant], Statement]:
        """For each variant, the statement of a root field's page, or of what is built `over` the page."""
        select = self.builder.select().where(*self.always(self.source), hole(WHERE)).order_by(hole(ORDER)).limit(SIZE)

        def page(walked: Walked) -> Template:
            return self.sql.template(over(page_of_walks(self, walked, SIZE) if walked else select))

        return self._for_each(Templates(page, now=now), ordered=True)

    def counts(self) -> Callable[[Variant], Statement]:
        """For each variant, the statement that counts the rows of a root field's list, up to the cap."""
        return self._for_each(Templates(self._count), ordered=False)

    def _for_each(self, templates: Templates, *, ordered: bool) -> Callable[[Variant], Statement]:
        """The statement of each variant: value by value if its filters allow that, otherwise over the whole list."""

        def statement(variant: Variant) -> Statement:
            walked = walked_by(variant, self, ordered=ordered)
            return self.statement(templates[walked], variant, walked)

        return statement

    def _count(self, walked: Walked) -> Template:
        if walked:
            return self.sql.template(count_of_walks(self, walked, MOST_COUNTED + 1))
        rows, source = self.rows(inner=False)
        one = ONE.select_from(rows).where(*self.always(source), hole(_COUNTED))
        return self.sql.template(number_of(one, MOST_COUNTED + 1))

    def pages_of(self, by: Owned) -> Template:
        """The statement of an edge: one page for each parent key."""
        parents = keys(sa.bindparam("keys", type_=IntList()))
        if self.compilation.dialect.name == "sqlite":
            return self._correlated(by, parents)
        page = self.builder.select().where(by(self.source, parents.c.key), *self.always(self.source), hole(WHERE))
        each = page.order_by(hole(ORDER)).limit(SIZE).correlate(parents).lateral("page")
        select = sa.select(parents.c.key, *each.c).select_from(parents.join(each, sa.true()))
        return self.sql.template(select)

    def _correlated(self, by: Owned, parents: Any) -> Template:
        # SQLite has no LATERAL. A correlated list of ids reads an index only as far as the page; a window reads all
        # rows.
        rows, source = self.rows(inner=True)
        ids = (
            sa.select(source.alias.c.id)
            .select_from(rows)
            .where(by(source, parents.c.key), *self.always(source), hole(_INNER_WHERE))
            .order_by(hole(_INNER_ORDER))
            .limit(SIZE)
            .correlate(parents)
        )
        columns = [column.label(f"c{index}") for index, column in enumerate(self.builder.columns)]
        joined = parents.join(self.builder.source(), self.source.alias.c.id.in_(ids))
        select = sa.select(parents.c.key, *columns).select_from(joined).order_by(hole(ORDER))
        return self.sql.template(select)

    def counts_of(self, by: Owned) -> Template:
        """The statement that counts an edge's rows for each parent key, up to the cap."""
        parents = keys(sa.bindparam("keys", type_=IntList()))
        rows, source = self.rows(inner=False)
        one = ONE.select_from(rows).where(by(source, parents.c.key), *self.always(source), hole(_COUNTED))
        number = number_of(one.correlate(parents), MOST_COUNTED + 1).correlate(parents).scalar_subquery()
        return self.sql.template(sa.select(parents.c.key, number.label("number")))


def _node_at(index: int) -> Callable[[Rows, int], Any]:
    return lambda page, i: page.nodes[index][i]


def compile_many(
    compilation: "Compilation", block: Block, source: Source, mapping: Many, field: Field, when: "When"
) -> Make:
    """Compile a to-many edge of the rows of this source."""
    lister = Lister(compilation, mapping, field, leading=1, name=f"{mapping.type}.{field.name}")
    slot = source.builder.slot(mapping.key(source))
    edge = ManyEdge(compilation.edge_slot(), compilation.collect(slot, when), lister.connection)
    if lister.seen is not False and lister.connection.rows_needed:
        edge.page = partial(lister.statement, lister.pages_of(mapping.by))
    if lister.seen is not False and lister.connection.counted:
        edge.count = partial(lister.statement, lister.counts_of(mapping.by))
    block.edges.append(edge)
    place = edge.slot
    return lambda row, run: run.edges[place].get(row[slot])
