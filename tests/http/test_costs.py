"""What operations cost, told to whoever asks for it."""

from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson
import pytest

from app.execution.explaining import explain
from app.execution.operation import Operations
from app.graph.context import Context
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.http.test_sse import STREAM, Stream
from tests.kit.library import ADMIN, tick
from tests.kit.library_server import KEY, NUMBERS
from tests.serving import PATIENCE, Served, eventually

pytestmark = pytest.mark.anyio

AUTHORS = """query($n: Int = 2) { authors(first: $n) { totalCount
  edges { node { name books(first: 3) { edges { node { title } } } } } } }"""
UPDATE = """mutation { updateBook(input: {id: "boo_1", title: "New"}) { book { title } }
  again: updateBook(input: {id: "boo_2", title: "Newer"}) { book { title } } }"""
ASKS = {"cost": True}


async def over_every_transport(served: Served, query: str) -> list[dict[str, Any]]:
    """The answers to an operation of which the cost is asked, over each way that takes it."""
    payload = {"query": query, "extensions": ASKS}
    async with httpx2.AsyncClient(headers=KEY, timeout=PATIENCE) as client:
        found = [(await client.post(served.url, json=payload)).json()]
        if not query.startswith("mutation"):
            text = urlencode({"query": query, "extensions": orjson.dumps(ASKS).decode()})
            found.append((await client.get(f"{served.url}?{text}")).json())
        stream = (await client.post(served.url, json=payload, headers={"accept": STREAM})).text
        found.append(orjson.loads(stream.split("\n")[1].removeprefix("data: ")))
    async with served.socket(KEY) as socket:
        await socket.send(id="1", type="subscribe", payload=payload)
        found.append((await socket.take())["payload"])
    return found


async def test_costs_of_a_query_are_those_that_are_explained(
    served: Served, library: Database, operations: Operations, settings: Settings, clock: ManualClock
) -> None:
    explained = await explain(operations, AUTHORS, None, {}, Context(library, ADMIN, settings, clock))
    rows = [each.rows for each in explained.statements]
    assert len(rows) > 1
    assert all(rows)
    cost = {"requested": explained.cost, "limit": 20_000, "statements": len(rows), "rows": sum(rows)}
    answers = await over_every_transport(served, AUTHORS)
    assert [each["extensions"] for each in answers] == [{"cost": cost}] * 4
    assert all(each["data"]["authors"]["totalCount"] == 2 for each in answers)
    more = {"query": AUTHORS, "variables": {"n": 9}, "extensions": ASKS}
    async with httpx2.AsyncClient(headers=KEY, timeout=PATIENCE) as client:
        found = (await client.post(served.url, json=more)).json()["extensions"]["cost"]
    # The count, the authors and three books of each. There are no more than two authors.
    assert (cost["requested"], found["requested"]) == (1_000 + 2 + 6, 1_000 + 9 + 27)
    assert {**found, "requested": 0} == {**cost, "requested": 0}


async def test_costs_of_a_mutation_are_those_of_its_answer(served: Served, operations: Operations) -> None:
    document = operations.documents.read(UPDATE).operation(None)
    requested = operations.guard.cost(document.ast, None, {})
    for answer in await over_every_transport(served, UPDATE):
        assert answer["data"]["again"] == {"book": {"title": "Newer"}}
        # Each payload is read for itself, by one statement of one row.
        assert answer["extensions"] == {"cost": {"requested": requested, "limit": 20_000, "statements": 2, "rows": 2}}


async def test_costs_are_told_with_each_item_of_a_subscription(
    served: Served, library: Database, operations: Operations
) -> None:
    document = operations.documents.read(NUMBERS).operation(None)
    told = {"cost": {"requested": operations.guard.cost(document.ast, None, {}), "limit": 20_000}}
    payload = {"query": NUMBERS, "extensions": ASKS}
    async with (
        served.socket(KEY) as socket,
        httpx2.AsyncClient(headers={**KEY, "accept": STREAM}, timeout=PATIENCE) as client,
        client.stream("POST", served.url, json=payload) as response,
    ):
        stream = Stream(response)
        await socket.send(id="1", type="subscribe", payload=payload)
        # Both share its items with one who does not ask.
        await socket.subscribe("2", NUMBERS)
        await eventually(lambda: served.running == 3)
        await library.command(tick, 1, 2, 3)
        found: dict[str, list[Any]] = {"1": [], "2": []}
        while any(len(items) < 3 for items in found.values()):
            message = await socket.take()
            found[message["id"]].append(message["payload"])
        items = [{"data": {"ticks": {"number": number}}} for number in (1, 2, 3)]
        assert found == {"1": [{**each, "extensions": told} for each in items], "2": items}
        for item in found["1"]:
            event, *_, data = (await stream.frame()).split("\n")
            assert (event, orjson.loads(data.removeprefix("data: "))) == ("event: next", item)


async def test_costs_are_neither_told_nor_measured_for_who_does_not_ask(sqlite_served: Served) -> None:
    guard = sqlite_served.server.lifespan.state["services"].operations.guard
    async with httpx2.AsyncClient(headers=KEY, timeout=PATIENCE) as client:

        async def answer(**given: Any) -> dict[str, Any]:
            found: dict[str, Any] = (await client.post(sqlite_served.url, json={"query": AUTHORS, **given})).json()
            return found

        await answer()
        visits = guard.visits
        for extensions in (None, {}, {"cost": False}, {"cost": None}, {"other": True}):
            assert (await answer(extensions=extensions)).keys() == {"data"}
        assert guard.visits == visits
        assert (await answer(extensions=ASKS)).keys() == {"data", "extensions"}
        assert guard.visits > visits
        wrong: object
        for wrong in (1, "true", {}, []):
            (error,) = (await answer(extensions={"cost": wrong}))["errors"]
            assert error["message"] == "extensions.cost has to be true or false."
        # What does not run costs nothing.
        assert (await answer(query="{ nothing }", extensions=ASKS)).keys() == {"errors"}
