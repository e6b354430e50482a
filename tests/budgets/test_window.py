"""Moving minutes of one process, by a clock of the test."""

from collections.abc import Coroutine
from itertools import accumulate
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.budgets import MINUTE, Budget, Usage, Window
from app.core.errors import RateLimited


class Time:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_window_counts_the_minute_before_by_its_part_that_is_left() -> None:
    time = Time()
    window = Window(time)
    assert window.take("a", 60, 100)
    for later, used in ((30, 60), (60, 60), (75, 45), (90, 30), (119, 1), (120, 0)):
        time.now = 1_000 + later
        assert (later, window.usage("a").used) == (later, used)
    assert window.usage("b").used == 0


def test_window_refuses_what_is_more_than_the_share_and_counts_nothing_of_it() -> None:
    time = Time()
    window = Window(time)
    assert window.take("a", 90, 100)
    assert not window.take("a", 11, 100)
    assert window.take("a", 10, 100)
    assert not window.take("a", 1, 100)
    time.now += 90
    assert window.usage("a").used == 50
    assert window.take("a", 50, 100)
    assert not window.take("a", 1, 100)


@given(
    st.lists(st.tuples(st.floats(0, 100), st.integers(0, 60)), min_size=1, max_size=20),
    st.integers(1, 100),
)
def test_window_has_room_when_it_says_so_and_is_empty_when_it_says_so(
    uses: list[tuple[float, int]], amount: int
) -> None:
    time = Time()
    window = Window(time)
    for at, (_, used) in zip(accumulate(pause for pause, _ in uses), uses, strict=True):
        time.now = at
        window.take("a", used, 100)
    usage = window.usage("a")
    wait = usage.room_in(amount, 100)
    assert 0 <= wait <= 2 * MINUTE
    time.now = at + wait / 2
    assert window.usage("a").used + amount > 100 or wait < 0.01
    time.now = at + wait
    assert window.usage("a").used + amount <= 100
    time.now = at + usage.ends_in
    assert window.usage("a").used == 0


def test_window_forgets_callers_of_whom_nothing_counts() -> None:
    time = Time()
    window = Window(time)
    for caller in range(10_000):
        time.now += 0.5
        window.add(caller, 1)
    assert len(window) <= 1_000


def test_budget_says_when_there_is_room_again() -> None:
    time = Time()
    budget = Budget("things", 6, "Six a minute.", time=time)
    refused = _at_once(budget.take("a", 6), budget.take("a", 2))
    # Six of the minute before count as less than five once a sixth of the minute is over.
    assert (str(refused), refused and refused.retry_after) == ("Six a minute. Try again in 71 s.", 71)
    time.now += 70
    assert _at_once(budget.take("a", 2)) is not None
    time.now += 1
    assert _at_once(budget.take("a", 2)) is None


def test_budget_beyond_its_share_is_used_up_for_as_long_as_it_takes() -> None:
    time = Time()
    budget = Budget("things", 6, "Six a minute.", time=time)
    budget.add("a", 5.9)
    assert _at_once(budget.require("a")) is None
    budget.add("a", 6.1)
    refused = _at_once(budget.require("a"))
    assert refused is not None
    with pytest.raises(RateLimited):
        budget.require_here("a")
    time.now += refused.retry_after - 1
    assert _at_once(budget.require("a")) is not None
    time.now += 1
    assert _at_once(budget.require("a"), budget.require("b")) is None


def test_budget_of_zero_is_no_limit() -> None:
    budget = Budget("things", 0, "None.")
    budget.add("a", 1e9)
    assert _at_once(budget.take("a", 1e9), budget.require("a")) is None
    budget.require_here("a")
    assert len(budget.window) == 0


def _at_once(*doing: Coroutine[Any, Any, None]) -> RateLimited | None:
    """What the last of them raises. None of them waits: without a store, no request does for a budget."""
    refused = None
    for each in doing:
        refused = None
        try:
            each.send(None)
        except StopIteration:
            pass
        except RateLimited as error:
            refused = error
        else:
            raise AssertionError("it waits for something")
    return refused


def test_usage_of_fractions_counts_whole_ones() -> None:
    assert Usage(1, 59.9, 0, 119.9).used == 0
    assert Usage(3, 30.0, 0.5, 90.0).used == 2
    assert ceil(Usage(3, 60.0, 0, 120.0).room_in(1, 3)) == 1
