"""The attacks by name; each module holds those of one subject."""

from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutinefunction
from types import ModuleType

from tests.soak.hostile.attacks import commands, documents, live, network, reads, refusals, variables
from tests.soak.hostile.target import Hostile

Attack = Callable[[Hostile], Awaitable[None]]
"""Attacks until it is cancelled. The first line of its docstring says what it does."""


def _attacks_of(module: ModuleType) -> dict[str, Attack]:
    return {
        name.replace("_", "-"): found
        for name, found in vars(module).items()
        if not name.startswith("_") and iscoroutinefunction(found)
    }


ATTACKS: Mapping[str, Attack] = {
    name: attack
    for module in (variables, documents, reads, commands, live, network, refusals)
    for name, attack in _attacks_of(module).items()
}

ON_POSTGRESQL = frozenset({"locked-row"})
"""Those that make no sense on SQLite, which has no locks of rows."""


def described(attack: object) -> str:
    """What an attack does, in a line."""
    return (attack.__doc__ or "").partition("\n")[0]
