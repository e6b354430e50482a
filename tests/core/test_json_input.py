from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from app.core import json_input
from app.core.errors import TooComplex
from app.core.json_input import DEEPEST, LONGEST_ARRAY, MOST_VALUES, NotJson


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def arrays(values: int) -> bytes:
    """So many values, in arrays that are not too long."""
    each = 1_000
    return orjson.dumps([[0] * (each - 1)] * (values // each))


@pytest.mark.parametrize("read", [json_input.loads, json_input.loads_exact])
@pytest.mark.parametrize(
    "text",
    [
        nested(DEEPEST),
        orjson.dumps({str(number): number for number in range(MOST_VALUES)}),
        orjson.dumps([0] * LONGEST_ARRAY),
        arrays(MOST_VALUES),
        orjson.dumps(["[{," * 100_000]),
        b'"a"',
        b"5",
    ],
)
def test_json_within_the_bounds_is_read(read: Any, text: bytes) -> None:
    assert read(text) == read(text.decode()) == orjson.loads(text)


@pytest.mark.parametrize("read", [json_input.loads, json_input.loads_exact])
@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (nested(DEEPEST + 1), "nested too deeply; the limit is 100 objects and arrays"),
        (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "nested too deeply; the limit is 100"),
        (nested(2_000), "nested too deeply; the limit is 100"),  # deeper than orjson reads
        (nested(300_000), "too many values; the limit is 10,000"),
        (
            orjson.dumps({str(number): number for number in range(MOST_VALUES + 1)}),
            "too many values; the limit is 10,000",
        ),
        (orjson.dumps([[]] * (LONGEST_ARRAY + 1)), "an array that is too long; the limit is 5,000 items"),
        (orjson.dumps([[[]] * 4_000] * 3), "too many values; the limit is 10,000"),
        (arrays(MOST_VALUES + 1_000), "too many values; the limit is 10,000"),
    ],
)
def test_json_over_a_bound_is_refused_with_the_limit(read: Any, text: bytes, limit: str) -> None:
    for given in (text, text.decode()):
        with pytest.raises(TooComplex, match=limit) as caught:
            read(given)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("read", [json_input.loads, json_input.loads_exact])
@pytest.mark.parametrize("text", [b"{", b"\xff", b'{"a": NaN}', b"\xef\xbb\xbf1", b""])
def test_json_that_is_malformed_is_refused_without_its_text(read: Any, text: bytes) -> None:
    with pytest.raises(NotJson) as caught:
        read(text)
    assert caught.value.__context__ is None  # the parser's own error holds the text


def test_exact_numbers_keep_their_spelling() -> None:
    (found,) = json_input.loads_exact(b"[1.10]")
    assert found.text == "1.10"


class Counted(list[object]):
    """A list that counts the items that are taken from it."""

    taken = 0

    def __iter__(self) -> Iterator[object]:
        for item in super().__iter__():
            Counted.taken += 1
            yield item


def test_the_values_looked_at_are_bounded_whatever_the_size() -> None:
    values = Counted(Counted([0] * 900) for _ in range(900))
    with pytest.raises(TooComplex):
        json_input.check(values)
    assert Counted.taken <= MOST_VALUES


@pytest.mark.parametrize(
    "text",
    [
        orjson.dumps([{f"u{number}": 1} for number in range(2 * MOST_VALUES)]),
        orjson.dumps({f"u{number}": "x" for number in range(3 * MOST_VALUES)}),
        b"[" + b",".join([b"[[[]]]"] * MOST_VALUES) + b"]",
    ],
    ids=["objects", "members", "arrays"],
)
@pytest.mark.parametrize("decode", [False, True], ids=["bytes", "str"])
def test_json_with_too_many_values_is_refused_unparsed(
    monkeypatch: pytest.MonkeyPatch, text: bytes, decode: bool
) -> None:
    monkeypatch.setattr(json_input, "parsed", lambda _: pytest.fail("it is parsed"))
    for read in (json_input.loads, json_input.loads_exact):
        with pytest.raises(TooComplex, match="too many values"):
            read(text.decode() if decode else text)


@pytest.mark.parametrize(
    "said", ["a, b [c] {d} " * MOST_VALUES, '",[{' * MOST_VALUES, "\\" * 20_000, '\\",' * MOST_VALUES]
)
def test_json_texts_are_no_values_whatever_they_hold(said: str) -> None:
    value = {"said": said, "more": [said]}
    assert json_input.loads(orjson.dumps(value)) == value
    assert json_input.loads(orjson.dumps(value).decode()) == value


@pytest.mark.parametrize("text", ['["' + '\\"' * 9_000, '["' + '\\"' * 9_000 + "\\", '["' + "," * 9_000])
def test_json_text_without_an_end_is_no_json(text: str) -> None:
    for given in (text, text.encode()):
        with pytest.raises(json_input.NotJson):
            json_input.loads(given)


def test_json_is_counted_alike_wherever_a_piece_of_it_ends() -> None:
    said = ["", "a,b", '",[{', "\\", '\\"', '\\\\",', "\0,", "ü,", {'k,"': ["\\\\\\"]}]
    text = orjson.dumps(said)
    for piece in range(2, len(text) + 1):
        json_input.require_few_values(text, 8, piece=piece)
        with pytest.raises(TooComplex, match="the limit is 7"):
            json_input.require_few_values(text, 7, piece=piece)


@pytest.mark.parametrize("text", [b"[" + b"[]," * 300_000, b'{"a":"b",' * 100_000])
def test_counting_json_stops_at_the_bound_however_long_it_is(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    pieces = json_input._without_strings(text, 16_384)
    monkeypatch.setattr(json_input, "_without_strings", lambda *_: pieces)
    with pytest.raises(TooComplex):
        json_input.require_few_values(text)
    # What was not counted is left.
    assert len(list(pieces)) > 45
