"""The OpenAPI document that is made of a contract's operations."""

from dataclasses import replace
from typing import Annotated, Any, Literal, NotRequired

import pytest
from typing_extensions import TypedDict

from app.rest import About, Answer, Flag, Operation, Text, Whole, in_path, sent
from app.rest.bodies import ABSENT, Body, Listed, Needed, Ruled, Within
from app.rest.openapi import document
from tests.rest.shelf import CONTRACT, DESCRIPTION, get_shelf

PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Told"}}}


class Part(Body):
    """A part."""

    text: Needed[Annotated[str, Within(1, 9)]]
    kind: Literal["a", "b"] = "a"


class Sending(Body):
    """What is sent."""

    parts: Annotated[Listed[Part], Within(most=5)] | None = None
    left: Ruled[Annotated[int, Within(0)] | None] = ABSENT


class Found(TypedDict):
    """What is found."""

    title: str | None
    place: Literal["here"] | None
    below: "NotRequired[Found]"


def described(operation: Operation, **changes: Any) -> Any:
    description = replace(DESCRIPTION, **changes)
    return document(replace(CONTRACT, operations=(operation,), description=description))


def operation(**about: Any) -> Operation:
    given: dict[str, Any] = {"answer": Answer(200, "Found.", Found), **about}
    return Operation(
        "POST", "/shelf/{id}", get_shelf, About("find", "Find.", parameters=(in_path("id", "It."),), **given)
    )


def test_the_document_of_a_contract() -> None:
    made: Any = document(CONTRACT)
    assert (made["openapi"], made["info"]) == ("3.1.0", {"title": "Shelf", "version": "1", "description": "The books."})
    assert made["security"] == [{"bearer": []}, {"token": []}, {"apiKey": []}, {"basic": []}, {"ticket": []}]
    # What is not described is not there.
    assert {path: set(found) for path, found in made["paths"].items()} == {
        "/shelf": {"get"},
        "/shelf/books/{id}": {"get", "patch"},
    }
    book = {"id": "string", "name": "string"}
    tags = {"type": "array", "items": {"type": "string"}}
    assert made["components"]["schemas"]["Book"] == {
        "type": "object",
        "description": "A book.",
        "properties": {**{name: {"type": of} for name, of in book.items()}, "tags": tags},
        "required": ["id", "name", "tags"],
    }
    assert made["components"]["responses"]["NotFound"] == {"description": "There is no such thing.", "content": PROBLEM}
    assert made["components"]["responses"]["Unavailable"]["headers"].keys() == {"Retry-After"}
    assert made["paths"]["/shelf/books/{id}"]["get"]["responses"].keys() == {
        *("200", "400", "401", "403", "404", "429", "503")
    }


def test_shapes_of_what_is_sent_and_found() -> None:
    schemas = described(operation(body=sent(Sending)))["components"]["schemas"]
    assert schemas["Sending"] == {
        "type": "object",
        "description": "What is sent.",
        "properties": {
            "parts": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Part"}, "maxItems": 5},
            "left": {"type": ["integer", "null"], "minimum": 0},
        },
    }
    assert schemas["Part"]["properties"] == {
        "text": {"type": "string", "minLength": 1, "maxLength": 9},
        "kind": {"type": "string", "enum": ["a", "b"], "default": "a"},
    }
    assert schemas["Part"]["required"] == ["text"]
    assert schemas["Found"]["properties"] == {
        "title": {"type": ["string", "null"]},
        "place": {"anyOf": [{"type": "string", "const": "here"}, {"type": "null"}]},
        "below": {"$ref": "#/components/schemas/Found"},
    }
    assert schemas["Found"]["required"] == ["title", "place"]


def test_what_an_operation_takes_and_answers() -> None:
    about = {
        "body": sent(Sending, "application/json", "text/json", required=False),
        "otherwise": (Answer(400, "Another.", str),),
        "refuses": (404,),
        "tags": ("books",),
    }
    found = described(operation(**about), answered_in=("a/b", "c/d"))["paths"]["/shelf/{id}"]["post"]
    assert found["requestBody"]["required"] is False
    assert found["requestBody"]["content"].keys() == {"application/json", "text/json"}
    assert found["responses"].keys() == {*("200", "400", "401", "403", "404", "413", "415", "429", "503")}
    assert found["responses"]["200"]["content"].keys() == {"a/b", "c/d"}
    assert found["responses"]["400"]["content"]["a/b"] == {"schema": {"type": "string"}}
    assert found["responses"]["404"] == {"$ref": "#/components/responses/NotFound"}
    assert (found["operationId"], found["summary"], found["tags"]) == ("find", "Find.", ["books"])


def test_a_public_operation_needs_no_key_and_an_answer_may_be_empty() -> None:
    found = described(replace(operation(answer=Answer(204, "Done.")), public=True))["paths"]["/shelf/{id}"]["post"]
    assert found["security"] == []
    assert found["responses"] == {"204": {"description": "Done."}}


def test_paths_are_told_below_the_server() -> None:
    found = described(operation(), server="/shelf")
    assert (list(found["paths"]), found["servers"]) == (["/{id}"], [{"url": "/shelf"}])


def test_statuses_may_have_bodies_of_their_own() -> None:
    responses = described(operation(), errors={403: str})["components"]["responses"]
    assert responses["Forbidden"]["content"]["application/json"]["schema"] == {"type": "string"}
    assert responses["Unauthorized"]["content"] == PROBLEM


@pytest.mark.parametrize(
    ("parameter", "schema"),
    [
        (Text("a", "A."), {"type": "string"}),
        (Text("a", "A.", least=1, most=3), {"type": "string", "minLength": 1, "maxLength": 3}),
        (Text("a", "A.", among=("x", "y")), {"type": "string", "enum": ["x", "y"]}),
        (Whole("a", "A.", least=0, most=9), {"type": "integer", "minimum": 0, "maximum": 9}),
        (Whole("a", "A.", least=0, most=9, default=0), {"type": "integer", "minimum": 0, "maximum": 9, "default": 0}),
        (Flag("a", "A."), {"type": "boolean"}),
        (Flag("a", "A.", default=False), {"type": "boolean", "default": False}),
    ],
)
def test_parameters(parameter: Text | Whole | Flag, schema: Any) -> None:
    about = About("find", "Find.", parameters=(parameter,), answer=Answer(204, "Done."))
    found = described(Operation("GET", "/shelf", get_shelf, about))["paths"]["/shelf"]["get"]["parameters"]
    assert found == [{"name": "a", "in": "query", "required": False, "description": "A.", "schema": schema}]


def test_a_path_declares_its_parameters() -> None:
    about = About("find", "Find.", answer=Answer(204, "Done."))
    with pytest.raises(ValueError, match=r"GET /shelf/\{id\} declares the parameters \[\]"):
        described(Operation("GET", "/shelf/{id}", get_shelf, about))
