"""How much of the widest matrices a run tries."""

from typing import TypeVar

T = TypeVar("T")

_is_thorough = False


def be_thorough(thorough: bool) -> None:
    """Choose, before the tests are collected."""
    global _is_thorough
    _is_thorough = thorough


def sized(usual: T, thorough: T) -> T:
    """The one or the other: what every run tries, or what one with `--thorough` does."""
    return thorough if _is_thorough else usual
