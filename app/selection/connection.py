"""Relay connections: pages of rows, for root fields and for edges."""

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from app.core.clock import rfc3339
from app.core.errors import DomainError, InvalidCursor
from app.core.paging import ANOTHER_CURSOR, Page, decode_cursor, encode_cursor, page_of
from app.selection.edges import Block, Collect, Edge
from app.selection.mapping import Env, Filter, Order, order_named
from app.selection.shape import Row, Run
from app.selection.statement import Statement
from app.selection.tree import Arguments, Variables
from app.storage.query import Query
from app.storage.tables import Timestamp

MOST_VARIANTS = 32
PAGING = ("first", "after", "last", "before")
PAGE = "page"  # what a selection built by hand gives instead of these: a Page, of any size

V = TypeVar("V", bound=Hashable)

Variant = tuple[str, bool, bool, tuple[tuple[str, Hashable], ...]]  # order, backward, has a cursor, filters


@dataclass(slots=True)
class Asked:
    """The arguments of one run: the page, and the filters with the values that they bind."""

    page: Page
    variant: Variant
    values: dict[str, object]

    @property
    def unplaced(self) -> Variant:
        """The variant without its place in the list. A count does not depend on the place."""
        order, backward, _, filters = self.variant
        return order, backward, False, filters


class Listing:
    """What a connection's statements are made of, for any parent: orders, filters, and a statement per variant."""

    def __init__(
        self,
        name: str,
        orders: Mapping[str, Order],
        default_order: str,
        filters: Mapping[str, Filter],
        arguments: Arguments,
    ) -> None:
        self._name = name
        self.orders = orders
        self._default = default_order
        self.filters = filters
        self._arguments = arguments
        self.cursor_types: dict[str, tuple[Any, ...]] = {}
        self._statements: dict[Hashable, Statement] = {}

    def asked(self, env: Env) -> Asked:
        """Read and check the arguments. Raises InvalidInput and InvalidCursor with the argument's path."""
        arguments = self._arguments(env.variables)
        page = arguments.get(PAGE)
        if not isinstance(page, Page):
            page = page_of(*(arguments.get(name) for name in PAGING))  # type: ignore[arg-type]
        sorted_by = arguments.get("order_by")
        order = order_named(sorted_by) if isinstance(sorted_by, Mapping) else self._default
        values: dict[str, object] = {"size": page.size + 1}
        filters = []
        for name, value in _conditions(arguments):
            condition = self.filters[name]
            try:
                values[f"filter_{name}"] = condition.bound(value, env)
                if condition.parts is not None:
                    parts = condition.parts(value, env)
                    values.update({f"filter_{name}_{part}": each for part, each in parts.items()})
            except DomainError as error:
                place = name.split(".") if name in arguments else ["filter", *name.split(".")]
                error.path = (*place, *error.path)
                raise
            filters.append((name, condition.shape(value)))
        if page.cursor is not None:
            self._place(order, page, values)
        return Asked(page, (order, page.backward, page.cursor is not None, tuple(filters)), values)

    def is_personal(self, variables: Variables) -> bool:
        """Whether a condition names the caller, so that it means another user for each caller."""
        given = _conditions(self._arguments(variables))
        return any(self.filters[name].names_caller(value) for name, value in given)

    def _place(self, order: str, page: Page, values: dict[str, object]) -> None:
        types = self.cursor_types[order]
        path = ("before" if page.backward else "after",)
        python = [str if isinstance(type_, Timestamp | sa.Text) else int for type_ in types]
        found = decode_cursor(f"{self._name}.{order}", page.cursor or "", python, path=path)
        for index, (value, type_) in enumerate(zip(found, types, strict=True)):
            if isinstance(type_, Timestamp):
                moment = _moment(str(value))
                if moment is None:
                    raise InvalidCursor(ANOTHER_CURSOR, path=path)
                values[f"cursor_{index}"] = moment
            elif isinstance(value, int) and not _fits(value, type_):
                raise InvalidCursor(ANOTHER_CURSOR, path=path)
            else:
                values[f"cursor_{index}"] = value

    def statement(self, variant: V, make: Callable[[V], Statement]) -> Statement:
        """The statement that `make` builds for a variant, built at its first use."""
        found = self._statements.get((make, variant))
        if found is None:
            if len(self._statements) >= MOST_VARIANTS:  # clients choose the variants, so their number must stay limited
                self._statements.clear()
            found = self._statements[make, variant] = make(variant)
        return found

    def cursor(self, order: str, values: Sequence[Any]) -> str:
        """The cursor of the row with these values of the order."""
        return encode_cursor(f"{self._name}.{order}", values)


