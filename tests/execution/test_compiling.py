"""The compile thread: one work at a time, each caller's share, equal works done once."""

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from math import inf
from typing import cast
from urllib.parse import urlencode

import httpx2
import pytest

from app.core.actor import Actor
from app.core.errors import RateLimited
from app.core.short_turns import SHORT_TURN
from app.execution.compiling import MOST_WAITING, Compiling
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest
from app.graph.context import Context
from app.http.bodies import LARGE_BODY
from app.selection.compiler import Compiler
from app.selection.sql import SqlCompiler
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.kit.library import ADMIN, READER
from tests.kit.library_fixtures import Run
from tests.kit.library_server import BOOK, KEY, TITLE
from tests.serving import PATIENCE, Served

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

ACCEPT = {"accept": "application/graphql-response+json"}


class Kept:
    """Results by key, as the caches of operations are."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.threads: list[str] = []
        self.running = 0
        self.most_running = 0
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    async def run(self, compiling: Compiling, caller: str, key: str) -> str:
        def work() -> str:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            self.threads.append(threading.current_thread().name)
            self.entered.set()
            assert self.gate.wait(PATIENCE)
            self.running -= 1
            return key.upper()

        def keep(made: str) -> None:
            self.found[key] = made

        return await compiling.run(caller, key, lambda: self.found.get(key), work, keep)


@pytest.fixture
def make() -> Kept:
    return Kept()


@pytest.fixture
def compiling() -> Compiling:
    return Compiling(inf)


async def test_compiling_is_done_off_the_loop_one_at_a_time(compiling: Compiling, make: Kept) -> None:
    found = await asyncio.gather(*(make.run(compiling, f"caller {number % 3}", f"k{number}") for number in range(9)))
    assert found == [f"K{number}" for number in range(9)]
    assert make.most_running == 1
    assert {name.startswith("compile") for name in make.threads} == {True}


async def test_compiling_of_equal_works_happens_once(compiling: Compiling, make: Kept) -> None:
    found = await asyncio.gather(*(make.run(compiling, f"caller {number}", "same") for number in range(9)))
    assert (found, compiling.done) == (["SAME"] * 9, 1)


async def test_compiling_of_equal_works_of_one_caller_waits_once(compiling: Compiling, make: Kept) -> None:
    found = await asyncio.gather(*(make.run(compiling, "a", "same") for _ in range(MOST_WAITING * 3)))
    assert (found, compiling.done) == (["SAME"] * MOST_WAITING * 3, 1)


async def test_compiling_starts_again_for_those_who_waited_with_one_that_left(compiling: Compiling, make: Kept) -> None:
    make.gate.clear()
    leaving = asyncio.create_task(make.run(compiling, "a", "same"))
    await asyncio.to_thread(make.entered.wait, 10)
    staying = [asyncio.create_task(make.run(compiling, "a", "same")) for _ in range(3)]
    await asyncio.sleep(0)
    leaving.cancel()
    make.gate.set()
    assert await asyncio.gather(*staying) == ["SAME"] * 3
    assert compiling.done == 2


async def test_compiling_refuses_a_caller_with_too_many_waiting(compiling: Compiling, make: Kept) -> None:
    make.gate.clear()
    async with asyncio.TaskGroup() as tasks:
        for number in range(MOST_WAITING + 1):
            tasks.create_task(make.run(compiling, "greedy", f"k{number}"))
        await asyncio.to_thread(make.entered.wait, 10)
        with pytest.raises(RateLimited) as caught:
            await make.run(compiling, "greedy", "one more")
        other = tasks.create_task(make.run(compiling, "other", "o"))
        make.gate.set()
        assert await other == "O"
        # The other caller's work came before nearly all of those that had waited longer.
        assert compiling.done < 5
    assert caught.value.retry_after == 1


async def test_compiling_of_a_caller_that_leaves_is_still_the_only_one(compiling: Compiling, make: Kept) -> None:
    make.gate.clear()
    leaving = asyncio.create_task(make.run(compiling, "a", "left"))
    await asyncio.to_thread(make.entered.wait, 10)
    leaving.cancel()
    staying = asyncio.create_task(make.run(compiling, "b", "stayed"))
    await asyncio.sleep(0)
    make.gate.set()
    assert await staying == "STAYED"
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (make.most_running, compiling.done) == (1, 2)


async def test_compiling_counts_against_the_callers_budget(make: Kept) -> None:
    compiling = Compiling(1)
    compiling.charge("greedy", 2)
    with pytest.raises(RateLimited):
        await make.run(compiling, "greedy", "a")
    assert compiling.done == 0
    assert await make.run(compiling, "other", "a") == "A"


async def test_compiling_passes_on_what_the_work_raises(compiling: Compiling) -> None:
    def fail() -> str:
        raise ValueError("no")

    kept: list[str] = []
    with pytest.raises(ValueError, match="no"):
        await compiling.run("a", "k", lambda: None, fail, kept.append)
    assert (kept, compiling.done) == ([], 1)


# ---- operations ----


async def test_document_that_many_send_at_once_is_compiled_once(run: Run, operations: Operations) -> None:
    answers = await asyncio.gather(*(run(BOOK, actor=actor) for actor in (ADMIN, READER) * 5))
    assert answers == [{"data": TITLE}] * 10
    # The text, and a plan for each of the two sets of permissions.
    assert operations.compiling.done == 3
    await run(BOOK)
    assert operations.compiling.done == 3


async def test_document_that_is_used_again_survives_a_flood_of_others(run: Run, operations: Operations) -> None:
    for _ in range(2):
        await run(BOOK)
    fields = " ".join(f"f{number}: title" for number in range(150))
    for number in range(150):
        await run(f'query Q{number} {{ book(id: "boo_1") {{ {fields} }} }}', actor=READER)
    done = operations.compiling.done
    assert await run(BOOK) == {"data": TITLE}
    assert operations.compiling.done == done


async def test_document_without_permissions_is_short(
    operations: Operations, library: Database, settings: Settings, clock: ManualClock, run: Run
) -> None:
    nobody = Actor(user_id=9, name="Nobody")
    long = "{ " + " ".join(f'b{number}: book(id: "boo_1") {{ id }}' for number in range(49)) + " }"
    context = Context(library, nobody, settings, clock)
    refused = await operations.run(GraphQLRequest(long), context)
    assert b"the limit is 500" in refused.body
    assert b"TOO_COMPLEX" in refused.body
    await run(long)
    known = await operations.run(GraphQLRequest(long), context)
    assert b"errors" not in known.body


def sql_of(operations: Operations) -> SqlCompiler:
    return cast("Compiler", operations.preparer.compiler).sql


async def test_documents_that_differ_in_spelling_are_validated_and_compiled_once(
    run: Run, operations: Operations
) -> None:
    await run('query A { book(id: "boo_1") { title } }')
    done = operations.documents.validated, sql_of(operations).compiled
    for text in (
        'query B { book(id: "boo_1") { title } }',
        'query   C {\n  book(id: "boo_1"), { title } }',
        'query D { # a comment\n book(id: "boo_1") { title # another\n } }',
    ):
        assert await run(text) == {"data": TITLE}
    assert (operations.documents.validated, sql_of(operations).compiled) == done


async def test_documents_that_differ_in_constants_share_a_plan(run: Run, operations: Operations) -> None:
    text = (
        '{{ book(id: "{}") {{ title author {{ books(first: {}, filter: {{genres: [{}]}}) {{ nodes {{ id }} }} }} }} }}'
    )
    first = await run(text.format("boo_1", 1, "NOVEL"))
    compiled = sql_of(operations).compiled
    books = [first, *[await run(text.format(f"boo_{number}", 5, "ESSAY")) for number in (1, 2, 3)]]
    assert [book["data"]["book"] for book in books] == [
        {"title": "The Dispossessed", "author": {"books": {"nodes": [{"id": "boo_1"}]}}},
        {"title": "The Dispossessed", "author": {"books": {"nodes": [{"id": "boo_2"}]}}},
        {"title": "Steering the Craft", "author": {"books": {"nodes": [{"id": "boo_2"}]}}},
        {"title": "Invisible Cities", "author": {"books": {"nodes": []}}},
    ]
    assert sql_of(operations).compiled == compiled
    # Another set of permissions has plans of its own.
    await run(text.format("boo_1", 1, "NOVEL"), actor=READER)
    assert sql_of(operations).compiled > compiled


async def test_documents_that_share_a_plan_have_errors_in_their_own_places(run: Run) -> None:
    found = [await run(f'query {name}{{ book(id: "{ref}") {{ title }} }}') for name, ref in (("A", "x"), ("Long", "y"))]
    assert [error["locations"] for answer in found for error in answer["errors"]] == [
        [{"line": 1, "column": 10}],
        [{"line": 1, "column": 13}],
    ]


async def test_mutations_that_differ_in_constants_share_a_plan(run: Run, operations: Operations) -> None:
    text = """mutation {{ updateBook(input: {{id: "boo_1", title: "{}"}}) {{
      book {{ title author {{ books(first: {}) {{ nodes {{ id }} }} }} }} }} }}"""
    await run(text.format("A", 2))
    compiled = sql_of(operations).compiled
    found = await run(text.format("B", 1))
    assert found["data"]["updateBook"]["book"] == {"title": "B", "author": {"books": {"nodes": [{"id": "boo_1"}]}}}
    assert sql_of(operations).compiled == compiled


async def test_new_documents_that_are_invalid_are_validated_each_time(run: Run, operations: Operations) -> None:
    for number in (1, 2):
        assert (await run(f"query Q{number} {{ nothing }}"))["phase"] == "VALIDATION"
        assert operations.documents.validated == number


# ---- doors ----


@pytest.fixture
async def http(sqlite_served: Served) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=sqlite_served.url.removesuffix("/graphql"), headers=ACCEPT) as client:
        yield client


def compiling_of(served: Served) -> Compiling:
    found: Compiling = served.server.lifespan.state["services"].operations.compiling
    return found


Ask = Callable[[httpx2.AsyncClient, str, dict[str, str]], Awaitable[httpx2.Response]]


async def post(http: httpx2.AsyncClient, query: str, headers: dict[str, str]) -> httpx2.Response:
    return await http.post("/graphql", json={"query": query}, headers=headers)


async def get(http: httpx2.AsyncClient, query: str, headers: dict[str, str]) -> httpx2.Response:
    return await http.get("/graphql?" + urlencode({"query": query}), headers=headers)


async def streamed(http: httpx2.AsyncClient, query: str, headers: dict[str, str]) -> httpx2.Response:
    return await http.post("/graphql", json={"query": query}, headers=headers | {"accept": "text/event-stream"})


@pytest.mark.parametrize("ask", [post, get, streamed])
async def test_document_of_an_unknown_caller_is_not_parsed(
    sqlite_served: Served, http: httpx2.AsyncClient, ask: Ask
) -> None:
    response = await ask(http, "{ __typename }", {"authorization": "Bearer nobody"})
    assert response.status_code == 401
    assert compiling_of(sqlite_served).done == 0


@pytest.mark.parametrize("ask", [post, get, streamed])
async def test_document_beyond_the_callers_budget_is_rate_limited(
    sqlite_served: Served, http: httpx2.AsyncClient, ask: Ask
) -> None:
    assert (await post(http, BOOK, KEY)).status_code == 200
    compiling = compiling_of(sqlite_served)
    compiling.charge(ADMIN.caller, 20)
    response = await ask(http, "{ __typename }", KEY)
    assert response.status_code == 429
    wait = int(response.headers["retry-after"])
    assert wait > 50
    assert response.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": wait}
    # What is compiled already is answered, and other callers do not notice.
    assert (await post(http, BOOK, KEY)).status_code == 200
    assert (await post(http, "{ __typename }", {"authorization": "Bearer reader"})).status_code == 200


async def test_socket_beyond_the_callers_budget_is_rate_limited(sqlite_served: Served) -> None:
    compiling_of(sqlite_served).charge(ADMIN.caller, 20)
    async with sqlite_served.socket(KEY) as socket:
        for number, query in enumerate((BOOK, "subscription { ticks { number } }")):
            await socket.subscribe(str(number), query)
            message = await socket.take()
            assert (message["type"], message["id"]) == ("error", str(number))
            assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
            assert message["payload"][0]["extensions"]["retryAfter"] > 50


async def test_large_bodies_are_parsed_in_the_callers_share(served: Served) -> None:
    compiling: Compiling = served.server.lifespan.state["services"].operations.compiling
    headers = {"authorization": "Bearer admin"}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as client:
        small = await client.post(served.url, json={"query": BOOK})
        done = compiling.done
        assert (await client.post(served.url, json={"query": BOOK, "extensions": {}})).json() == small.json()
        assert compiling.done == done
        large = {"query": BOOK, "extensions": {"padding": "x" * LARGE_BODY}}
        assert (await client.post(served.url, json=large)).json() == small.json()
        assert compiling.done == done + 1
        compiling.charge(ADMIN.caller, 1e6)
        refused = await client.post(served.url, json=large)
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
        assert int(refused.headers["retry-after"]) > 0
        # Small ones of known documents go on.
        assert (await client.post(served.url, json={"query": BOOK})).json() == small.json()


async def test_work_that_fails_after_its_caller_left_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    compiling = Compiling(0)
    gate = threading.Event()

    def fail() -> None:
        gate.wait(PATIENCE)
        raise ValueError("nobody waits for this")

    task = asyncio.create_task(compiling.offload("a", fail))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.wait([task])
    assert task.cancelled()
    del task
    gc.collect()
    assert caplog.records == []
    compiling.close()


async def test_threads_take_short_turns_while_something_is_compiled() -> None:
    usual = sys.getswitchinterval()
    compiling = Compiling(60)
    try:
        found = await asyncio.gather(
            *(compiling.offload(caller, sys.getswitchinterval) for caller in ("a", "b")),
            compiling.offload("c", lambda: int("no")),
            return_exceptions=True,
        )
    finally:
        compiling.close()
    assert found[:2] == pytest.approx([SHORT_TURN, SHORT_TURN])
    assert isinstance(found[2], ValueError)
    assert sys.getswitchinterval() == usual
