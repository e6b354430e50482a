"""A mutation that adds or counts something takes an idempotency key, and its repeat under that key adds nothing."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from app.kinds.session.tables import suggested_message
from tests.graph.commands import (
    CONNECTIONS,
    DIRECTORY,
    OF_KIND,
    ON_INTERACTION,
    ON_MESSAGE,
    ON_NOTE,
    ONES_OWN,
    OUTBOX,
    received,
)
from tests.graph.filled import Filled, fill
from tests.graph.running import SCHEMA, Graph, running_graph
from tests.graph.state import sizes_of

pytestmark = pytest.mark.anyio

# What a rule writes beside the object itself: an event, an answer that is kept, a value of a list, a task of erasing,
# a mark for reports.
# A ticket that is not used is gone in a minute, and a repeat could not give it again.
_BESIDE = {
    "event_log",
    "event_lane",
    "idempotency_key",
    "interaction_tag",
    "erasing",
    "erasure",
    "deleted_message",
    "mark",
    "stream_ticket",
}
SELECTED = sa.select(sa.func.coalesce(sa.func.sum(suggested_message.c.selected_count), 0))
# Their state refuses a second time; the message that was added tells the customer of the change.
_ANNOUNCED = {"transferChatSession", "acceptChatTransfer", "rejectChatTransfer", "cancelChatTransfer"}

COMMANDS: list[tuple[str, Mapping[str, Any]]] = [
    *((name, {"id": "ags_11", **given}) for name, given in ON_INTERACTION.items()),
    *((name, {"id": "msg_1", **given}) for name, given in ON_MESSAGE.items()),
    *((name, {"id": "not_1", **given}) for name, given in ON_NOTE.items()),
    *((name, given) for name, (_, given) in DIRECTORY.items()),
    *CONNECTIONS.items(),
    *OUTBOX.items(),
    *ONES_OWN.items(),
    *((name, given) for commands in OF_KIND.values() for name, given in commands.items()),
    ("receiveMessage", received("session")),
]
_SHOWN = {"addNote": "note { id }", "sendMessage": "message { id }", "receiveMessage": "message { id }"}


def _takes_key(mutation: str) -> bool:
    assert SCHEMA.mutation_type is not None
    given: Any = SCHEMA.mutation_type.fields[mutation].args["input"].type.of_type
    return "idempotencyKey" in given.fields


KEYED = sorted((name for name, _ in COMMANDS if _takes_key(name)))


@pytest.fixture(scope="module")
async def changing(changing_url: str) -> AsyncIterator[Filled]:
    async with running_graph(changing_url) as graph:
        filled = await fill(graph)
        graph.clock.advance(25 * 3600)  # a restart needs a reply window that is closed
        yield filled


async def sizes(graph: Graph) -> dict[str, int]:
    """How many rows each table has, and how often suggestions were selected."""
    counted = await sizes_of(graph.database)
    selected = await graph.database.command(lambda work: work.connection.execute(SELECTED).scalar_one())
    return {"selected": selected, **{name: size for name, size in counted.items() if name not in _BESIDE}}


async def test_mutation_that_adds_something_takes_an_idempotency_key(changing: Filled) -> None:
    graph, adding = changing.graph, set()
    # First what takes a key, so that no other command has closed or deleted what it is about.
    for name, given in sorted(COMMANDS, key=lambda each: each[0] not in KEYED):
        before = await sizes(graph)
        keyed = {"idempotencyKey": f"first of {name}"} if name in KEYED else {}
        await graph.attempt(name, {**given, **keyed})
        after = await sizes(graph)
        if any(after[table] > before[table] for table in after):
            adding.add(name)
            assert name in KEYED or name in _ANNOUNCED, name
        if name in KEYED:
            assert name in adding, f"{name} added nothing here, so its key is not tried"
            await graph.do(name, {**given, **keyed}, _SHOWN.get(name, ""))
            assert await sizes(graph) == after, name


async def test_idempotency_key_of_another_note_is_refused(changing: Filled) -> None:
    graph, given = changing.graph, {"id": changing.conversations[0], "text": "call back", "idempotencyKey": "a note"}
    first = await graph.do("addNote", given, "note { id text }")
    assert await graph.do("addNote", given, "note { id text }") == first
    (refused,) = (await graph.attempt("addNote", {**given, "text": "another"}))["errors"]
    assert (refused["code"], refused["path"]) == ("KEY_REUSED", ["input", "idempotencyKey"])
