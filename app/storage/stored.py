"""What a unit has left of a row, for whoever would read it again."""

from collections.abc import Callable, Mapping
from typing import Any

Place = tuple[str, str]
"""A column: its table's name and its own."""


class Stored(int):
    """The key of a row, or of one that lies in two tables, with what it holds: as number it is the key.

    `of` is the model that was stored, `columns` what each column holds of it, as the driver would give it."""

    of: Any
    columns: Mapping[Place, Callable[[Any], Any]]

    @classmethod
    def keep(cls, key: int, of: Any, columns: Mapping[Place, Callable[[Any], Any]]) -> "Stored":
        kept = cls(key)
        kept.of, kept.columns = of, columns
        return kept

    def value(self, place: Place) -> Any:
        """What the column holds. Raises KeyError for one that the model does not have."""
        return self.columns[place](self.of)
