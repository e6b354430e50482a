import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.json_text import Number, parse, plain, write

AS_WRITTEN = [
    '{"z":1,"a":2,"m":{"b":[],"a":{}}}',
    "[1.10,1E3,1e+3,-0,-0.0,0.1000,10000000000000000000000000000001,123456789012345678,1234567890123456789]",
    '["é","\\"","\\\\",true,false,null,""]',
    "1" * 5000,
    "[]",
    "{}",
]


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_compact_json_comes_back_as_it_was_written(text: str) -> None:
    assert write(parse(text)) == text
    assert write(parse(text.encode())) == text


def test_white_space_and_escapes_are_not_kept() -> None:
    assert write(parse('{ "a" : "\\u00e9" ,\n"b":[ 1.0 ] }')) == '{"a":"é","b":[1.0]}'


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "{'a':1}", "{", "[1,]", '"\n"', "01", ""])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is the reader's own
        parse(text)


def test_numbers_are_floats_to_who_does_not_look() -> None:
    number = parse("1.10")
    assert isinstance(number, Number)
    assert number == 1.1
    assert type(parse("17")) is int
    made = plain({"a": [number, 2, "x"], "b": None})
    assert made == {"a": [1.1, 2, "x"], "b": None}
    assert orjson.dumps(made) == b'{"a":[1.1,2,"x"],"b":null}'


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('aé"\\ 1'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=10,
)


@given(VALUES)
def test_any_compact_json_comes_back_as_it_was_written(value: object) -> None:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert write(parse(text)) == text
