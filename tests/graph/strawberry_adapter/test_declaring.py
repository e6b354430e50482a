"""What `declaring` relies on of the insides of Strawberry."""

from enum import Enum

import pytest
import strawberry
from graphql import GraphQLInputObjectType, GraphQLObjectType, Undefined

from app.graph.strawberry_adapter.declaring import (
    add_field,
    describe_values,
    executable,
    field_names,
    field_of,
    graph_name,
    type_name,
)


def schema_of(query: type) -> GraphQLObjectType:
    found = executable(strawberry.Schema(query), "All of it.").query_type
    assert found is not None
    return found


def test_declared_field_has_its_arguments_and_no_resolver() -> None:
    arguments = [("first_name", str, "The name.", strawberry.UNSET), ("most", int | None, "How many.", 20)]

    @strawberry.type
    class Query:
        people: list[str] = field_of("The people.", arguments)

    field = schema_of(Query).fields["people"]
    assert (str(field.type), field.description) == ("[String!]!", "The people.")
    told = {
        name: (str(each.type), each.description, each.default_value is not Undefined or each.default is not None)
        for name, each in field.args.items()
    }
    assert told == {"firstName": ("String!", "The name.", False), "most": ("Int", "How many.", True)}


def test_added_field_is_there_until_it_is_taken_away() -> None:
    @strawberry.type(name="Person")
    class Human:
        name: str

    @strawberry.type
    class Query:
        person: Human

    take_away = add_field(Human, "home_town", str | None, field_of("The town.", ()))
    assert field_names(Human) == ["name", "home_town"]
    person = schema_of(Query).fields["person"].type.of_type
    assert {name: str(field.type) for name, field in person.fields.items()} == {
        "name": "String!",
        "homeTown": "String",
    }
    take_away()
    assert (type_name(Human), field_names(Human)) == ("Person", ["name"])


def test_values_of_an_enum_get_their_descriptions() -> None:
    @strawberry.enum
    class Colour(Enum):
        RED = "red"

    describe_values(Colour, {"RED": "Like blood."})

    @strawberry.type
    class Query:
        colour: Colour

    colour = schema_of(Query).fields["colour"].type.of_type
    assert colour.values["RED"].description == "Like blood."
    with pytest.raises(KeyError):
        describe_values(Colour, {})


def test_name_in_the_graph_is_the_one_that_strawberry_gives() -> None:
    @strawberry.type
    class Query:
        if_latest_message_2: int

    assert list(schema_of(Query).fields) == [graph_name("if_latest_message_2")]


def test_schema_has_a_description_and_no_null_defaults() -> None:
    @strawberry.input
    class Given:
        note: str | None = None
        most: int = 3

    @strawberry.type
    class Query:
        @strawberry.field
        def read(self, given: Given) -> int:
            raise NotImplementedError

    schema = executable(strawberry.Schema(Query), "All of it.")
    assert schema.description == "All of it."
    given = schema.type_map["Given"]
    assert isinstance(given, GraphQLInputObjectType)
    assert {name: field.default_value for name, field in given.fields.items()} == {"note": Undefined, "most": 3}
