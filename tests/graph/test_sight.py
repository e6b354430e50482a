"""Narrowed permissions to read: nobody is told, by any event or command, of what they may not see.

What selections show is compared in tests/oracle, whose actors are narrowed too."""

import random
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from app.core.actor import Actor
from app.core.events import LoggedEvent
from app.core.sight import common, holds, is_narrowed
from app.destinations.events import AlertTold
from app.destinations.service.alerting import follow
from app.destinations.tables import policy
from app.feed import Entry, EventStream
from app.feed.stream import Match
from app.registry import KINDS, PERMISSIONS
from app.storage.database import Work
from app.storage.event_log import Cursor, lane_count
from tests.event_log import told_in
from tests.graph.commands import ON_INTERACTION, ON_MESSAGE, ON_NOTE
from tests.graph.exchanges import text
from tests.graph.filled import Filled, fill
from tests.graph.listening import STREAMS, ears
from tests.graph.people import narrowed, reaches
from tests.graph.running import SCHEMA, running_graph
from tests.graph.state import Row, picture_of, rows_of, unchanged

pytestmark = pytest.mark.anyio

PREFIXES = {kind.name: kind.prefix for kind in KINDS}
Side = tuple[int, int | None]
"""The team and the assignee of an interaction."""

ALONE = "subscription($id: ID!) { interactionChanged(id: $id) { topic change version interaction { id } } }"
TYPING = "subscription($id: ID!) { typingChanged(interactionId: $id) { interactionId user { id } } }"
AUDIT = ("user.signed_in", "user.refused")
SUMMARY = "subscription { attentionSummaryChanged(groupBy: TEAM) { count } }"


@pytest.fixture(scope="module")
async def world(changing_url: str) -> AsyncIterator[Filled]:
    async with running_graph(changing_url, own_plans=True) as graph:
        yield await fill(graph)


def sees(actor: Actor, kind: str, side: Side) -> bool:
    return reaches(actor, "read", kind, *side)


async def sides(filled: Filled) -> Mapping[str, tuple[str, Side]]:
    """Of each interaction its kind, its team and its assignee."""
    rows = (await rows_of(filled.graph.database))["interaction"]
    return {f"{PREFIXES[row['kind']]}_{row['id']}": (row["kind"], (row["team_id"], row["assignee_id"])) for row in rows}


