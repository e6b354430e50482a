from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest, Phase
from app.graph.context import Context
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.kit.library import ADMIN, READER
from tests.kit.library_fixtures import Run

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]


def errors_of(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["extensions"]["code"], error["message"]) for error in answer["errors"]]


@pytest.mark.both_databases
async def test_reads_columns_neighbours_and_pages_under_their_response_names(run: Run) -> None:
    answer = await run(
        """query ($n: Int = 1, $genres: [Genre!]) {
             kind: __typename
             authors(first: $n) {
               totalCount
               edges { node { name novels: books(filter: {genres: $genres}) { edges { node { ...Title } } }
                              essays: books(filter: {genres: ESSAY}) { edges { node { ...Title } } } } }
             }
           }
           fragment Title on Book { title publishedAt }""",
        {"genres": ["NOVEL"]},
    )
    at = "2026-01-05T09:00:00.000000Z"
    assert answer == {
        "data": {
            "kind": "Query",
            "authors": {
                "totalCount": 2,
                "edges": [
                    {
                        "node": {
                            "name": "Ursula",
                            "novels": {"edges": [{"node": {"title": "The Dispossessed", "publishedAt": at}}]},
                            "essays": {"edges": [{"node": {"title": "Steering the Craft", "publishedAt": at}}]},
                        }
                    }
                ],
            },
        }
    }


async def test_an_absent_and_a_null_filter_are_left_out(run: Run) -> None:
    query = "query ($g: [Genre!], $title: String) { books(filter: {genres: $g, title: $title}) { totalCount } }"
    for variables in ({}, {"g": None}, {"g": None, "title": None}):
        assert await run(query, variables) == {"data": {"books": {"totalCount": 3}}}
    assert await run(query, {"title": "Invisible Cities"}) == {"data": {"books": {"totalCount": 1}}}


async def test_skip_and_include_choose_a_plan_by_their_values(run: Run) -> None:
    query = 'query ($a: Boolean!, $b: Boolean!) { book(id: "boo_1") { id title @include(if: $a) genre @skip(if: $b) } }'
    assert await run(query, {"a": True, "b": True}) == {"data": {"book": {"id": "boo_1", "title": "The Dispossessed"}}}
    assert await run(query, {"a": False, "b": False}) == {"data": {"book": {"id": "boo_1", "genre": "NOVEL"}}}
    assert await run(query, {"a": False, "b": True}) == {"data": {"book": {"id": "boo_1"}}}


@pytest.mark.parametrize("directive", ["skip", "include"])
async def test_a_condition_that_is_null_is_refused(run: Run, directive: str) -> None:
    query = f'query ($a: Boolean = true) {{ book(id: "boo_1") {{ id title @{directive}(if: $a) }} }}'
    expected = {"id": "boo_1"} if directive == "skip" else {"id": "boo_1", "title": "The Dispossessed"}
    assert await run(query) == {"data": {"book": expected}}
    answer = await run(query, {"a": None})
    assert answer["data"] is None
    assert [(each["message"], each["extensions"]) for each in answer["errors"]] == [
        (f"The condition of @{directive} must not be null.", {"code": "INVALID_INPUT", "argument": ["if"]})
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "argument"),
    [
        ("first: 0", "INVALID_INPUT", "first"),
        ('after: "x"', "INVALID_CURSOR", "after"),
        ("first: $n, last: 1", "INVALID_INPUT", "last"),
    ],
)
async def test_a_payload_that_cannot_be_read_is_refused_before_anything_is_done(
    run: Run, arguments: str, code: str, argument: str
) -> None:
    query = f"""mutation ($n: Int) {{
      a: updateBook(input: {{id: "boo_1", title: "A"}}) {{
        book {{ author {{ one: books(first: 1, after: null) {{ totalCount }} books(last: $n) {{ totalCount }} }} }}
      }}
      b: updateBook(input: {{id: "boo_2", title: "B"}}) {{
        book {{ author {{ books({arguments}) {{ totalCount }} }} }}
      }}
    }}"""
    answer = await run(query, {"n": 1})
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]) == (["b"], {"code": code, "argument": [argument]})
    books = await run("{ books { nodes { title } } }")
    assert [book["title"] for book in books["data"]["books"]["nodes"]] == [
        "The Dispossessed",
        "Steering the Craft",
        "Invisible Cities",
    ]


