"""Turns of threads are short while a block lasts, and as before afterwards."""

import asyncio
import sys
from collections.abc import Iterator

import pytest

from app.core.short_turns import SHORT_TURN, ShortTurns, Spell
from tests.serving import PATIENCE, eventually

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


@pytest.mark.anyio
async def test_turns_of_a_spell_are_short_until_it_was_not_prolonged_for_a_while() -> None:
    spell = Spell(ShortTurns(), seconds=0.0)
    for _ in range(2):
        spell.prolong()
        assert sys.getswitchinterval() == pytest.approx(SHORT_TURN)
        await eventually(lambda: sys.getswitchinterval() == pytest.approx(USUAL))


@pytest.mark.anyio
async def test_turns_of_a_spell_stay_short_when_it_is_prolonged() -> None:
    spell = Spell(ShortTurns(), seconds=PATIENCE)
    spell.prolong()
    first, timer = spell._until, spell._timer
    await asyncio.sleep(0.001)
    spell.prolong()
    assert (spell._until > first, spell._timer) == (True, timer)
    spell._look()
    assert sys.getswitchinterval() == pytest.approx(SHORT_TURN)
    for _ in range(2):
        spell.end()
        assert sys.getswitchinterval() == pytest.approx(USUAL)
