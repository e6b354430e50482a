"""What a caller may use in a minute, over every transport and in two processes that share a store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import httpx2
import pytest

from app.budgets import Budget
from app.budgets.store import FAILURES, Store, opened
from app.core.clock import parse_datetime
from app.metrics import Counts
from app.metrics.families import families
from app.storage.database import Database
from tests.budgets.store_server import Road
from tests.conftest import ManualClock
from tests.http.test_sse import STREAM
from tests.kit.library import ADMIN
from tests.kit.library_server import BOOK, KEY, NUMBERS, Keys, serving_library
from tests.serving import PATIENCE, Served, eventually

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

COUNTED = "{ " + " ".join(f"a{n}: authors(first: 100) {{ totalCount nodes {{ id }} }}" for n in range(5)) + " }"
COST = 5 * 1_100
"""Five counts, and five times a hundred authors."""
LONG = 3_600
"""Seconds of a minute, none of which is over before its test."""

SHARE = 20_000
RATE = 20
UPDATE = 'mutation { updateBook(input: {id: "boo_1", title: "New"}) { book { title } } }'
READER = {"authorization": "Bearer reader"}
ACCEPT = {"accept": "application/graphql-response+json"}


class Two:
    """Two processes over one database, and a client of both."""

    def __init__(self, served: Sequence[Served], client: httpx2.AsyncClient) -> None:
        self.served = served
        self.client = client

    async def ask(self, at: int, query: str, headers: dict[str, str] = KEY, **more: Any) -> httpx2.Response:
        body = {"query": query, **more}
        return await self.client.post(self.served[at].url, json=body, headers={**ACCEPT, **headers})

    def services(self, at: int) -> Any:
        return self.served[at].server.lifespan.state["services"]


def seconds_of(refused: httpx2.Response) -> int:
    """After how long the refused request may be sent again, as it says in two places."""
    (error,) = refused.json()["errors"]
    wait = int(refused.headers["retry-after"])
    assert (refused.status_code, error["extensions"]) == (429, {"code": "RATE_LIMITED", "retryAfter": wait})
    return wait


@asynccontextmanager
async def both(url: str, clock: ManualClock, store: str | None, **settings: Any) -> AsyncIterator[Two]:
    sharing = partial(opened, patience=PATIENCE, again=0.05, minute=LONG)
    async with AsyncExitStack() as stack:
        served = [
            await stack.enter_async_context(
                serving_library(url, clock, Keys(), sharing=sharing, shared_store=store, **settings)
            )
            for _ in range(2)
        ]
        yield Two(served, await stack.enter_async_context(httpx2.AsyncClient(timeout=PATIENCE)))


@pytest.fixture
async def sharing(library: Database, database_url: str, clock: ManualClock, road: Road) -> AsyncIterator[Two]:
    async with both(database_url, clock, road.url, cost_limit=SHARE, rate_limit=RATE, compile_seconds=5) as two:
        yield two


async def test_shares_of_cost_are_one_in_two_processes(sharing: Two) -> None:
    asks, now = {"cost": True}, sharing.services(0).clock()
    for number in range(1, 4):
        found = (await sharing.ask(number % 2, COUNTED, extensions=asks)).json()["extensions"]["cost"]
        assert (found["requested"], found["remaining"]) == (COST, SHARE - number * COST)
        assert 0 < (parse_datetime(found["resetAt"]) - now).total_seconds() <= 2 * LONG
    # Of 3,500 that are left, five counts are not read, over no transport.
    for at in (0, 1):
        assert seconds_of(await sharing.ask(at, COUNTED)) <= 2 * LONG
        stream = {**KEY, "accept": STREAM}
        refused = await sharing.client.post(sharing.served[at].url, json={"query": COUNTED}, headers=stream)
        assert seconds_of(refused) <= 2 * LONG
        async with sharing.served[at].socket(KEY) as socket:
            await socket.subscribe("1", COUNTED)
            message = await socket.take()
            assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
            assert 1 <= message["payload"][0]["extensions"]["retryAfter"] <= 2 * LONG
    assert (await sharing.ask(0, BOOK, extensions=asks)).json()["extensions"]["cost"]["remaining"] == 3_499
    assert (await sharing.ask(1, COUNTED, READER)).status_code == 200


async def test_shares_that_are_used_up_refuse_changes_and_subscriptions(sharing: Two) -> None:
    await use_up(sharing, lambda services: services.operations.costs.budget, SHARE)
    for headers in ({}, {"accept": STREAM}):
        seconds_of(await sharing.ask(1, UPDATE, {**KEY, **headers}))
    seconds_of(await sharing.ask(1, NUMBERS, {**KEY, "accept": STREAM}))
    async with sharing.served[1].socket(KEY) as socket:
        for name, query in (("1", UPDATE), ("2", NUMBERS)):
            await socket.subscribe(name, query)
            assert (await socket.take())["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert (await sharing.ask(1, BOOK, READER)).json()["data"]["book"]["title"] == "The Dispossessed"


async def on_loop(served: Served, doing: Any) -> Any:
    """What it gives, on the loop of the server."""
    loop = served.server.servers[0].get_loop()
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(doing, loop))


async def use_up(two: Two, of: Callable[[Any], Budget], amount: float) -> None:
    """Let the first process use this much, until the second one knows of it."""

    async def use() -> None:
        of(two.services(0)).add(ADMIN.caller, amount)

    await on_loop(two.served[0], use())
    while (await on_loop(two.served[1], of(two.services(1)).usage(ADMIN.caller))).used < amount:
        pass


async def test_shares_of_a_subscription_are_taken_when_it_is_opened(sharing: Two) -> None:
    budget = sharing.services(1).operations.costs.budget
    async with sharing.served[0].socket(KEY) as socket:
        await socket.listen("1", NUMBERS)
        assert (await on_loop(sharing.served[1], budget.usage(ADMIN.caller))).used == 1


async def test_shares_of_computing_are_one_in_two_processes(sharing: Two) -> None:
    assert (await sharing.ask(1, BOOK)).status_code == 200
    await use_up(sharing, lambda services: services.operations.compiling.budget, 6_000_000)
    assert seconds_of(await sharing.ask(1, "{ __typename }")) > 1
    assert (await sharing.ask(1, BOOK)).status_code == 200
    assert (await sharing.ask(1, "{ __typename }", READER)).status_code == 200


async def test_shares_of_requests_are_one_in_two_processes(sharing: Two) -> None:
    for number in range(RATE):
        assert (await sharing.ask(number % 2, BOOK)).status_code == 200
    for at in (0, 1):
        assert 1 <= seconds_of(await sharing.ask(at, BOOK)) <= 2 * LONG
        assert (await sharing.ask(at, BOOK, READER)).status_code == 200


async def test_shares_are_those_of_each_process_while_the_store_is_gone(sharing: Two, road: Road) -> None:
    for at in (0, 1):
        assert (await sharing.ask(at, COUNTED)).status_code == 200
    ready = [each.url.replace("/graphql", "/readyz") for each in sharing.served]
    assert "degraded" not in (await sharing.client.get(ready[0])).json()
    road.block(b"-ERR nonsense\r\n" * 5)
    for at in (0, 1):
        answers = [(await sharing.ask(at, COUNTED)).status_code for _ in range(4)]
        assert answers == [200, 200, 429, 429]
        stores: Store = sharing.services(at).store
        assert stores.fault is not None
        found = await sharing.client.get(ready[at])
        assert (found.status_code, found.json()["status"]) == (200, "ready")
        assert found.json()["degraded"] == [{"sharedStore": "left", "reason": stores.fault}]
        measured = {
            (sample.name, *sample.labels.values()): sample.value
            for family in families(sharing.services(at), Counts(), None)
            for sample in family.samples
        }
        assert measured["switchboard_shared_store_used",] == 0
        assert measured["switchboard_shared_store_questions_total", "failed"] >= FAILURES
        assert measured["switchboard_shared_store_questions_total", "not_asked"] >= 1
    road.lift()
    for at in (0, 1):
        await eventually(lambda at=at: sharing.services(at).store.fault is None)  # type: ignore[misc]
        assert "degraded" not in (await sharing.client.get(ready[at])).json()
    # The store has counted two of three.
    assert [(await sharing.ask(at, COUNTED)).status_code for at in (0, 1)] == [200, 429]


async def test_shares_without_a_store_are_those_of_each_process(
    library: Database, database_url: str, clock: ManualClock
) -> None:
    async with both(database_url, clock, None, cost_limit=SHARE) as two:
        two.services(0).operations.costs.budget.add(ADMIN.caller, 100 * SHARE)
        assert [(await two.ask(at, COUNTED)).status_code for at in (0, 1)] == [429, 200]
