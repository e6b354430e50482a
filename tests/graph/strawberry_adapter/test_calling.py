"""What `calling` relies on of the insides of Strawberry and of graphql-core."""

from enum import Enum
from typing import Any, cast

import pytest
import strawberry
from graphql import FieldNode, OperationDefinitionNode, parse
from strawberry import Maybe, Some
from strawberry.types.field import StrawberryField

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.execution.arguments import Constants, arguments_of
from app.execution.coercion import Coercions
from app.graph.context import Context, Info
from app.graph.inputs import changes
from app.graph.strawberry_adapter.calling import Calls
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import ManualClock

pytestmark = pytest.mark.anyio


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = "green"


@strawberry.input
class Part:
    colours: list[Colour]
    parts: list["Part"] | None


@strawberry.input
class ChangeInput:
    name: Maybe[str]
    note: Maybe[str | None]
    labels: list[str] = strawberry.field(default_factory=list)
    if_version: int | None = None
    part: Maybe[Part | None] = None


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self, info: Info, input: ChangeInput, times: int = 2) -> str:
        return {"actor": info.context.actor.name, "input": input, "times": times, "self": self}  # type: ignore[return-value]

    @strawberry.mutation
    def plain(self, value: str) -> str:
        return {"value": value}  # type: ignore[return-value]


@strawberry.type
class Query:
    unused: int


schema = strawberry.Schema(Query, Mutation)


async def call(
    database: Database, settings: Settings, clock: ManualClock, text: str, **given: object
) -> dict[str, object]:
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    node = operation.selection_set.selections[0]
    root = schema._schema.mutation_type
    assert root is not None
    definition = root.fields[node.name.value]  # type: ignore[attr-defined]
    constants = Constants()
    arguments, _ = arguments_of(definition, cast("FieldNode", node), constants)
    variables = Coercions(schema._schema).variables(operation).neutral(given)
    context = Context(database, Actor(user_id=1, name="Ada"), settings, clock)
    return await Calls().prepare(definition, arguments)({**variables, **constants.values}, context)


async def test_inputs_become_instances_and_keep_what_was_absent(
    database: Database, settings: Settings, clock: ManualClock
) -> None:
    text = "mutation ($i: ChangeInput!) { change(input: $i) }"
    row = await call(database, settings, clock, text, i={"note": None, "labels": ["a"]})
    assert row == {
        "actor": "Ada",
        "input": ChangeInput(name=None, note=Some(None), labels=["a"], if_version=None),
        "times": 2,
        "self": None,
    }
    assert changes(dict[str, Any], row["input"], "name", "note") == {"note": None}
    row = await call(database, settings, clock, text, i={"name": "n", "note": "x", "ifVersion": 3})
    assert changes(dict[str, Any], row["input"], "name", "note") == {"name": "n", "note": "x"}
    assert row["input"].if_version == 3  # type: ignore[attr-defined]


async def test_literals_and_plain_functions_work(database: Database, settings: Settings, clock: ManualClock) -> None:
    assert await call(database, settings, clock, 'mutation { plain(value: "x") }') == {"value": "x"}
    row = await call(database, settings, clock, 'mutation { change(input: {name: "n"}, times: 5) }')
    assert (row["times"], changes(dict[str, Any], row["input"], "name", "note")) == (5, {"name": "n"})


async def test_null_for_what_cannot_be_null_is_the_callers_fault(
    database: Database, settings: Settings, clock: ManualClock
) -> None:
    with pytest.raises(InvalidInput, match=r"^This may be left out, but it cannot be null\.$"):
        await call(database, settings, clock, "mutation ($n: String) { change(input: {name: $n}) }", n=None)


async def test_mutation_arguments_hold_enums_and_inputs_within_inputs(
    database: Database, settings: Settings, clock: ManualClock
) -> None:
    part = {"colours": ["RED", "GREEN"], "parts": [{"colours": []}]}
    expected: Some[Part | None] = Some(Part(colours=[Colour.RED, Colour.GREEN], parts=[Part(colours=[], parts=None)]))
    texts: dict[str, dict[str, object]] = {
        "mutation ($i: ChangeInput!) { change(input: $i) }": {"i": {"part": part}},
        "mutation ($p: Part) { change(input: {part: $p}) }": {"p": part},
        "mutation ($c: Colour!) { change(input: {part: {colours: [$c, GREEN], parts: {colours: []}}}) }": {"c": "RED"},
        "mutation { change(input: {part: {colours: [RED, GREEN], parts: [{colours: []}]}}) }": {},
    }
    for text, given in texts.items():
        row = await call(database, settings, clock, text, **given)
        assert row["input"] == ChangeInput(name=None, note=None, part=expected), text


async def test_mutation_arguments_of_one_run_are_not_those_of_the_next(
    database: Database, settings: Settings, clock: ManualClock
) -> None:
    operation = parse('mutation { change(input: {name: "n", labels: ["a"]}) }').definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    root = schema._schema.mutation_type
    assert root is not None
    constants = Constants()
    node = cast("FieldNode", operation.selection_set.selections[0])
    arguments, _ = arguments_of(root.fields["change"], node, constants)
    run = Calls().prepare(root.fields["change"], arguments)
    context = Context(database, Actor(user_id=1, name="Ada"), settings, clock)
    for _ in range(2):
        labels = (await run(constants.values, context))["input"].labels
        assert labels == ["a"]
        labels.append("b")


def test_a_field_leads_to_its_resolver() -> None:
    root = schema._schema.mutation_type
    assert root is not None
    field = root.fields["change"].extensions["strawberry-definition"]
    assert isinstance(field, StrawberryField)
    assert field.base_resolver is not None
    assert field.base_resolver.info_parameter is not None
    assert field.base_resolver.info_parameter.name == "info"
    assert [argument.python_name for argument in field.arguments] == ["input", "times"]
