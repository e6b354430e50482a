"""Fields that several types of an interface select alike, compiled once."""

from collections.abc import Iterable, Mapping

from app.selection.shape import Make
from app.selection.tree import Field

When = tuple[int, frozenset[object]] | None
"""The slot of the discriminator, and the values that a row may have there. None for any row."""


class Alone:
    """The fields of a type that shares its rows with no other type."""

    def __init__(self, when: When = None) -> None:
        self._when = when

    def when(self, field: Field) -> When:
        """The rows for which the field is read; None for all."""
        return self._when

    def alone(self) -> "Alone":
        """The same for a field that is compiled for this type alone."""
        return self

    def known(self, field: Field, mapping: object) -> Make | None:
        """The field as another type of the interface has compiled it; None when none has."""
        return None

    def remember(self, field: Field, mapping: object, make: Make) -> None:
        """Nothing to remember: no other type selects the field."""


class Together:
    """The types of one interface over the same rows, and which of them select which field.

    A transport passes the same Field object where several types select it in the same way."""

    def __init__(self, slot: int, fields: Mapping[object, Iterable[Field]]) -> None:
        self._slot = slot
        self._types = frozenset(fields)
        self._asking: dict[int, set[object]] = {}
        self._made: dict[tuple[int, int], Make] = {}
        for value, asked in fields.items():
            for field in asked:
                self._asking.setdefault(id(field), set()).add(value)

    def of(self, value: object) -> Alone:
        """The fields of the type with this discriminator."""
        return _OneOf(self, value)

    def when(self, field: Field) -> When:
        """The rows of all types that select the field; None when these are all types."""
        asking = frozenset(self._asking[id(field)])
        return None if asking == self._types else (self._slot, asking)

    def when_only(self, value: object) -> When:
        """The rows of the type with this discriminator."""
        return self._slot, frozenset((value,))

    @property
    def made(self) -> dict[tuple[int, int], Make]:
        return self._made


class _OneOf(Alone):
    def __init__(self, together: Together, value: object) -> None:
        super().__init__()
        self._together = together
        self._value = value

    def when(self, field: Field) -> When:
        return self._together.when(field)

    def alone(self) -> Alone:
        return Alone(self._together.when_only(self._value))

    def known(self, field: Field, mapping: object) -> Make | None:
        return self._together.made.get((id(field), id(mapping)))

    def remember(self, field: Field, mapping: object, make: Make) -> None:
        self._together.made[id(field), id(mapping)] = make
