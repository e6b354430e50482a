"""Counts the statements and rows that plans read."""

from collections.abc import Generator, Sequence
from typing import TypeVar

from app.storage.query import Query, Row, Steps

T = TypeVar("T")


class Counted:
    """What some plans have read."""

    __slots__ = ("rows", "statements")

    def __init__(self) -> None:
        self.statements = 0
        self.rows = 0

    def counted(self, steps: Steps[T]) -> Steps[T]:
        """The same steps, which add what they read."""
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
            self.statements += statements
            self.rows += rows
            value: T = ended.value
            return value
