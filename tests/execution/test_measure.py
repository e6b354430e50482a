"""What an operation costs: objects, counts and searches."""

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import parse

from app.core.errors import TooComplex
from app.execution.guard import Guard
from app.execution.limits import COUNT_COST, EDGE_COUNT_COST, SEARCH_COST, Limits
from app.execution.measure import Scales
from app.schema import build_schema

LIST = "interactions(first: 10)"


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(build_schema(), Limits())


@pytest.fixture(scope="module")
def scales() -> Scales:
    return Scales(build_schema(), Limits())


def cost(scales: Scales, text: str, variables: Mapping[str, Any] | None = None) -> int:
    (measure,) = scales.weigh(parse(text), variables).values()
    return measure.cost


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{{ {LIST} {{ nodes {{ id }} }} }}", 10),
        (f"{{ {LIST} {{ totalCount }} }}", 10 + COUNT_COST),
        (f"{{ {LIST} {{ totalCount again: totalCount totalCountIsCapped }} }}", 10 + COUNT_COST),
        (f"{{ {LIST} {{ totalCountIsCapped nodes {{ id }} }} }}", 10 + COUNT_COST),
        (f"{{ {LIST} {{ ... {{ totalCount }} }} }}", 10 + COUNT_COST),
        (f"{{ {LIST} {{ ...C }} }} fragment C on InteractionConnection {{ totalCount }}", 10 + COUNT_COST),
        (
            (
                f"{{ {LIST} {{ ...A }} }} fragment A on InteractionConnection {{ ...B }}"
                " fragment B on InteractionConnection { totalCount }"
            ),
            10 + COUNT_COST,
        ),
        (f"{{ {LIST} {{ nodes {{ messages(first: 5) {{ totalCount }} }} }} }}", 10 + 10 * (5 + EDGE_COUNT_COST)),
        (
            (
                f"{{ {LIST} {{ nodes {{ ...M }} }} }} fragment M on Interaction {{ messages(first: 5) {{ ...C }} }}"
                " fragment C on MessageConnection { totalCount }"
            ),
            10 + 10 * (5 + EDGE_COUNT_COST),
        ),
        ('{ searchMessages(text: "word", first: 10) { nodes { id } } }', 10 + SEARCH_COST),
        ('{ searchMessages(text: "word", first: 10) { totalCount } }', 10 + SEARCH_COST + COUNT_COST),
        ('{ customers(search: "word", first: 10) { nodes { id } } }', 10 + SEARCH_COST),
        ("{ customers(search: null, first: 10) { nodes { id } } }", 10),
        ("{ interactionCounts(groupBy: []) { count countIsCapped } }", COUNT_COST + 1),
        ("{ interactionCounts(groupBy: [KIND, STATE]) { groupings { by } } }", COUNT_COST + 2 + 2),
        (
            "{ interactionCounts(groupBy: [ASSIGNEE]) { groupings { groups { node { id } } } } }",
            COUNT_COST + 1 + 1 + 100 + 100,
        ),
        (
            (
                "query($by: [InteractionGrouping!]!) { interactionCounts(groupBy: $by) { groupings { groups { node {"
                " ... on AiAgent { sessions(first: 50) { nodes { id } } } } } } } }"
            ),
            COUNT_COST + 15 + 15 + 1500 + 1500 + 1500 * 50,
        ),
        ("{ customers(first: 10) { nodes { id } } }", 10),
    ],
)
def test_cost_of_counts_and_searches(scales: Scales, text: str, expected: int) -> None:
    assert cost(scales, text) == expected


def test_cost_of_a_search_in_a_variable_is_that_of_its_value(scales: Scales, guard: Guard) -> None:
    text = "query Q($words: String) { customers(search: $words, first: 10) { nodes { id } } }"
    assert cost(scales, text) == cost(scales, text, {"words": "word"}) == 10 + SEARCH_COST
    assert cost(scales, text, {"words": None}) == cost(scales, text, {}) == 10
    many = " ".join(f"a{n}: customers(search: $words, first: 10) {{ nodes {{ id }} }}" for n in range(20))
    document = parse(f"query Q($words: String) {{ {many} }}")
    assert guard.check(document) == {"Q"}
    guard.check_cost(document, "Q", {"words": None})
    with pytest.raises(TooComplex):
        guard.check_cost(document, "Q", {"words": "word"})


@pytest.mark.parametrize(
    "text",
    [
        "{ " + " ".join(f'a{n}: searchMessages(text: "w", first: 1) {{ totalCount }}' for n in range(50)) + " }",
        "{ " + " ".join(f'a{n}: searchMessages(text: "w", first: 1) {{ nodes {{ id }} }}' for n in range(50)) + " }",
        "{ " + " ".join(f"a{n}: interactions(first: 1) {{ totalCount }}" for n in range(50)) + " }",
        "{ interactions(first: 100) { nodes { "
        + " ".join(f"a{n}: messages(first: 1) {{ totalCount }}" for n in range(190))
        + " } } }",
    ],
    ids=["counted searches", "searches", "counted lists", "counted edges"],
)
def test_cost_of_many_counts_is_too_complex(guard: Guard, text: str) -> None:
    with pytest.raises(TooComplex, match="the limit is a cost of 20,000"):
        guard.check(parse(text))


def test_cost_of_an_inbox_with_counted_folders_is_within_the_limit(guard: Guard) -> None:
    folders = " ".join(f"a{n}: interactions(first: 1) {{ totalCount }}" for n in range(8))
    searches = " ".join(f'{name}(search: "w") {{ nodes {{ id }} }}' for name in ("customers", "profiles", "users"))
    page = "attentionQueue(first: 50) { nodes { id messages(last: 5) { totalCount nodes { id text } } } }"
    assert guard.check(parse(f"{{ {folders} {page} }}")) == frozenset()
    assert guard.check(parse(f'{{ {searches} searchMessages(text: "w") {{ totalCount }} }}')) == frozenset()