def _fits(value: int, type_: Any) -> bool:
    """Whether the value can be bound to a column of this type; PostgreSQL refuses what is out of its range."""
    bits = 15 if isinstance(type_, sa.SmallInteger) else 63 if isinstance(type_, sa.BigInteger) else 31
    limit: int = 2**bits
    return -limit <= value < limit


def _moment(text: str) -> datetime | None:
    """The time that a cursor holds, in our spelling; None for any other text."""
    try:
        found = datetime.fromisoformat(text)
        return found if rfc3339(found) == text else None
    except (ValueError, OverflowError):
        return None


def _conditions(arguments: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The given filters in a stable order; a nested filter has a dotted name."""
    found = []
    for name, value in arguments.items():
        if value is None or name in PAGING or name in (PAGE, "order_by"):
            continue
        if name != "filter":
            found.append((name, value))
            continue
        for item, condition in value.items():
            if isinstance(condition, dict):
                found += [(f"{item}.{part}", each) for part, each in condition.items() if each is not None]
            elif condition is not None:
                found.append((item, condition))
    found.sort(key=lambda pair: pair[0])
    return found


@dataclass(slots=True)
class Rows:
    """One parent's page of rows, with the objects made of them."""

    rows: Sequence[Row]
    nodes: Mapping[int, Sequence[Any]]  # by node block
    more: bool
    asked: Asked
    total: int | None


Part = Callable[[Rows, Run], Any]


class Connection:
    """The selection on a connection: what it reads, and the object it makes."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.parts: list[tuple[str, Part]] = []
        self.nodes: list[Block] = []
        self.lists: list[tuple[str, int]] = []  # the parts that are only nodes, with their block
        self.counted = False
        self.rows_needed = False
        self.places_needed = False  # the place of rows in the list, from which cursors are made
        self.edges: list[Edge] = []
        self.order_slots: dict[str, tuple[int, ...]] = {}
        self.write: dict[str, tuple[Callable[[Any], Any] | None, ...]] = {}

    def row_cursor(self, row: Row, order: str) -> str:
        """The cursor of a row in the order of this name."""
        values = [
            row[slot] if write is None else write(row[slot])
            for slot, write in zip(self.order_slots[order], self.write[order], strict=True)
        ]
        return self.listing.cursor(order, values)

    def make(self, page: Rows, run: Run) -> dict[str, Any]:
        """The connection's object for one page."""
        return {key: part(page, run) for key, part in self.parts}

    def assemble(
        self, groups: Mapping[Any, list[Row]], totals: Mapping[Any, int], asked: Asked, run: Run
    ) -> Generator[Query, Sequence[Row], dict[Any, Any]]:
        """The connection object of each parent, made from the rows of all parents."""
        size = asked.page.size
        pages: dict[Any, tuple[list[Row], bool]] = {}
        everything: list[Row] = []
        for key, rows in groups.items():
            more = len(rows) > size
            kept = rows[:size]
            if asked.page.backward:
                kept.reverse()
            pages[key] = kept, more
            everything += kept
        made = []
        for block in self.nodes:
            made.append((yield from block.assemble(everything, run)))  # noqa: PERF401 - a comprehension cannot yield
        answer = {}
        start = 0
        if len(self.lists) == len(self.parts):
            # Most lists are selected like this, and there may be as many of them as rows.
            for key, (kept, _) in pages.items():
                end = start + len(kept)
                answer[key] = {name: made[index][start:end] for name, index in self.lists}
                start = end
            return answer
        for key, (kept, more) in pages.items():
            end = start + len(kept)
            nodes = {index: objects[start:end] for index, objects in enumerate(made)}
            answer[key] = self.make(Rows(kept, nodes, more, asked, totals.get(key)), run)
            start = end
        return answer


class ManyEdge(Edge):
    """A connection for many parents at once. The parent's key is each row's first column."""

    __slots__ = ("connection", "count", "page")

    def __init__(self, slot: int, collect: Collect, connection: Connection) -> None:
        super().__init__(slot, collect)
        self.connection = connection
        self.page: Callable[[Variant], Statement] | None = None
        self.count: Callable[[Variant], Statement] | None = None

    def fetch(self, keys: list[Any], run: Run) -> Generator[Query, Sequence[Row], dict[Any, Any]]:
        listing = self.connection.listing
        asked = listing.asked(run.env)
        values = {**asked.values, "keys": keys}
        groups: dict[Any, list[Row]] = {key: [] for key in keys}
        totals: dict[Any, int] = {}
        if self.page is not None:
            for row in (yield listing.statement(asked.variant, self.page).query(values, run.env.actor)):
                groups[row[0]].append(row)
        if self.count is not None:
            totals = {
                row[0]: row[1]
                for row in (yield listing.statement(asked.unplaced, self.count).query(values, run.env.actor))
            }
        return (yield from self.connection.assemble(groups, totals, asked, run))
