"""Pages of lists that PostgreSQL plans once for all values."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from app.core.paging import LARGEST_PAGE
from app.core.sight import is_narrowed
from app.selection.connection import Asked, Variant
from app.selection.listing import ORDER, SIZE, WHERE, Lister
from app.selection.mapping import Partition, RootMany, Sql
from app.selection.sql import hole
from app.selection.statement import Statement
from app.selection.streams import Templates, Walked, ordering_of, page_of_walks, same_name, walked_by

_MOST = sa.bindparam("most", type_=sa.Integer)
"""The place of a constant: the number of rows that are read at most."""

_ROUND = (10, 25, 50, LARGEST_PAGE)

ROUNDED: Mapping[int, int] = MappingProxyType(
    {size: next(each for each in _ROUND if size <= each) + 1 for size in range(1, LARGEST_PAGE + 1)}
)
"""For each size of a page, the rows of it and the one behind it, rounded up so that few statements differ by it. Only
the server itself asks for larger pages."""


class Known(NamedTuple):
    """A variant of a list, with the constants that its statement has in place of parameters, by their names."""

    variant: Variant
    constants: tuple[tuple[str, str], ...]


class GenericPages:
    """The statements of a list's pages, planned once where that is safe.

    PostgreSQL keeps one plan for all values, a generic one, where that seems to cost no more than a plan for the given
    values. It expects a tenth of all rows from `LIMIT $1`, so lists were planned anew at each run, which takes longer
    than to read them. Here that limit stands around a constant one.

    A plan for all values may be a bad one for some: the walk of a whole index, for a value that few rows have. So the
    parameters of these statements are the size, the place behind which a page begins, and lists of values that are
    read value by value, which no plan knows. A single value is a constant of the text; there are few. Any other
    condition has a plan for its values, and so has what a caller sees by its teams and assignments (`Nearby`)."""

    def __init__(self, of: Lister, otherwise: Callable[[Variant], Statement]) -> None:
        self._of = of
        self._otherwise = otherwise
        partition = _partition(of)
        assert partition is not None
        self._values = {
            name: frozenset(of.types if known is None else known) for name, (_, known) in partition.columns.items()
        }
        self._orders = partition.orders
        self._templates = Templates(lambda walked: of.sql.template(self._page(walked)))

    def statement(self, asked: Asked) -> Statement:
        """The statement of a page."""
        variant = asked.variant
        most = ROUNDED.get(asked.page.size)
        if most is None:
            return self._of.listing.statement(variant, self._otherwise)
        constants: tuple[tuple[str, str], ...] = (("most", str(most)),)
        for name, shape in variant[3]:
            known = self._values.get(name, ())
            if shape is True:
                value = asked.values[f"filter_{name}"]
                if value not in known:
                    return self._of.listing.statement(variant, self._otherwise)
                constants += ((f"filter_{name}", f"'{value}'"),)
        return self._of.listing.statement(Known(variant, constants), self._filled)

    def _filled(self, known: Known) -> Statement:
        order, _, _, filters = variant = known.variant
        walked = walked_by(variant, self._of, ordered=True)
        is_walked = {name for name, _ in filters} <= {name for name, _ in walked} <= self._values.keys()
        if order not in self._orders or not is_walked:
            return self._otherwise(variant)
        return self._of.statement(self._templates[walked], variant, walked, dict(known.constants))

    def _page(self, walked: Walked) -> sa.Select[Any]:
        of = self._of
        if walked:
            return page_of_walks(of, walked, SIZE, _MOST)
        rows = of.builder.select().add_columns(*ordering_of(of, of.source).values())
        first = rows.where(*of.always(of.source), hole(WHERE)).order_by(hole(ORDER)).limit(_MOST)
        # Under the name of the rows' table, for the ORDER BY that is filled in.
        page = first.subquery(same_name(of.source))
        columns = list(page.c)[: len(of.builder.columns)]
        return sa.select(*columns).select_from(page).order_by(hole(ORDER)).limit(SIZE)


def plans_once(of: Lister) -> bool:
    """Whether there are pages of the list that are planned once."""
    is_postgresql = of.sql.dialect.name == "postgresql"
    return is_postgresql and _partition(of) is not None and not is_narrowed(of.compilation.permissions)


def sees_a_part(of: Lister) -> bool:
    """Whether there is a condition of the caller's own for what it sees of the list."""
    has_condition = _partition(of) is not None and not isinstance(of.seen, bool)
    return has_condition and is_narrowed(of.compilation.permissions)


def _partition(of: Lister) -> Partition | None:
    return of.mapping.partition if isinstance(of.mapping, RootMany) else None


def seen_of_first(of: Lister, where: Sequence[Sql]) -> sa.Select[Any]:
    """A page of those of the first rows that the caller sees. All rows are the same for all callers until then."""
    assert not isinstance(of.seen, bool)
    whole = of.builder.select().where(of.seen)
    rows, columns = of.source.alias, set(of.source.alias.c)
    used = {each.key: each for each in iterate(whole) if isinstance(each, sa.Column) and each in columns}
    first = sa.select(*{**ordering_of(of, of.source), **used}.values()).where(*where, hole(WHERE))
    # Under the name of the rows' table, for the ORDER BY that is filled in.
    page = first.order_by(hole(ORDER)).limit(_MOST).subquery(same_name(of.source))

    def of_page(element: Any, **_: Any) -> Any:
        if element is rows:
            return page
        return page.c[element.key] if isinstance(element, sa.Column) and element in columns else None

    found: Any = replacement_traverse(whole, {}, of_page)
    return found.order_by(hole(ORDER)).limit(SIZE)  # type: ignore[no-any-return]
