"""Event cursors."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidCursor
from app.storage.event_log import Cursor, parse_cursor

cursors = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=64).map(lambda found: Cursor(tuple(found)))


@given(cursors)
def test_a_cursor_survives_its_text(cursor: Cursor) -> None:
    assert parse_cursor(str(cursor)) == cursor


@given(st.text(max_size=60))
def test_what_we_did_not_write_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        parse_cursor(text)


@given(cursors, st.data())
def test_a_changed_or_shortened_cursor_is_refused(cursor: Cursor, data: st.DataObject) -> None:
    text = str(cursor)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABCXYZabcxyz0189-_=+/ \x00é").filter(lambda found: found != text[place]))
    for forged in (text[:place] + other + text[place + 1 :], text[:place], text + other):
        with pytest.raises(InvalidCursor) as refused:
            parse_cursor(forged)
        assert refused.value.path == ("after",)


def test_the_text_is_short_and_fixed() -> None:
    assert str(Cursor((300,))) == "AQGsAt1kt24"
    assert len(str(Cursor((1000,) * 64))) == 179


@pytest.mark.parametrize("text", ["", "A", "AQ", "A" * 100_000, urlsafe_b64encode(bytes(200)).decode()])
def test_odd_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        parse_cursor(text)


def test_a_cursor_only_moves_forward() -> None:
    start = Cursor.start(3)
    later = start.advance(1, 5)
    assert later == Cursor((0, 5, 0))
    assert later.advance(1, 4) is later
    assert later.advance_all([(0, 2), (1, 3), (2, 1), (2, 7)]) == Cursor((2, 5, 7))
    assert (later.has_seen(1, 5), later.has_seen(1, 6)) == (True, False)


def test_cursors_are_ordered_in_part() -> None:
    low, high, aside = Cursor((1, 1)), Cursor((1, 2)), Cursor((2, 1))
    assert low <= high
    assert high >= low
    assert not high <= low
    assert not high <= aside
    assert not aside <= high
