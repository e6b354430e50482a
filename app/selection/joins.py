"""The conditions by which rows are joined to their neighbours."""

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from app.selection.mapping import Sql


def by_key(key: Sql, value: Sql, seen: Sql | bool, dialect: Dialect, *, distinct: bool) -> Sql:
    """The condition of an outer join to the row with this key, if it is seen. With `distinct`, nearly each row of a
    list has another value.

    PostgreSQL then remembers no rows that it has found by such values (`Memoize`), which takes longer than to look the
    next ones up: it does that only where an index answers the whole condition."""
    found = [key == value]
    if distinct and dialect.name == "postgresql":
        found.append(value.is_not(None))
    if not isinstance(seen, bool):
        found.append(seen)
    return sa.and_(*found)
