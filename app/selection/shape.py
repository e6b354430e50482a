"""How rows become the answer's objects: functions made at compile time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

from app.selection.mapping import Env
from app.selection.statement import Convert

Row = Any


@dataclass(slots=True)
class Run:
    """One run of a plan: its environment, and what its edges have read so far, by edge and parent key.

    With `reads_stored`, keys that are `Stored` carry their rows themselves."""

    env: Env
    edges: dict[int, Mapping[Any, Any]] = field(default_factory=dict)
    head: str | None = None
    reads_stored: bool = False


Fix = Callable[[Row, Run], Any]
Make = Callable[[Row, Run], Any]


class Fields:
    """The fields of one object while it is compiled, in the order of the selection."""

    def __init__(self) -> None:
        self._values: list[str] = []  # source code of each field's value
        self._names: dict[str, Any] = {}  # the objects that the source code names

    def column(self, key: str, slot: int, convert: Convert | None) -> None:
        """The value of a column as the driver gives it, or converted; null stays null."""
        value = f"row[{slot:d}]"
        if convert is not None:
            value = f"None if {value} is None else {self._named('c', convert)}({value})"
        self._add(key, value)

    def id(self, key: str, slot: int, prefix: str) -> None:
        """The global id of a surrogate key."""
        self._add(key, f"None if row[{slot:d}] is None else {f'{prefix}_%d'!r} % row[{slot:d}]")

    def moment(self, key: str, slot: int, write: Convert | None) -> None:
        """A datetime in UTC for `encoded`. It writes all datetimes but those on a full second as `write` does, only
        faster."""
        self._add(
            key,
            f"None if (at := row[{slot:d}]) is None else at if at.microsecond else {self._named('c', write)}(at)",
        )

    def constant(self, key: str, value: Any) -> None:
        """The same value for every row."""
        self._add(key, self._named("v", value))

    def fix(self, key: str, fix: Fix) -> None:
        """The value that a function makes of the row and the run."""
        self._add(key, f"{self._named('f', fix)}(row, run)")

    def _add(self, key: str, value: str) -> None:
        self._values.append(f"{self._named('k', key)}: {value}")

    def _named(self, kind: str, value: Any) -> str:
        name = f"{kind}{len(self._values)}"
        self._names[name] = value
        return name

    def make(self) -> Make:
        """A function from a row to its object: a single dict display, as if written by hand.

        Its source code contains only our numbers and names. What clients wrote is referred to by these names."""
        names = self._names.copy()
        exec(_code(", ".join(self._values)), names)
        make: Make = names.pop("make")
        return make


@lru_cache(maxsize=1_000)
def _code(values: str) -> CodeType:
    return compile(f"def make(row, run):\n    return {{{values}}}\n", "<fields of an object>", "exec")


def nullable(slot: int, make: Make) -> Make:
    """The object, or None when the column that shows its presence is null."""
    return lambda row, run: None if row[slot] is None else make(row, run)


def chosen(slot: int, makes: Mapping[Any, Make]) -> Make:
    """The object of the concrete type that the discriminator in `slot` names."""
    return lambda row, run: makes[row[slot]](row, run)


def by_items(fields: Sequence[tuple[str, Callable[[Any, Run], Any]]]) -> Make:
    """The object whose fields are taken from a mapping, each by its own function."""
    taken = tuple(fields)
    return lambda value, run: {key: take(value, run) for key, take in taken}
