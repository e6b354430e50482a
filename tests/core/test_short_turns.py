"""Turns of threads are short while a block lasts, and as before afterwards."""

import sys
from collections.abc import Iterator

import pytest

from app.core.short_turns import SHORT_TURN, ShortTurns

USUAL = 0.004


@pytest.fixture(autouse=True)
def _usual_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(USUAL)
    yield
    sys.setswitchinterval(before)


def test_turns_are_short_until_the_last_block_ends() -> None:
    turns = ShortTurns()
    for _ in range(2):
        with turns:
            with turns:
                assert sys.getswitchinterval() == pytest.approx(SHORT_TURN)
            assert sys.getswitchinterval() == pytest.approx(SHORT_TURN)
        assert sys.getswitchinterval() == pytest.approx(USUAL)


def test_turns_that_are_shorter_already_stay_so() -> None:
    sys.setswitchinterval(SHORT_TURN / 10)
    with ShortTurns():
        assert sys.getswitchinterval() == pytest.approx(SHORT_TURN / 10)
    assert sys.getswitchinterval() == pytest.approx(SHORT_TURN / 10)
