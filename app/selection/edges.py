"""Edges and separately read neighbours: one statement for all parents."""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

from app.core.actor import Actor
from app.selection.shape import Make, Row, Run
from app.selection.statement import Statement
from app.storage.query import Query
from app.storage.stored import Place, Stored

Collect = Callable[[Any, Run], Iterable[Any]]


def of_caller(key: Callable[[Actor], int | None]) -> tuple[Collect, Make]:
    """The caller's key instead of a key of the row: as the set of all keys, and as the key of one row."""

    def collect(_row: Row, run: Run) -> Iterable[int]:
        found = key(run.env.actor)
        return () if found is None else (found,)

    return collect, lambda row, run: key(run.env.actor)


class Block:
    """The rows of one statement with everything below them: their shape and their edges."""

    __slots__ = ("edges", "make")

    def __init__(self) -> None:
        self.edges: list[Edge] = []
        self.make: Make = lambda row, run: row

    def assemble(self, rows: Sequence[Row], run: Run) -> Generator[Query, Sequence[Row], list[Any]]:
        """Read the edges of these rows, then make their objects."""
        for edge in self.edges:
            run.edges[edge.slot] = yield from edge.read(rows, run)
        make = self.make
        return [make(row, run) for row in rows]


class Edge:
    """What is read for many parents at once. `slot` is its index among the edges of the plan."""

    __slots__ = ("_collect", "slot")

    def __init__(self, slot: int, collect: Collect) -> None:
        self.slot = slot
        self._collect = collect

    def read(self, rows: Sequence[Row], run: Run) -> Generator[Query, Sequence[Row], dict[Any, Any]]:
        """The values that belong to each parent key of these rows."""
        keys = list(dict.fromkeys(key for row in rows for key in self._collect(row, run)))
        if not keys:
            return {}
        return (yield from self.fetch(keys, run))

    def fetch(self, keys: list[Any], run: Run) -> Generator[Query, Sequence[Row], dict[Any, Any]]:
        """Read the values of the keys; those without a value are absent."""
        raise NotImplementedError


class OneEdge(Edge):
    """Neighbours by their surrogate key; the key is the row's first column.

    `places` are the row's columns after the key. They are set if all columns are the row's own, and everybody with the
    plan's permissions may see it. The first of them says by `kind` whether the row is of the type."""

    __slots__ = ("block", "kind", "places", "statement")

    def __init__(self, slot: int, collect: Collect) -> None:
        super().__init__(slot, collect)
        self.block = Block()
        self.statement: Statement | None = None  # None: no row of this type may be seen
        self.places: Sequence[Place] | None = None
        self.kind: object = None

    def fetch(self, keys: list[Any], run: Run) -> Generator[Query, Sequence[Row], dict[Any, Any]]:
        if self.statement is None:
            return {}
        if run.reads_stored and self.places is not None:
            stored = [row for key in keys if (row := self._stored(key)) is not None]
            if len(stored) == len(keys):
                return {row[0]: self.block.make(row, run) for row in stored}
        rows = yield self.statement.query({"keys": keys}, run.env.actor)
        objects = yield from self.block.assemble(rows, run)
        return {row[0]: made for row, made in zip(rows, objects, strict=True)}

    def _stored(self, key: object) -> Row | None:
        """The row of a key that carries the stored values. None for any other key, or when values are missing."""
        if self.places is None or not isinstance(key, Stored):
            return None
        try:
            kind, *values = map(key.value, self.places)
        except KeyError:
            return None
        return (int(key), *values) if kind == self.kind else None
