"""What `python -m app explain` tells. Plans of the example operations are files, so that a change of one is seen."""

import os
from pathlib import Path

import orjson
import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from app.commands.explaining import lines_of
from app.core.actor import Actor
from app.execution.explaining import Explanation, explain
from app.execution.outcome import Phase, Refused
from app.graph.context import Context
from app.http.pages.examples import EXAMPLES
from tests.graph.filled import Filled
from tests.graph.running import Graph

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

PLANS = Path(__file__).parent / "plans"

RENEW = "SWITCHBOARD_TESTS_RENEW_PLANS"
"""The variable of the environment with which the files are written in place of being compared."""


def queries() -> dict[str, tuple[str, str]]:
    """The example queries by name, with their variables as JSON."""
    found = {}
    for example in EXAMPLES:
        for node in parse(example.query).definitions:
            if isinstance(node, OperationDefinitionNode) and node.operation is OperationType.QUERY:
                assert node.name is not None
                found[node.name.value] = (example.query, example.variables or "{}")
    return found


async def explained(graph: Graph, text: str, variables: str = "{}", *permissions: str) -> Explanation:
    actor = Actor(user_id=1, name="Ada", permissions=frozenset(permissions), is_admin=not permissions)
    context = Context(graph.database, actor, graph.settings, graph.clock)
    return await explain(graph.operations, text, None, orjson.loads(variables), context)


def as_written(found: Explanation, dialect: str) -> str:
    """The explanation with its SQL, without what depends on the rows: their number and, on PostgreSQL, the index."""
    lines = [line for line in lines_of(found, sql=True) if not line.lstrip().startswith("> ")]
    for place, line in enumerate(lines):
        number, _, told = line.partition(" ")
        if number[0:1].isdigit():
            lines[place] = number if dialect == "postgresql" else f"{number} {told.partition(', ')[2]}"
    return "".join(f"{line.rstrip()}\n" for line in lines)


@pytest.mark.parametrize("name", queries())
async def test_plan_of_an_example_is_the_one_in_its_file(filled: Filled, name: str) -> None:
    graph = filled.graph
    dialect = graph.database.dialect.name
    file = PLANS / f"{name}.{dialect}.txt"
    told = as_written(await explained(graph, *queries()[name]), dialect)
    if RENEW in os.environ:
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8"), f"./scripts/test with {RENEW}=1 writes the file"


def test_there_is_no_plan_of_a_query_that_is_no_example() -> None:
    dialects = ("postgresql", "sqlite")
    assert sorted(file.name for file in PLANS.iterdir()) == sorted(
        f"{name}.{dialect}.txt" for name in queries() for dialect in dialects
    )


async def test_explanation_has_cost_statements_and_what_the_plan_is_cached_by(graph: Graph) -> None:
    text = "query Q($all: Boolean!) { interactions(first: 5) { totalCount @include(if: $all) nodes { id } } }"
    both = await explained(graph, text, '{"all": true}')
    assert (both.name, both.snapshot, both.personal, both.errors) == ("Q", True, False, ())
    assert both.cached_by[3:] == ("the value of $all",)
    assert [each.rows for each in both.statements] == [0, 1]
    assert all(each.sql.startswith("SELECT") and each.steps for each in both.statements)
    page = await explained(graph, text, '{"all": false}')
    assert (page.snapshot, len(page.statements)) == (False, 1)
    larger = await explained(graph, text.replace("first: 5", "first: 50"), '{"all": false}')
    assert 0 < page.cost < larger.cost < larger.most_cost


async def test_explanation_shows_what_the_caller_may_see(filled: Filled) -> None:
    graph = filled.graph
    text = "{ interactions(first: 100) { nodes { id } } }"
    everything = await explained(graph, text)
    sessions = await explained(graph, text, "{}", "session:read")
    assert 0 < sessions.statements[0].rows < everything.statements[0].rows
    refused = await explained(graph, '{ customer(id: "cus_1") { id } }', "{}", "session:read")
    assert (refused.statements, len(refused.errors)) == ((), 1)


@pytest.mark.parametrize(
    ("text", "phase", "message"),
    [
        ("{ nothing }", Phase.VALIDATION, "Cannot query field"),
        ("{", Phase.PARSE, "Syntax Error"),
        ("mutation { markRead(input: {id: 1}) { errors { code } } }", Phase.OPERATION, "Only queries"),
        ("query ($id: ID!) { node(id: $id) { id } }", Phase.VARIABLES, "does not fit"),
    ],
)
async def test_explanation_of_what_cannot_run_is_refused(graph: Graph, text: str, phase: Phase, message: str) -> None:
    with pytest.raises(Refused) as refused:
        await explained(graph, text)
    assert refused.value.phase is phase
    assert message in str(refused.value.entries[0]["message"])