async def test_a_repeated_operation_is_prepared_once(run: Run, operations: Operations) -> None:
    query = "query ($id: ID!) { book(id: $id) { title } }"
    for number in (1, 2, 3):
        await run(query, {"id": f"boo_{number}"})
    assert operations.documents.known(query) is not None
    assert len(operations.documents.plans) == 1
    await run(query, {"id": "boo_1"}, actor=READER)
    assert len(operations.documents.plans) == 2


async def test_plans_are_kept_by_how_large_they_are(run: Run, operations: Operations) -> None:
    fields = " ".join(f"f{number}: title" for number in range(190))
    for number in range(200):
        query = f'query Q{number} {{ book(id: "boo_1") {{ {fields} }} }}'
        assert len((await run(query))["data"]["book"]) == 190
    # 8,000 fields are kept; each of these has 190, its root field, and 10 for the plan itself.
    assert len(operations.documents.plans) == 39


async def test_introspection_stands_beside_what_is_read(run: Run) -> None:
    answer = await run(
        '{ __schema { queryType { name } } book(id: "boo_3") { title } b: __type(name: "Book") { kind } }'
    )
    assert answer == {
        "data": {
            "__schema": {"queryType": {"name": "Query"}},
            "book": {"title": "Invisible Cities"},
            "b": {"kind": "OBJECT"},
        }
    }
    assert list(answer["data"]) == ["__schema", "book", "b"]


async def test_introspection_takes_variables(run: Run) -> None:
    query = "query ($name: String!) { __type(name: $name) { name } }"
    assert await run(query, {"name": "Author"}) == {"data": {"__type": {"name": "Author"}}}
    assert await run(query, {"name": "Nobody"}) == {"data": {"__type": None}}


async def test_a_root_field_without_permission_is_null_and_its_siblings_are_answered(run: Run) -> None:
    answer = await run('{\n  secret(id: "boo_1") { id }\n  book(id: "boo_2") { id }\n}', actor=READER)
    assert answer == {
        "data": {"secret": None, "book": {"id": "boo_2"}},
        "errors": [
            {
                "message": "secret needs the permission users:manage.",
                "locations": [{"line": 2, "column": 3}],
                "path": ["secret"],
                "extensions": {"code": "FORBIDDEN"},
            }
        ],
    }
    assert (await run('{ secret(id: "boo_1") { id } }'))["data"] == {"secret": {"id": "boo_1"}}


async def test_a_refused_argument_names_itself(run: Run) -> None:
    answer = await run('query ($n: Int) { book(id: "aut_1") { id } authors(first: $n) { totalCount } }', {"n": 101})
    assert answer["data"] is None
    assert [(error["path"], error["extensions"]) for error in answer["errors"]] == [
        (["book"], {"code": "INVALID_INPUT", "argument": ["id"]}),
        (["authors"], {"code": "INVALID_INPUT", "argument": ["first"]}),
    ]


@pytest.mark.both_databases
async def test_an_unknown_failure_is_logged_with_its_request_and_masked(run: Run) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await run('{ book(id: "boo_1") { broken } }')
    assert answer == {
        "data": None,
        "errors": [{"message": "Something went wrong on our side.", "extensions": {"code": "INTERNAL"}}],
    }
    assert [(entry["event"], entry["request_id"], str(entry["exc_info"])) for entry in logs] == [
        ("operation failed", "req-1", "secret None")
    ]


