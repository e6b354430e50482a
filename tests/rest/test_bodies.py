"""Models of request bodies: what they read, and which of several faults is told, and how."""

from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Literal

import pytest
from pydantic import PlainValidator, ValidationError

from app.core.errors import Conflict, InvalidInput
from app.rest.bodies import ABSENT, Body, Faults, Listed, Needed, Path, Ruled, Told, told


def gone(path: Path) -> Conflict:
    return Conflict("It is missing.", path=path)


def hour(value: Any) -> int:
    try:
        return datetime.fromisoformat(value).hour
    except ValueError as error:
        found = str(error)
    raise told(f"{found.partition(':')[0]}!")


class Request(Body):
    faults = Faults(
        MappingProxyType({"string_type": "{name} takes text.", "list_type": "An array.", "model_type": "An object."}),
        MappingProxyType({"missing": gone}),
        gives_way=MappingProxyType({"text": "type"}),
    )


class Part(Request):
    """A part."""

    text: Needed[str]
    type: Annotated[Literal["a", "b"], Told("{name} is a or b.")] = "a"


class Whole(Request):
    """A whole."""

    name: str | None = None
    at: Annotated[int, PlainValidator(hour)] = 0
    parts: Listed[Part] = ABSENT
    ruled: Ruled[int] = ABSENT


def refusal(body: Any, model: type[Body] = Whole) -> tuple[type, str, tuple[str | int, ...]]:
    with pytest.raises((InvalidInput, Conflict)) as caught:
        model.read(body)
    # Nothing leads from the refusal to what the client sent.
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
    return type(caught.value), caught.value.message, tuple(caught.value.path)


def test_what_is_given_is_told_from_what_is_absent() -> None:
    found = Whole.read({"parts": [{"text": "x", "more": 1}], "more": 1, "name": None})
    assert found.given() == {"name": None, "parts": [Part(text="x")]}
    assert Whole.read({}).given() == {}


def test_what_the_rules_check_is_kept_as_it_came() -> None:
    value = {"a": [1]}
    assert Whole.read({"ruled": value}).given()["ruled"] is value


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": 5}, (InvalidInput, "name takes text.", ("name",))),
        ({"name": True, "parts": 7}, (InvalidInput, "name takes text.", ("name",))),
        ({"parts": 7}, (InvalidInput, "An array.", ("parts",))),
        ({"parts": {"0": "x"}}, (InvalidInput, "An array.", ("parts",))),
        ({"parts": [{"text": "x"}, "y"]}, (InvalidInput, "An object.", ("parts", 1))),
        ({"parts": [{}]}, (Conflict, "It is missing.", ("parts", 0, "text"))),
        ({"parts": [{"text": None}]}, (Conflict, "It is missing.", ("parts", 0, "text"))),
        ({"parts": [{"text": "x", "type": "c"}]}, (InvalidInput, "type is a or b.", ("parts", 0, "type"))),
        ({"at": "{name} secret"}, (InvalidInput, "Invalid isoformat string!", ("at",))),
        ([], (InvalidInput, "An object.", ())),
    ],
)
def test_the_first_fault_is_told_in_the_words_of_the_contract(body: Any, expected: Any) -> None:
    assert refusal(body) == expected


def test_a_wrong_type_gives_way_and_absence_does_not() -> None:
    assert refusal({"text": 1, "type": 1}, Part) == (InvalidInput, "type is a or b.", ("type",))
    assert refusal({"type": 1}, Part) == (Conflict, "It is missing.", ("text",))
    assert refusal({"text": 1}, Part) == (InvalidInput, "text takes text.", ("text",))


def test_a_type_without_words_of_the_contract_is_refused_too() -> None:
    class Bare(Body):
        number: int

    assert refusal({"number": "1"}, Bare) == (InvalidInput, "This is of a wrong type.", ("number",))


def test_an_array_is_looked_at_up_to_its_first_fault() -> None:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate({"name": 1, "parts": [{"text": "x"}, *[{"text": 1}] * 5_000]})
    assert [error["loc"] for error in caught.value.errors()] == [("name",), ("parts", 1, "text")]


def test_no_value_that_came_is_in_the_text_of_an_error() -> None:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate({"name": {"secret": 1}})
    assert "secret" not in str(caught.value)
