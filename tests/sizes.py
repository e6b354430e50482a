"""How much of the widest matrices a run tries."""

from typing import TypeVar

import pytest

T = TypeVar("T")

_is_thorough = False


def be_thorough(thorough: bool) -> None:
    """Choose, before the tests are collected."""
    global _is_thorough
    _is_thorough = thorough


def pass_over_our_constants(patch: pytest.MonkeyPatch) -> None:
    """Have Hypothesis draw no value because some module of ours has it in its text, unless the run is thorough.

    It reads all of them in each process, which takes seconds, holds every value against each strategy, and draws others
    where other modules were imported before: examples are to be the same in each run."""
    from hypothesis.internal.conjecture import providers  # which a process that collects no tests does without
    from hypothesis.internal.constants_ast import Constants

    if not _is_thorough:
        patch.setattr(providers, "_get_local_constants", Constants)


def sized(usual: T, thorough: T) -> T:
    """The one or the other: what every run tries, or what one with `--thorough` does."""
    return thorough if _is_thorough else usual