def moves(filled: Filled, chance: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Changes of teams, of assignees and of all else."""
    refs = [*filled.conversations[:3], *filled.sessions[:2], *filled.agent_sessions[:1]]
    for _ in range(60):
        ref = chance.choice(refs)
        choices: Sequence[tuple[str, dict[str, Any]]] = [
            ("assignTeam", {"id": ref, "teamId": chance.choice(["tea_1", "tea_2", "tea_3", None])}),
            ("assignTeam", {"id": ref, "teamId": chance.choice(["tea_1", "tea_2"])}),
            ("assignInteraction", {"id": ref, "userId": chance.choice(["usr_2", "usr_1", None])}),
            ("receiveMessage", {"target": {"interactionId": ref}, "contents": [text("secret")]}),
            ("raiseAttention", {"id": ref, "level": chance.choice(["LOW", "URGENT"])}),
            ("setLabels", {"id": ref, "labels": [chance.choice("xyz")]}),
        ]
        yield chance.choice(choices)


async def log_of(filled: Filled) -> list[LoggedEvent]:
    """All that was told, each lane in its order."""
    return await filled.graph.database.command(told_in)


async def test_narrowed_listeners_hear_of_what_they_see_before_or_after(world: Filled) -> None:
    steps: list[tuple[Mapping[str, tuple[str, Side]], Mapping[str, tuple[str, Side]], list[LoggedEvent]]] = []
    known = {(each.lane, each.position) for each in await log_of(world)}
    for name, given in moves(world, random.Random(7)):
        before = await sides(world)
        await world.graph.attempt(name, given)
        new = [each for each in await log_of(world) if (each.lane, each.position) not in known]
        known |= {(each.lane, each.position) for each in new}
        steps.append((before, await sides(world), new))
    told: set[str] = set()
    for stream in ("interactionChanged", "messageAdded", "attentionChanged"):
        admin = match_of(stream, world.people.admin)
        for actor in narrowed(world.people):
            match = match_of(stream, actor)
            for before, after, events in steps:
                for entry in (Entry(each, Cursor.start(64)) for each in events if each.event.interaction_id):
                    ref = f"{PREFIXES[str(entry.event.kind)]}_{entry.event.interaction_id}"
                    was, now = sees(actor, *before[ref]), sees(actor, *after[ref])
                    turn, whole = match(entry), admin(entry)
                    if was == now:
                        assert turn == (whole if was else None), (stream, actor.name, entry.event)
                    elif whole == ("ENTERED" if was else "LEFT"):
                        assert turn is None  # it came into the list out of sight, or left it before it was seen
                    elif whole is not None:
                        assert turn in GOING[now], (stream, actor.name, entry.event)
                    else:
                        assert turn is None or turn in GOING[now]
                    if turn == "OUT_OF_SIGHT":
                        row: Mapping[str, object] = STREAMS[stream].row(entry, turn)  # type: ignore[union-attr]
                        assert row.keys() >= {"cursor", "at", "topic", "changes", "version"}
                        shown = {name for name, value in row.items() if value not in (None, [])}
                        assert shown == {"cursor", "id", "at", "topic", "kind", "change", "ref"}
                        assert (row["topic"], row["change"], row["ref"]) == ("INTERACTION_UPDATED", "LEFT", ref)
                    told.add(str(turn))
    assert told >= {"ENTERED", "UPDATED", "OUT_OF_SIGHT", "None"}


GOING = {True: ("ENTERED",), False: ("OUT_OF_SIGHT", "LEFT")}
"""What is told of an interaction that comes into sight, or leaves it."""


def match_of(stream: str, actor: Actor) -> Match:
    found = STREAMS[stream]
    assert isinstance(found, EventStream)
    return found.match(actor.viewer, {})


async def test_narrowed_listeners_are_alerted_of_what_they_see_then(world: Filled) -> None:
    async def looked_at() -> list[LoggedEvent]:
        """What is told by now that was not told before."""
        while await world.graph.database.command(follow, "the test", timedelta(minutes=1)):
            pass
        new = [each for each in await log_of(world) if (each.lane, each.position) not in known]
        known.update((each.lane, each.position) for each in new)
        return [each for each in new if each.event.type is AlertTold]

    known: set[tuple[int, int]] = set()
    await looked_at()
    await world.graph.database.command(tell_at_once)
    matches = [(actor, match_of("alertChanged", actor)) for actor in narrowed(world.people)]
    told: set[tuple[str, bool]] = set()
    for ref, deletes, last in (
        (world.conversations[1], "deleteConversation", (1, "usr_1")),
        (world.agent_sessions[1], "deleteAgentSession", (2, "usr_2")),
    ):
        for team, user in ((1, None), (2, None), (None, None), (1, "usr_2"), (2, "usr_1"), last):
            for name, given in (
                ("reopenInteraction", {}),
                ("assignTeam", {"teamId": team and f"tea_{team}"}),
                ("assignInteraction", {"userId": None}),
                ("raiseAttention", {"level": "URGENT"}),
                ("assignInteraction", {"userId": user}),
                (deletes if (team, user) == last else "closeInteraction", {}),
            ):
                before = await sides(world)
                await world.graph.attempt(name, {"id": ref, **given})
                side = (await sides(world)).get(ref, before.get(ref))
                assert side is not None
                for entry in (Entry(each, Cursor.start(64)) for each in await looked_at()):
                    assert f"{PREFIXES[str(entry.event.kind)]}_{entry.event.interaction_id}" == ref
                    for actor, match in matches:
                        hears = match(entry) is not None
                        assert hears == sees(actor, *side), (name, actor.name, entry.event)
                        told.add((str(entry.event.data["step"]), hears))
    assert told >= {(step, hears) for step in ("RAISED", "CLAIMED", "OVER") for hears in (True, False)}


def tell_at_once(work: Work) -> None:
    """Have the policy of everything tell of it at once."""
    changed = work.connection.execute(sa.update(policy).where(policy.c.name == "All").values(after_minutes=0))
    assert changed.rowcount == 1


async def test_one_interaction_is_followed_as_long_as_it_is_seen(world: Filled, changing_url: str) -> None:
    ref = world.conversations[0]
    of_team, dee = narrowed(world.people)[0], narrowed(world.people)[4]
    do = world.graph.do
    await do("assignTeam", {"id": ref, "teamId": "tea_1"})
    async with ears(world.graph, changing_url) as opened:
        one, typing = await opened.listen(ALONE, of_team, id=ref), await opened.listen(TYPING, of_team, id=ref)
        other, others_typing = await opened.listen(ALONE, dee, id=ref), await opened.listen(TYPING, dee, id=ref)
        await do("sendTyping", {"id": ref})
        assert (await typing.next())["interactionId"] == ref
        await do("assignTeam", {"id": ref, "teamId": "tea_2"})
        item = await one.next()
        assert item == {"topic": "INTERACTION_UPDATED", "change": "LEFT", "version": None, "interaction": None}
        await do("sendTyping", {"id": ref})
        await do("raiseAttention", {"id": ref, "level": "LOW"})
        for listener in (one, typing, other, others_typing):
            assert await listener.silent()


async def test_summary_counts_what_its_listener_sees(world: Filled, changing_url: str) -> None:
    actors = narrowed(world.people)
    async with ears(world.graph, changing_url) as opened:
        summaries = [await opened.listen(SUMMARY, actor) for actor in actors]
        for actor, summary in zip(actors, summaries, strict=True):
            rows = (await rows_of(world.graph.database))["interaction"]
            needed = [row for row in rows if row["attention_level"] is not None]
            seen = [row for row in needed if sees(actor, row["kind"], (row["team_id"], row["assignee_id"]))]
            assert await summary.next() == {"count": len(seen)}, actor.name


def facts_of(row: Row) -> tuple[Side | None, Side | None]:
    """What a stored event says of its interaction before and after; nothing where it does not say it."""
    data = orjson.loads(row["data"])
    if "after" not in data:
        return None, None
    common_ = {"assignee_id": row["assignee_id"]}
    after = None if data["after"] is None else {**common_, **data["after"]}
    changed = data.get("before", {})
    before = None if changed is None else {**(after or common_), **changed}

    def side(facts: Mapping[str, Any] | None) -> Side | None:
        return None if facts is None else (facts.get("team_id") or 0, facts["assignee_id"])

    return side(before), side(after)


async def test_events_of_the_log_are_those_of_what_was_seen_then(world: Filled) -> None:
    rows = (await rows_of(world.graph.database))["event_log"]

    def start(work: Work) -> str:
        return str(Cursor.start(lane_count(work.connection)))

    query = """query($after: String) { events(after: $after, first: 100) { cursor hasMore events {
      id kind interaction { id } message { id } } } }"""
    for actor in narrowed(world.people):
        after, found, more = await world.graph.database.command(start), [], True
        while more:
            page = (await world.graph.read(query, actor, after=after))["events"]
            after, more = page["cursor"], page["hasMore"]
            found += page["events"]
        wanted = set()
        for row in rows:
            if row["interaction_id"] is None:
                kind = row["kind"]
                if kind is None:
                    may = actor.can("users:manage" if row["topic"] in AUDIT else "directory:read")
                else:
                    may = any(p.startswith(f"{kind}:read") for p in actor.permissions)
                if may:
                    wanted.add(f"evt_{row['lane']}_{row['position']}")
                continue
            was, now = facts_of(row)
            whole = actor.can(f"{row['kind']}:read")
            gone = now is None and was is not None and sees(actor, row["kind"], was)
            if whole or gone or (now is not None and sees(actor, row["kind"], now)):
                wanted.add(f"evt_{row['interaction_id']}.{row['position']}")
        assert {each["id"] for each in found} == wanted, actor.name
        seen = {ref for ref, (kind, side) in (await sides(world)).items() if sees(actor, kind, side)}
        assert {each["interaction"]["id"] for each in found if each["interaction"]} <= seen


async def test_commands_on_what_is_not_seen_find_nothing(world: Filled) -> None:
    """Whoever may write all and read a part."""
    writes = {f"{kind}:write" for kind in PREFIXES}
    rows, before = await rows_of(world.graph.database), await picture_of(world.graph.database)
    for actor in narrowed(world.people):
        writer = replace(actor, permissions=actor.permissions | writes)
        hidden = {ref: kind for ref, (kind, side) in (await sides(world)).items() if not sees(actor, kind, side)}
        assert hidden, actor.name
        by_kind = {kind: ref for ref, kind in hidden.items()}
        for ref in by_kind.values():
            number = int(ref[4:])
            messages = [f"msg_{row['id']}" for row in rows["message"] if row["interaction_id"] == number][:1]
            notes = [f"not_{row['id']}" for row in rows["note"] if row["interaction_id"] == number][:1]
            commands = [
                *((name, {"id": ref, **given}) for name, given in ON_INTERACTION.items()),
                *((name, {"id": each, **given}) for each in messages for name, given in ON_MESSAGE.items()),
                *((name, {"id": each, **given}) for each in notes for name, given in ON_NOTE.items()),
                ("receiveMessage", {"target": {"interactionId": ref}, "contents": [text("x")]}),
            ]
            for name, given in commands:
                (error,) = (await world.graph.attempt(name, given, actor=writer))["errors"]
                assert error["code"] == "NOT_FOUND", (name, given, error)
    await unchanged(world.graph.database, before)


async def test_suggested_messages_are_seen_with_their_session(world: Filled) -> None:
    rows = (await rows_of(world.graph.database))["suggested_message"]
    assert rows
    of = {int(ref[4:]): seen for ref, seen in (await sides(world)).items()}
    for actor in narrowed(world.people):
        for row in rows:
            found = await world.graph.read("query($id: ID!) { node(id: $id) { id } }", actor, id=f"sug_{row['id']}")
            seen = {"id": f"sug_{row['id']}"} if sees(actor, *of[row["session_id"]]) else None
            assert found == {"node": seen}, actor.name


async def test_narrowed_callers_share_their_plans(world: Filled) -> None:
    query = (
        "{ interactions(first: 3) { totalCount nodes { id team { id } } } attentionSummary(groupBy: TEAM) { count } }"
    )
    actor = narrowed(world.people)[0]
    await world.graph.read(query, actor)
    preparer: Any = world.graph.operations.preparer
    plans, compiled = len(preparer.plans), preparer.compiler.sql.compiled
    for number in range(2, 7):
        await world.graph.read(query, replace(actor, user_id=number, teams=frozenset({number, number + 1})))
    assert len(preparer.plans) == plans
    assert preparer.compiler.sql.compiled == compiled


async def test_plans_of_a_thousand_users_are_as_many_as_forms_of_permissions(world: Filled) -> None:
    query, chance = '{ interactions(filter: {labels: ["none has it"]}, first: 1) { nodes { id } } }', random.Random(5)
    forms = [actor.permissions for actor in narrowed(world.people)]
    preparer: Any = world.graph.operations.preparer
    for number in range(1_000):
        if number == len(forms):
            plans, compiled = len(preparer.plans), preparer.compiler.sql.compiled
        teams = frozenset(chance.sample(range(1, 500), chance.randrange(6)))
        actor = Actor(number + 1, f"u{number}", permissions=forms[number % len(forms)], teams=teams)
        assert await world.graph.read(query, actor) == {"interactions": {"nodes": []}}
    assert (len(preparer.plans), preparer.compiler.sql.compiled) == (plans, compiled)


def test_every_subscription_is_tried_by_narrowed_listeners() -> None:
    assert SCHEMA.subscription_type is not None
    of_interactions = {
        *("interactionChanged", "attentionChanged", "messageAdded", "typingChanged", "attentionSummaryChanged"),
        "alertChanged",
    }
    others = {"presenceChanged", "connectionChanged", "destinationChanged"}
    assert set(SCHEMA.subscription_type.fields) == of_interactions | others


def test_narrower_permissions_meet_as_the_narrower_of_both() -> None:
    whole, team, own = "session:read", "session:read:team", "session:read:own"
    assert common(frozenset({whole}), [team]) == {team}
    assert common(frozenset({team}), [whole]) == {team}
    assert common(frozenset({team}), [own]) == set()
    assert common(frozenset({whole, team}), [whole]) == {whole}
    assert holds(frozenset({whole}), own)
    assert not holds(frozenset({team}), whole)
    assert not is_narrowed(frozenset({whole, team}))
    assert is_narrowed(frozenset({team, "conversation:read"}))
    assert not is_narrowed(frozenset(PERMISSIONS))
