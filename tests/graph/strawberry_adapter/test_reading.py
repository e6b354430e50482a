"""What `reading` relies on of the insides of Strawberry and of graphql-core."""

from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    parse,
    validate,
)
from strawberry import Maybe

from app.graph.strawberry_adapter.declaring import executable
from app.graph.strawberry_adapter.reading import (
    EXACTLY_ONE,
    default_of,
    identity_of,
    is_one_of,
    may_only_be_absent,
    python_name,
    signature_of,
)


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.input
class Given:
    first_name: Maybe[str]
    last_name: Maybe[str | None]
    nick_name: str | None = None
    colour: Colour = Colour.RED


@strawberry.input(one_of=True)
class Either:
    name: Maybe[str]
    number: Maybe[int]


@strawberry.interface
class Named:
    name: str = strawberry.field(description="The name.")


@strawberry.type
class Book(Named):
    pages: int


@strawberry.type
class Query:
    book: Book

    @strawberry.field
    def read(self, given: Given, either: Either, most_pages: int = 20) -> int:
        raise NotImplementedError


SCHEMA: GraphQLSchema = executable(strawberry.Schema(Query), "")


def fields_of(name: str) -> Any:
    type_ = SCHEMA.type_map[name]
    assert isinstance(type_, GraphQLInputObjectType | GraphQLInterfaceType | GraphQLObjectType)
    return type_.fields


def test_field_of_a_type_is_the_one_of_its_interface() -> None:
    assert identity_of(fields_of("Book")["name"]) == identity_of(fields_of("Named")["name"])
    assert identity_of(fields_of("Book")["pages"]) != identity_of(fields_of("Book")["name"])


def test_field_that_may_be_absent_and_not_null_is_known() -> None:
    found = {name: may_only_be_absent(field) for name, field in fields_of("Given").items()}
    assert found == {"firstName": True, "lastName": False, "nickName": False, "colour": False}
    assert not may_only_be_absent(fields_of("Query")["read"])


def test_names_in_python_are_those_of_the_class() -> None:
    read = fields_of("Query")["read"]
    assert {name: python_name(each, name) for name, each in read.args.items()}["mostPages"] == "most_pages"
    given = fields_of("Given")
    assert [python_name(field, name) for name, field in given.items()] == [
        "first_name",
        "last_name",
        "nick_name",
        "colour",
    ]


def test_defaults_are_neutral() -> None:
    assert default_of(fields_of("Query")["read"].args["mostPages"]) == 20
    assert default_of(fields_of("Query")["read"].args["given"]) is Undefined
    assert default_of(fields_of("Given")["colour"]) == "RED"


@pytest.mark.parametrize(("written", "default"), [("Int = 5", 5), ("Colour = RED", "RED"), ("Int", Undefined)])
def test_signature_of_a_variable_has_its_default(written: str, default: object) -> None:
    (operation,) = parse(f"query ($value: {written}) {{ book {{ name }} }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    (definition,) = operation.variable_definitions or ()
    signature = signature_of(SCHEMA, definition)
    assert str(signature.type) == written.partition(" ")[0]
    assert default_of(signature) == default


@pytest.mark.parametrize(("given", "faults"), [('{name: "n"}', 0), ('{name: "n", number: 1}', 1), ("{}", 1)])
def test_input_of_which_one_field_is_given_is_known_and_validated(given: str, faults: int) -> None:
    either, other = SCHEMA.type_map["Either"], SCHEMA.type_map["Given"]
    assert isinstance(either, GraphQLInputObjectType)
    assert isinstance(other, GraphQLInputObjectType)
    assert (is_one_of(either), is_one_of(other)) == (True, False)
    document = parse(f'{{ read(given: {{firstName: "a"}}, either: {given}) }}')
    assert len(validate(SCHEMA, document, [EXACTLY_ONE])) == faults
