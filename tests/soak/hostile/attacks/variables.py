"""Attacks by the values of variables."""

from collections.abc import Callable
from functools import partial
from itertools import repeat

import orjson

from tests.soak.hostile.target import Hostile
from tests.soak.hostile.wire import command, post, request

_LIST = "query($filter: InteractionFilter) { interactions(first: 1, filter: $filter) { nodes { id } } }"
_AFTER = "query($after: String) { interactions(first: 1, after: $after) { nodes { id } } }"
_NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
_LABELS = command("setLabels", "SetLabelsInput")
_CONTENTS = command("receiveMessage", "ReceiveMessageInput")
_METADATA = command("updateAgentSession", "UpdateAgentSessionInput")


async def unknown_members(to: Hostile) -> None:
    """An input object with 85,000 members that the schema does not know, 1 MB each time."""
    members = ",".join(f'"u{number:05}":1' for number in range(85_000))
    same = post(_LIST, f'{{"filter":{{{members}}}}}'.encode(), key=to.target.nobody)
    await to.flood(lambda _: same, lines=2)


async def empty_objects(to: Hostile) -> None:
    """A list of 340,000 empty objects where a message's contents belong."""
    given = b'{"input":{"contents":[' + b",".join(repeat(b"{}", 340_000)) + b"]}}"
    same = post(_CONTENTS, given, key=to.target.nobody)
    await to.flood(lambda _: same, lines=2)


async def empty_lists(to: Hostile) -> None:
    """A list of 340,000 empty lists where labels belong."""
    given = b'{"filter":{"labels":[' + b",".join(repeat(b"[]", 340_000)) + b"]}}"
    same = post(_LIST, given, key=to.target.nobody)
    await to.flood(lambda _: same, lines=2)


async def wrong_enums(to: Hostile) -> None:
    """A list of 240,000 values that an enum does not have."""
    given = b'{"filter":{"kinds":[' + b",".join(repeat(b'"X"', 240_000)) + b"]}}"
    same = post(_LIST, given, key=to.target.nobody)
    await to.flood(lambda _: same, lines=2)


async def refused_ids(to: Hostile) -> None:
    """Lists of 60,000 ids, far over what `nodes` takes."""
    ids = orjson.dumps({"ids": [f"ses_{number}" for number in range(60_000)]})
    same = post(_NODES, ids, key=to.target.able)
    await to.flood(lambda _: same, lines=4)


async def bad_cursors(to: Hostile) -> None:
    """Cursors of 900 KB that are no cursors."""
    same = post(_AFTER, {"after": "A" * 900_000}, key=to.target.able)
    await to.flood(lambda _: same, lines=4)


async def deep_values(to: Hostile) -> None:
    """Lists in lists in lists, 900 deep, by the hundred, where a JSON object belongs."""
    deep = b"[" * 900 + b"]" * 900
    given = b'{"input":{"metadata":{"a":[' + b",".join(repeat(deep, 400)) + b"]}}}"
    same = post(_METADATA, given, key=to.target.able)
    await to.flood(lambda _: same, lines=2)


async def repeated_members(to: Hostile) -> None:
    """A JSON object that gives the same member 100,000 times."""
    same = post(_LIST, b"{" + b",".join(repeat(b'"filter":{}', 85_000)) + b"}", key=to.target.able)
    await to.flood(lambda _: same, lines=2)


async def large_metadata(to: Hostile) -> None:
    """The metadata of one session, as much as a body holds, again and again."""
    await to.flood(_metadata(to, 950, 900), lines=2)


async def longest_metadata(to: Hostile) -> None:
    """The metadata of one session, as long as it may be, written again and again."""
    await to.flood(_metadata(to, 950, 50), lines=2)


def _metadata(to: Hostile, members: int, length: int) -> Callable[[int], bytes]:
    ref = next(ref for ref in to.target.refs if ref.startswith("ags_"))
    value = "x" * length

    def make(number: int) -> bytes:
        metadata = {f"k{place}": f"{number}{value}" for place in range(members)}
        return post(_METADATA, {"input": {"id": ref, "metadata": metadata}}, key=to.target.able)

    return make


async def many_labels(to: Hostile) -> None:
    """As many labels as a body holds, all different."""
    ref = to.target.refs[0]

    def make(number: int) -> bytes:
        labels = [f"{number}-{place}" for place in range(40_000)]
        return post(_LABELS, {"input": {"id": ref, "labels": labels}}, key=to.target.able)

    await to.flood(make, lines=2)


async def unread_bodies(to: Hostile) -> None:
    """Bodies of 1 MB to every door with a key that is none."""
    body = orjson.dumps({"query": "{ viewer { user { id } } }", "more": "x" * 1_000_000})
    paths = ("/graphql", "/v2/agents", "/api/v1/ChatSession", "/third-party/v1/conversations")
    made = [request("POST", path, body, key="nobody at all") for path in paths]
    await to.flood(partial(_turn, made), lines=8)


def _turn(made: list[bytes], number: int) -> bytes:
    return made[number % len(made)]
