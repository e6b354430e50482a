"""Who looks at an interaction, and how many listen for alerts, over all processes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.core.actor import Actor
from app.interactions.service.messages import type_in
from app.interactions.service.state import set_labels
from app.interactions.service.watching import forget_watches, watch
from app.interactions.watched import ATTENTION
from tests.graph.listening import Ears, ears
from tests.interactions.conftest import House, cnv
from tests.interactions.conftest import house as house
from tests.kinds.conftest import BO, CY, DEE

pytestmark = pytest.mark.anyio

WATCH = """subscription($viewing: Boolean!) { interactionChanged(id: "cnv_1", viewing: $viewing) {
  topic change interaction { viewers { user { name } } } } }"""
ONE, GONE = ("conversation", 1), ("conversation", 77)
LISTENERS = "{ attentionSummary(groupBy: KIND) { listeners } }"
ALERTS = "subscription { attentionChanged { topic } }"


@pytest.fixture
async def one(house: House, database_url: str) -> AsyncIterator[Ears]:
    """What listens in one process."""
    async with ears(house.graph, database_url) as opened:
        yield opened


@pytest.fixture
async def other(house: House, database_url: str) -> AsyncIterator[Ears]:
    """What listens in another process on the same database."""
    async with ears(house.graph, database_url) as opened:
        yield opened


def looked_at_by(*names: str) -> dict[str, object]:
    viewers = [{"user": {"name": name}} for name in names]
    return {"topic": "INTERACTION_VIEWERS_CHANGED", "change": "UPDATED", "interaction": {"viewers": viewers}}


async def listeners(house: House, actor: Actor = BO) -> int:
    found: int = (await house.graph.read(LISTENERS, actor))["attentionSummary"]["listeners"]
    return found


async def test_who_looks_is_known_to_who_listens_in_any_process(house: House, one: Ears, other: Ears) -> None:
    await house.hear()
    witness = await one.listen(WATCH, CY, viewing=False)
    here = await one.listen(WATCH, BO, viewing=True)
    assert await witness.next() == await here.next() == looked_at_by("Bo")
    there, far = await other.listen(WATCH, BO, viewing=True), await other.listen(WATCH, CY, viewing=True)
    assert await witness.next() == await there.next() == await far.next() == looked_at_by("Bo", "Cy")
    here.close()
    far.close()
    # Bo still looks, from the other process.
    assert await witness.next() == await there.next() == looked_at_by("Bo")
    there.close()
    assert await witness.next() == looked_at_by()
    assert await witness.silent(0.5)


async def test_a_look_changes_no_list_and_leaves_no_history(house: House, one: Ears) -> None:
    await house.hear()
    listed = await one.listen("subscription { interactionChanged(filter: {kinds: [CONVERSATION]}) { topic } }")
    alone = await one.listen(WATCH, BO, viewing=True)
    assert await alone.next() == looked_at_by("Bo")
    await house.database.command(set_labels, BO, cnv(1), ["vip"])
    assert await listed.next() == {"topic": "INTERACTION_LABELLED"}
    found = await house.graph.read('{ interaction(id: "cnv_1") { version history { nodes { topic } } } }')
    topics = [each["topic"] for each in found["interaction"]["history"]["nodes"]]
    assert "INTERACTION_LABELLED" in topics
    assert "INTERACTION_VIEWERS_CHANGED" not in topics
    assert found["interaction"]["version"] == 2


async def test_what_cannot_be_looked_at(house: House, one: Ears) -> None:
    await house.hear()
    everything = "subscription { interactionChanged(viewing: true) { topic } }"
    assert await one.refused(everything) == [("INVALID_INPUT", "viewing")]
    assert await one.refused(WATCH, DEE, viewing=True) == [("FORBIDDEN",)]
    assert (await house.graph.read('{ interaction(id: "cnv_1") { viewers { until } } }'))["interaction"] == {
        "viewers": []
    }


async def test_an_interaction_is_not_reached_as_one_of_another_kind(house: House, one: Ears) -> None:
    await house.hear()
    sessions = replace(DEE, permissions=frozenset({"session:read", "session:write"}))
    typing = 'subscription { typingChanged(interactionId: "%s_1") { user { name } } }'
    changes = 'subscription { interactionChanged(id: "ses_1", viewing: true) { topic } }'
    heard = [await one.listen(typing % "ses", sessions), await one.listen(changes, sessions)]
    told, seen = await one.listen(typing % "cnv", CY), await one.listen(changes.replace("ses", "cnv"), CY)
    assert await seen.next() == {"topic": "INTERACTION_VIEWERS_CHANGED"}
    await house.database.command(type_in, BO, cnv(1))
    assert await told.next() == {"user": {"name": "Bo"}}
    assert [await each.silent(0.3) for each in heard] == [True, True]
    read = '{ interaction(id: "cnv_1") { viewers { user { name } } } }'
    assert (await house.graph.read(read))["interaction"] == {"viewers": [{"user": {"name": "Cy"}}]}


async def test_how_many_listen_for_alerts(house: House, one: Ears, other: Ears) -> None:
    summary = await other.listen("subscription { attentionSummaryChanged(groupBy: KIND) { listeners } }", DEE)
    assert await summary.next() == {"listeners": 0}
    heard = [await one.listen(ALERTS, BO), await one.listen(ALERTS, BO), await other.listen(ALERTS, CY)]
    while (found := await summary.next()) != {"listeners": 3}:
        assert found["listeners"] < 3
    assert await listeners(house) == await listeners(house, DEE) == 3
    for listener in heard:
        listener.close()
    while (found := await summary.next()) != {"listeners": 0}:
        assert found["listeners"] < 3
    assert await listeners(house) == 0


async def test_listeners_are_those_who_can_see_an_alert(house: House, one: Ears) -> None:
    await house.hear()
    nobody = replace(DEE, permissions=frozenset())
    of_sessions = replace(DEE, permissions=frozenset({"session:read"}))
    of_kinds = "subscription { attentionChanged(filter: {kinds: [%s]}) { topic } }"
    for actor, query in (
        (nobody, ALERTS),
        (nobody, of_kinds % "CONVERSATION"),
        (of_sessions, of_kinds % "CONVERSATION, CHAT_SESSION"),
        (BO, of_kinds % ""),
    ):
        _ = await one.listen(query, actor)
    # Leases are written in the order of the subscriptions: those above would be counted by now.
    for actor, query in ((of_sessions, ALERTS), (of_sessions, of_kinds % "CONVERSATION, SESSION"), (BO, ALERTS)):
        _ = await one.listen(query, actor)
    summary = await one.listen("subscription { attentionSummaryChanged(groupBy: KIND) { listeners } }", BO)
    while (found := await summary.next()) != {"listeners": 3}:
        assert found["listeners"] < 3
    assert await summary.silent(0.6)
    assert await listeners(house) == 3


async def test_a_process_that_ends_lets_go(house: House, one: Ears, database_url: str) -> None:
    await house.hear()
    witness = await one.listen(WATCH, CY, viewing=False)
    async with ears(house.graph, database_url) as ending:
        _ = await ending.listen(WATCH, BO, viewing=True)
        _ = await ending.listen(ALERTS, BO)
        assert await witness.next() == looked_at_by("Bo")
    assert await witness.next() == looked_at_by()
    assert await listeners(house) == 0


async def test_who_watched_in_a_process_that_was_killed_is_forgotten(house: House, one: Ears) -> None:
    await house.hear()
    witness = await one.listen(WATCH, CY, viewing=False)
    await house.database.command(watch, "killed", {(ONE, 2): 1, ((None, ATTENTION), 2): 4, (GONE, 2): 1}, ())
    assert await witness.next() == looked_at_by("Bo")
    assert await listeners(house) == 4
    house.clock.advance(29)
    await house.database.command(forget_watches)
    assert (await listeners(house), await witness.silent()) == (4, True)
    house.clock.advance(1)
    assert await listeners(house) == 0
    await house.database.command(forget_watches)
    assert await witness.next() == looked_at_by()


async def test_of_two_who_leave_at_once_one_is_the_last(house: House) -> None:
    await house.hear()
    database = house.database
    for turn in range(10):
        for holder in ("one", "two"):
            await database.command(watch, holder, {(ONE, 2): 1}, ())
        await asyncio.gather(*(database.command(watch, holder, {}, [(ONE, 2)]) for holder in ("one", "two")))
        told = (await house.topics()).count("interaction.viewers_changed")
        assert told == 2 * (turn + 1)