@pytest.mark.parametrize(
    ("query", "phase", "code"),
    [
        ("{", "PARSE", "GRAPHQL_PARSE_FAILED"),
        ("", "PARSE", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "VALIDATION", "GRAPHQL_VALIDATION_FAILED"),
        ("type A { b: Int }", "VALIDATION", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment A on Book { id }", "VALIDATION", "GRAPHQL_VALIDATION_FAILED"),
        ("{ book(id: 1) { ...A } } fragment A on Book { ...A }", "VALIDATION", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query A { __typename }", "VALIDATION", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", "OPERATION", "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { ticks { number } }", "OPERATION", "NOT_SUPPORTED"),
        ('{ book(id: "\\u0000") { id } }', "VALIDATION", "INVALID_INPUT"),
    ],
)
async def test_what_cannot_be_run_has_a_code_and_no_data(run: Run, query: str, phase: str, code: str) -> None:
    answer = await run(query)
    assert answer["phase"] == phase
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert "data" not in answer


async def test_errors_of_the_document_have_locations_and_suggestions(run: Run) -> None:
    answer = await run('{\n  book(id: "boo_1") { genree }\n}')
    assert answer["errors"] == [
        {
            "message": "Cannot query field 'genree' on type 'Book'. Did you mean 'genre'?",
            "locations": [{"line": 2, "column": 23}],
            "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
        }
    ]


async def test_an_operation_is_chosen_by_name(run: Run) -> None:
    query = "query A { a: __typename } query B { b: __typename }"
    assert await run(query, name="B") == {"data": {"b": "Query"}}
    assert errors_of(await run(query, name="C")) == [
        ("OPERATION_RESOLUTION_FAILURE", "The document has no operation named 'C'.")
    ]
    assert await run("query A { a: __typename }") == {"data": {"a": "Query"}}


async def test_variables_that_do_not_fit_name_their_place(run: Run) -> None:
    answer = await run(
        "query ($f: BookFilter, $n: Int!, $id: ID!) { books(filter: $f, first: $n) { totalCount } book(id: $id) {id}}",
        {"f": {"genres": ["NOVEL", "POEM"]}, "n": "x"},
    )
    assert answer["phase"] == "VARIABLES"
    assert [(error["extensions"], error["locations"]) for error in answer["errors"]] == [
        ({"code": "BAD_USER_INPUT", "argument": ["f", "genres", "1"]}, [{"line": 1, "column": 8}]),
        ({"code": "BAD_USER_INPUT", "argument": ["n"]}, [{"line": 1, "column": 24}]),
        ({"code": "BAD_USER_INPUT", "argument": ["id"]}, [{"line": 1, "column": 34}]),
    ]


async def test_text_that_cannot_be_stored_is_refused_wherever_it_stands(run: Run) -> None:
    answer = await run("query ($f: BookFilter) { books(filter: $f) { totalCount } }", {"f": {"title": "a\0"}})
    assert answer["errors"] == [
        {
            "message": "Text must not contain NUL characters.",
            "extensions": {"code": "INVALID_INPUT", "argument": ["f", "title"]},
        }
    ]


async def test_page_sizes_in_variables_count_with_their_values(run: Run) -> None:
    query = """query ($n: Int) { authors(first: $n) { edges { node { books(first: $n) { edges { node {
        author { books(first: $n) { nodes { id } } } } } } } } } }"""
    assert "errors" not in await run(query, {"n": 20})
    answer = await run(query, {"n": 100})
    assert (answer["phase"], errors_of(answer)) == (
        "VARIABLES",
        [("TOO_COMPLEX", "The operation may read as much as 1,020,100 objects; the limit is a cost of 20,000.")],
    )


async def test_null_where_a_default_made_a_nullable_variable_acceptable(run: Run) -> None:
    query = 'query ($id: ID = "boo_1") { book(id: $id) { id } }'
    assert await run(query) == {"data": {"book": {"id": "boo_1"}}}
    answer = await run(query, {"id": None})
    assert answer["data"] == {"book": None}
    assert errors_of(answer) == [("INVALID_INPUT", "This must not be null.")]


@pytest.mark.both_databases
async def test_mutations_run_in_order_and_their_payloads_are_read_after_each(run: Run) -> None:
    answer = await run(
        """mutation ($a: UpdateBookInput!) {
             first: updateBook(input: $a) { book { title version author { name } } clientMutationId errors { code } }
             second: updateBook(input: {id: "boo_1", note: "n"}) { book { title note version } clientMutationId }
             __typename
           }""",
        {"a": {"id": "boo_1", "title": "New", "clientMutationId": "m-1"}},
    )
    assert answer == {
        "data": {
            "first": {
                "book": {"title": "New", "version": 2, "author": {"name": "Ursula"}},
                "clientMutationId": "m-1",
                "errors": [],
            },
            "second": {"book": {"title": "New", "note": "n", "version": 3}, "clientMutationId": None},
            "__typename": "Mutation",
        }
    }


async def test_an_absent_field_stays_and_null_clears(run: Run) -> None:
    change = "mutation ($i: UpdateBookInput!) { updateBook(input: $i) { book { title note } errors { code } } }"
    await run(change, {"i": {"id": "boo_1", "note": "n"}})
    answer = await run(change, {"i": {"id": "boo_1", "title": "T"}})
    assert answer["data"]["updateBook"]["book"] == {"title": "T", "note": "n"}
    answer = await run(change, {"i": {"id": "boo_1", "note": None}})
    assert answer["data"]["updateBook"]["book"] == {"title": "T", "note": None}


async def test_null_for_what_cannot_be_cleared_is_refused(run: Run) -> None:
    change = "mutation ($i: UpdateBookInput!) { updateBook(input: $i) { book { title } } }"
    answer = await run(change, {"i": {"id": "boo_1", "title": None}})
    assert "data" not in answer
    assert [error["extensions"] for error in answer["errors"]] == [
        {"code": "INVALID_INPUT", "argument": ["i", "title"]}
    ]
    assert (await run('{ book(id: "boo_1") { title } }'))["data"]["book"] == {"title": "The Dispossessed"}


async def test_a_refusal_is_an_item_of_the_payload(run: Run) -> None:
    change = """mutation ($i: UpdateBookInput!) { updateBook(input: $i) {
        book { id } clientMutationId
        errors { __typename code message path ... on VersionConflictError { currentVersion } } } }"""
    answer = await run(change, {"i": {"id": "boo_1", "title": "", "clientMutationId": "c"}})
    assert answer["data"]["updateBook"] == {
        "book": None,
        "clientMutationId": "c",
        "errors": [
            {
                "__typename": "GenericError",
                "code": "INVALID_INPUT",
                "message": "A title must not be empty.",
                "path": ["input", "title"],
            }
        ],
    }
    answer = await run(change, {"i": {"id": "boo_1", "title": "T", "ifVersion": 7}})
    assert answer["data"]["updateBook"]["errors"] == [
        {
            "__typename": "VersionConflictError",
            "code": "VERSION_CONFLICT",
            "message": "The book has changed.",
            "path": ["input", "ifVersion"],
            "currentVersion": 1,
        }
    ]
    assert (await run('{ book(id: "boo_1") { title version } }'))["data"]["book"] == {
        "title": "The Dispossessed",
        "version": 1,
    }


async def test_a_failing_nullable_mutation_lets_the_next_one_run(run: Run) -> None:
    with structlog.testing.capture_logs():
        answer = await run(
            'mutation { explode { book { id } } updateBook(input: {id: "boo_1", title: "T"}) { book { title } } }'
        )
    assert answer == {
        "data": {"explode": None, "updateBook": {"book": {"title": "T"}}},
        "errors": [
            {
                "message": "Something went wrong on our side.",
                "locations": [{"line": 1, "column": 12}],
                "path": ["explode"],
                "extensions": {"code": "INTERNAL"},
            }
        ],
    }


async def test_events_carry_the_id_of_the_mutation(
    operations: Operations, library: Database, settings: Settings, clock: ManualClock
) -> None:
    told = []
    context = Context(library, ADMIN, settings, clock, "", lambda: told.append(True))
    query = 'mutation { updateBook(input: {id: "boo_1", title: "T", clientMutationId: "echo"}) { clientMutationId } }'
    await operations.run(GraphQLRequest(query), context)
    rows = await library.command(
        lambda work: work.connection.execute(sa.text("SELECT topic, client_mutation_id FROM event_log")).all()
    )
    assert [tuple(row) for row in rows] == [("user.updated", "echo")]
    assert told == [True]


async def test_a_mutation_is_not_run_where_the_transport_must_not_change_anything(
    operations: Operations, library: Database, settings: Settings, clock: ManualClock
) -> None:
    query = 'mutation { updateBook(input: {id: "boo_1", title: "T"}) { book { id } } }'
    context = Context(library, ADMIN, settings, clock)
    outcome = await operations.run(GraphQLRequest(query, mutations=False), context)
    assert outcome.phase is Phase.METHOD
    outcome = await operations.run(GraphQLRequest('{ book(id: "boo_1") { title } }'), context)
    assert outcome.body == b'{"data":{"book":{"title":"The Dispossessed"}}}'
