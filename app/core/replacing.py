"""Changed copies of models, made without their constructor."""

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

D = TypeVar("D")

Setter = Callable[[Any, Any], None]


class _Slots(NamedTuple):
    values: Callable[[Any], tuple[Any, ...]]
    setters: dict[str, Setter]


_KNOWN: dict[type[Any], _Slots] = {}


def replace(model: D, /, **changes: Any) -> D:
    """As `dataclasses.replace`, in a third of the time: a command copies models of thirty fields several times.

    It is for dataclasses with slots whose constructor only stores its arguments. Raises TypeError for any other class,
    and for an unknown field."""
    values, setters = _KNOWN.get(type(model)) or _learned(type(model))
    made: D = object.__new__(type(model))
    for keep, value in zip(setters.values(), values(model), strict=True):
        keep(made, value)
    for name, value in changes.items():
        keep_changed = setters.get(name)
        if keep_changed is None:
            raise TypeError(f"{type(model).__name__} has no field {name}")
        keep_changed(made, value)
    return made


def _learned(model: type[Any]) -> _Slots:
    found = fields(model)
    if "__slots__" not in vars(model) or hasattr(model, "__post_init__") or len(found) < 2:
        raise TypeError(f"{model.__name__} cannot be copied slot by slot")
    slots = _KNOWN[model] = _Slots(
        attrgetter(*[field.name for field in found]),
        {field.name: getattr(model, field.name).__set__ for field in found},
    )
    return slots
