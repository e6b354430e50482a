"""How rows become the answer's objects: closures made at compile time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from app.selection.mapping import Env
from app.selection.sql import Convert

Row = Any


@dataclass(slots=True)
class Run:
    """One run of a plan: its environment, and what its edges have brought so far, by edge and parent key."""

    env: Env
    edges: dict[int, Mapping[Any, Any]] = field(default_factory=dict)
    head: str | None = None


Fix = Callable[[Row, Run], Any]
Make = Callable[[Row, Run], Any]


class Fields:
    """The fields of one object while it is compiled, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.slots: list[int] = []
        self.converts: list[tuple[str, Convert]] = []
        self.constants: list[tuple[str, Any]] = []
        self.fixes: list[tuple[str, Fix]] = []

    def column(self, key: str, slot: int, convert: Convert | None) -> None:
        self.names.append(key)
        self.slots.append(slot)
        if convert is not None:
            self.converts.append((key, convert))

    def constant(self, key: str, value: Any) -> None:
        self._hold(key)
        self.constants.append((key, value))

    def fix(self, key: str, fix: Fix) -> None:
        self._hold(key)
        self.fixes.append((key, fix))

    def _hold(self, key: str) -> None:
        # Any column keeps the place in the dict, so that the answer's fields stand in the order of the question.
        self.names.append(key)
        self.slots.append(0)

    def make(self) -> Make:
        """The function from a row to its object. A field that is one column costs next to nothing."""
        names = tuple(self.names)
        # itemgetter of a single index gives the bare value; two indices always give a tuple.
        pick = itemgetter(*self.slots, 0) if self.slots else itemgetter(0, 0)
        constants = dict(self.constants)
        converts = tuple(self.converts)
        fixes = tuple(self.fixes)

        def make(row: Row, run: Run) -> dict[str, Any]:
            made = dict(zip(names, pick(row), strict=False))
            for name, convert in converts:
                value = made[name]
                if value is not None:
                    made[name] = convert(value)
            if constants:
                made.update(constants)
            for name, fix in fixes:
                made[name] = fix(row, run)
            return made

        return make


def nullable(slot: int, make: Make) -> Make:
    """The object, or None where the column that shows its presence is null."""
    return lambda row, run: None if row[slot] is None else make(row, run)


def chosen(slot: int, makes: Mapping[Any, Make]) -> Make:
    """The object of the concrete type that the discriminator in `slot` names."""
    return lambda row, run: makes[row[slot]](row, run)


def by_items(fields: Sequence[tuple[str, Callable[[Any, Run], Any]]]) -> Make:
    """The object whose fields are taken from a mapping, each by its own function."""
    taken = tuple(fields)
    return lambda value, run: {key: take(value, run) for key, take in taken}
