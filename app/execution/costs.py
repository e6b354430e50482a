"""What an operation costs, for whoever asks."""

from collections.abc import Generator, Mapping, Sequence
from typing import TypeVar

from app.storage.query import Query, Row, Steps

T = TypeVar("T")


class Cost:
    """What one operation may read, as its limit counts it, and what reading its answer took."""

    __slots__ = ("_limit", "_requested", "_rows", "_statements")

    def __init__(self, requested: int, limit: int) -> None:
        self._requested = requested
        self._limit = limit
        self._statements = 0
        self._rows = 0

    def counted(self, steps: Steps[T]) -> Steps[T]:
        """The same steps, which add to the cost what they read."""
        return lambda: self._counting(steps())

    def _counting(self, steps: Generator[Query, Sequence[Row], T]) -> Generator[Query, Sequence[Row], T]:
        """Drive a plan, and add its statements and rows at its end: a read that is interrupted begins again."""
        statements = rows = 0
        try:
            query = next(steps)
            while True:
                found = yield query
                statements, rows = statements + 1, rows + len(found)
                query = steps.send(found)
        except StopIteration as ended:
            self._statements += statements
            self._rows += rows
            value: T = ended.value
            return value

    def before(self) -> Mapping[str, int]:
        """What is known before anything is read."""
        return {"requested": self._requested, "limit": self._limit}

    def after(self) -> Mapping[str, int]:
        """The same with what was read."""
        return {**self.before(), "statements": self._statements, "rows": self._rows}
