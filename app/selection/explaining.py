"""Shows the statements of a plan, and how the database executes each."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from app.storage.query import Query

T = TypeVar("T")

Row = Sequence[Any]

_PREFIX = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN (COSTS OFF) "}
_INDEXES = {
    "sqlite": re.compile(r"USING (?:AUTOMATIC )?(?:PARTIAL )?(?:COVERING )?INDEX (\w+)"),
    "postgresql": re.compile(r"(?:using|Bitmap Index Scan on) (\w+)"),
}


@dataclass(frozen=True, slots=True)
class Explained:
    """A statement that a plan executed: its SQL in the driver's form, the number of rows it returned, the lines of the
    database's own plan, and the indexes that they name."""

    sql: str
    rows: int
    steps: tuple[str, ...]
    indexes: tuple[str, ...]


def explained(
    steps: Generator[Query, Sequence[Row], T], dialect: str
) -> Generator[Query, Sequence[Row], tuple[T, list[Explained]]]:
    """Drive a plan, and let the database explain each statement before it runs."""
    found: list[Explained] = []
    try:
        query = next(steps)
        while True:
            lines = [str(row[-1]) for row in (yield Query(_PREFIX[dialect] + query.sql, query.args))]
            rows = yield query
            names = [name for line in lines for name in _INDEXES[dialect].findall(line)]
            found.append(Explained(query.sql, len(rows), tuple(lines), tuple(dict.fromkeys(names))))
            query = steps.send(rows)
    except StopIteration as ended:
        return ended.value, found
