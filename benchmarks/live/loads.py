"""What is listened to, and what is changed."""

import time

import orjson

from benchmarks.cases import request
from benchmarks.client import BenchmarkError, KeptAlive
from benchmarks.live.changes import change
from benchmarks.live.listeners import subscribe
from benchmarks.live.measuring import Load

_ITEM = """{
  cursor topic change clientMutationId
  interaction { id state attention { level reason } assignee { name } latestMessage { text } }
}"""
_EVERYTHING = f"subscription {{ interactionChanged {_ITEM} }}"
_ONE = f"subscription Live($id: ID) {{ interactionChanged(id: $id) {_ITEM} }}"
_FILTERED = f"subscription Live($filter: InteractionEventFilter) {{ interactionChanged(filter: $filter) {_ITEM} }}"
_WATCHED = """query Watched($after: String) {
  interactions(first: 100, after: $after) { nodes { id customer { id } } pageInfo { endCursor } }
}"""

Watched = list[tuple[str, str]]
"""Interactions with their customers, as ids."""


async def watched(port: int, count: int) -> Watched:
    """So many interactions of the server. Raises BenchmarkError when it has fewer."""
    connection = await KeptAlive.connect(port)
    found: Watched = []
    after: str | None = None
    while len(found) < count:
        answer = orjson.loads(await connection.ask(request(_WATCHED, {"after": after})))
        if "errors" in answer:
            raise BenchmarkError(f"The server answered: {answer['errors']}")
        page = answer["data"]["interactions"]
        if not page["nodes"]:
            raise BenchmarkError(f"The database has only {len(found)} interactions.")
        found += [(node["id"], node["customer"]["id"]) for node in page["nodes"] if node["customer"]]
        after = page["pageInfo"]["endCursor"]
    await connection.close()
    return found[:count]


def equal(name: str, listeners: int, rate: float | None, over: Watched) -> Load:
    """Everyone listens to everything."""
    run = _run()
    ids = [interaction for interaction, _ in over]
    return Load(
        name,
        [subscribe(_EVERYTHING)] * listeners,
        lambda number: change(number, ids[number % len(ids)], f"{run}-{number}"),
        rate,
    )


def filtered(name: str, listeners: int, rate: float, over: Watched) -> Load:
    """A quarter each listens to one interaction, to one customer, to one label and to one assignee, who has nothing.

    A change concerns the first two, the label that is put on and the one that is taken off."""
    run, count = _run(), listeners // 4
    over = over[:count]
    subscriptions = [
        message
        for place, (interaction, customer) in enumerate(over)
        for message in (
            subscribe(_ONE, {"id": interaction}),
            subscribe(_FILTERED, {"filter": {"customerId": customer}}),
            subscribe(_FILTERED, {"filter": {"labels": [f"{run}-{place}"]}}),
            subscribe(_FILTERED, {"filter": {"assignee": {"userId": f"usr_{1_000_000 + place}"}}}),
        )
    ]

    def make(number: int) -> bytes:
        # Another pair each time around, so that every change is one.
        turn, place = divmod(number, count)
        return change(number, over[place * 7 % count][0], f"{run}-{(place + turn) % count}")

    return Load(name, subscriptions, make, rate, equal=False)


def _run() -> str:
    """Labels of this run are no other's."""
    return f"{time.time_ns():x}"
