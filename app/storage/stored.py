"""Rows that a unit has just written, to save reading them."""

from collections.abc import Callable, Mapping
from typing import Any

Place = tuple[str, str]
"""A column: the name of its table, and its own name."""


class Stored(int):
    """The key of a row, with the row's content. Used as a number it is the key; a row may span two tables.

    `of` is the model that was stored. `columns` says what each column holds, as the driver would return it."""

    of: Any
    columns: Mapping[Place, Callable[[Any], Any]]

    @classmethod
    def keep(cls, key: int, of: Any, columns: Mapping[Place, Callable[[Any], Any]]) -> "Stored":
        kept = cls(key)
        kept.of, kept.columns = of, columns
        return kept

    def value(self, place: Place) -> Any:
        """The value of the column. Raises KeyError for a column that the model does not have."""
        return self.columns[place](self.of)
