"""Pages and cursors: what is accepted, and what is refused with which path."""

import base64
import json
from typing import Any

import pytest

from app.core.errors import InvalidCursor, InvalidInput
from app.core.paging import Page, decode_cursor, encode_cursor, page_of


@pytest.mark.parametrize(
    ("arguments", "page"),
    [
        ({}, Page(20)),
        ({"first": 1}, Page(1)),
        ({"first": 100, "after": "c"}, Page(100, cursor="c")),
        ({"after": "c"}, Page(20, cursor="c")),
        ({"last": 1}, Page(1, backward=True)),
        ({"last": 100, "before": "c"}, Page(100, backward=True, cursor="c")),
        ({"before": "c"}, Page(20, backward=True, cursor="c")),
    ],
)
def test_page_of_arguments(arguments: dict[str, Any], page: Page) -> None:
    assert page_of(**arguments) == page


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"first": 1, "last": 1}, "last"),
        ({"after": "c", "before": "c"}, "before"),
        ({"last": 1, "after": "c"}, "after"),
        ({"first": 1, "before": "c"}, "before"),
        ({"first": 0}, "first"),
        ({"first": 101}, "first"),
        ({"last": 0}, "last"),
        ({"last": 101}, "last"),
    ],
)
def test_page_is_refused_with_the_path_of_the_argument(arguments: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        page_of(**arguments)
    assert refused.value.path == (fault,)
    assert str(refused.value) == refused.value.message != ""


def test_cursor_gives_the_values_that_it_was_made_of() -> None:
    values: list[str | int] = ["é", -(2**63), 2**63 - 1]
    cursor = encode_cursor("created", values)
    assert "=" not in cursor
    assert decode_cursor("created", cursor, [str, int, int], path=()) == values
    longest = encode_cursor("o", ["x" * 12_280])
    assert len(longest) == 16_384
    assert decode_cursor("o", longest, [str], path=()) == ["x" * 12_280]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "?",
        "e30",
        encode_cursor("other", [1]),
        encode_cursor("order", []),
        encode_cursor("order", [1, 2]),
        encode_cursor("order", ["1"]),
        encode_cursor("order", [None]),
        encode_cursor("order", [2**63]),
        base64.urlsafe_b64encode(json.dumps(["order", True]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["order", -(2**63) - 1]).encode()).decode(),
        base64.urlsafe_b64encode((" " * 12_280 + json.dumps(["order", 1])).encode()).decode(),
    ],
)
def test_cursor_of_something_else_is_refused_with_its_path(cursor: str) -> None:
    with pytest.raises(InvalidCursor) as refused:
        decode_cursor("order", cursor, [int], path=("after",))
    assert refused.value.path == ("after",)
