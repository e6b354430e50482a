"""Documents that are refused again cost nothing again."""

import pytest

from app.core.actor import Actor
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest, Phase, Refused
from app.execution.refusals import Refusal, Refusals
from app.graph.context import Context
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.kit.library import READER
from tests.kit.library_fixtures import Run

pytestmark = pytest.mark.anyio

COSTLY = " books(first: 100) { nodes { id } } } } } } } } }"
NOBODY = Actor(user_id=9, name="Nobody")


@pytest.mark.parametrize(
    ("query", "phase"),
    [
        ("{ book(", "PARSE"),
        ("{ nothing }", "VALIDATION"),
        ("fragment F on Book { ...F } { books { nodes { ...F } } }", "VALIDATION"),
        ("{ books(first: 100) { nodes { author { books(first: 100) { nodes { author {" + COSTLY, "VALIDATION"),
        ('{ book(id: "\\u0000") { id } }', "VALIDATION"),
    ],
)
async def test_refused_document_is_read_once(run: Run, operations: Operations, query: str, phase: str) -> None:
    first = await run(query)
    assert first["phase"] == phase
    assert (operations.compiling.done, len(operations.refusals)) == (1, 1)
    for actor in (READER, NOBODY, READER):
        assert await run(query, {"x": [1]}, actor=actor, name="Other") == first
    # Documents of a caller without permissions have another limit, which is another reason to refuse them.
    assert (operations.compiling.done, len(operations.refusals)) == (2, 2)


async def test_refusal_of_a_caller_without_permissions_is_not_that_of_others(
    operations: Operations, library: Database, settings: Settings, clock: ManualClock, run: Run
) -> None:
    long = "{ " + " ".join(f'b{number}: book(id: "boo_1") {{ id }}' for number in range(49)) + " }"
    context = Context(library, NOBODY, settings, clock)
    for _ in range(2):
        refused = await operations.run(GraphQLRequest(long), context)
        assert b"the limit is 500" in refused.body
        assert operations.compiling.done == 1
    assert "errors" not in await run(long, actor=READER)


async def test_refused_document_of_a_caller_whose_share_is_used_up_is_refused_again(
    run: Run, operations: Operations
) -> None:
    first = await run("{ nothing }")
    operations.compiling.charge(READER.caller, 1e6)
    assert await run("{ nothing }", actor=READER) == first


async def test_refusals_that_are_kept_are_bounded(run: Run, operations: Operations) -> None:
    for number in range(1_500):
        operations.refusals.put(operations.refusals.name(f"{number}", None), refusal("x" * 100))
    assert 300 < len(operations.refusals) < 450


def refusal(message: str) -> Refusal:
    return Refusal(Refused([{"message": message}], Phase.VALIDATION))


def test_refusal_keeps_neither_a_long_text_nor_a_long_answer() -> None:
    refusals = Refusals()
    assert refusals.name("x" * 100_000, None) is None
    refusals.put(None, refusal("x"))
    refusals.put(refusals.name("x", None), refusal("x" * 20_000))
    assert len(refusals) == 0
    assert refusals.get(None) is None


def test_refusal_is_told_each_time_by_another_error() -> None:
    refusals = Refusals()
    name = refusals.name("x", 500)
    refusals.put(name, refusal("x"))
    assert refusals.get(refusals.name("x", None)) is None
    kept = refusals.get(name)
    assert kept is not None
    first, second = kept.again(), kept.again()
    assert first is not second
    assert first.entries == second.entries == [{"message": "x"}]
    assert first.phase is Phase.VALIDATION
