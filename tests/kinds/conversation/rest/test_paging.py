"""Which pages are worth a link."""

import pytest

from app.kinds.conversation.rest.paging import window


@pytest.mark.parametrize(
    ("current", "last", "shown"),
    [
        (1, 1, [1]),
        (5, 13, [*range(1, 14)]),
        (1, 14, [*range(1, 11), None, 13, 14]),
        (7, 20, [*range(1, 11), None, 19, 20]),
        (8, 20, [1, 2, None, 5, 6, 7, 8, 9, 10, 11, None, 19, 20]),
        (13, 20, [1, 2, None, 10, 11, 12, 13, 14, 15, 16, None, 19, 20]),
        (14, 20, [1, 2, None, *range(11, 21)]),
        (99, 20, [1, 2, None, *range(11, 21)]),
    ],
)
def test_window(current: int, last: int, shown: list[int | None]) -> None:
    assert window(current, last) == shown
