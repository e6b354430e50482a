"""Listeners whose teams change while they listen: nobody is told of what it may not see, nobody misses what it may.

Against a running server, whose sockets close when the teams of their user change, and come back by their cursor."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from app.asgi import create_app
from app.core.actor import Actor
from app.settings import Settings
from tests.graph.exchanges import receive, text
from tests.graph.people import reaches, store_people
from tests.graph.running import mutation_text, running_graph
from tests.serving import Served, eventually, serving

pytestmark = pytest.mark.anyio

USERS, EACH = 10, 5
FORMS = (("read:team",), ("read:own", "claim"), ("read:own",), ("read",), ("read:team", "read:own"))
"""What the users may, one after the other; each has EACH listeners."""

STREAM = """subscription($after: String) { interactionChanged(after: $after) {
  cursor change interactionId topic message { id } interaction { id labels } } }"""
Side = tuple[int, int | None]


@dataclass
class User:
    """A user with a key, its teams as they are, and its listeners' items and ends."""

    actor: Actor
    secret: str
    items: Counter[tuple[int, str]] = field(default_factory=Counter)
    shown: set[str] = field(default_factory=set)
    ends: list[int] = field(default_factory=list)
    opened: int = 0


@dataclass
class Town:
    """A running server with people, conversations, and where each of these belongs."""

    served: Served
    client: httpx2.AsyncClient
    users: Sequence[User]
    sides: dict[str, Side]
    members: dict[int, frozenset[int]]
    seen: set[tuple[int, str]] = field(default_factory=set)
    """Who may have seen what in the round before: what was on its way may arrive in this one."""
    ever: dict[str, set[Side]] = field(default_factory=lambda: defaultdict(set))
    """Where each has been: who comes back by an old cursor is told what its teams were told then."""

    async def do(self, mutation: str, given: Mapping[str, Any]) -> None:
        body = {"query": mutation_text(mutation), "variables": {"input": given}}
        answer = (await self.client.post(self.served.url, json=body)).json()
        assert answer["data"][mutation]["errors"] == [], answer

    def sees(self, user: User, teams: frozenset[int], side: Side) -> bool:
        actor = Actor(user.actor.user_id, "x", permissions=user.actor.permissions, teams=teams)
        return reaches(actor, "read", "conversation", *side)

    def teams_of(self, user: User) -> frozenset[int]:
        return frozenset(team for team, users in self.members.items() if user.actor.user_id in users)


@asynccontextmanager
async def town(url: str) -> AsyncIterator[Town]:
    async with running_graph(url) as graph:
        await store_people(graph)
        users, refs = [], []
        for number in range(USERS):
            parts = FORMS[number % len(FORMS)]
            permissions = [f"CONVERSATION_{part.replace(':', '_').upper()}" for part in (*parts, "write")]
            given = {"name": f"U{number}", "login": f"u{number}", "permissions": permissions}
            ref = (await graph.do("createUser", given, "user { id }"))["user"]["id"]
            key = await graph.do("createApiKey", {"name": "k", "userId": ref}, "secret")
            held = frozenset(f"conversation:{part}" for part in parts)
            users.append(User(Actor(int(ref[4:]), f"u{number}", permissions=held), key["secret"]))
        admin = await graph.do("createApiKey", {"name": "k"}, "secret")
        for name in ("One", "Two", "Three"):
            await graph.do("createTeam", {"name": name})
        widget = {"channel": "WIDGET", "displayId": "w", "name": "W"}
        agent = await graph.do("createChannelAgent", widget, "channelAgent { id }")
        for number in range(8):
            made = {"system": "CONVERSATION", "channel": "WIDGET", "displayId": f"d{number}"}
            customer = (await graph.do("createCustomer", made, "customer { id }"))["customer"]["id"]
            target = {"kind": "CONVERSATION", "customerId": customer, "channelAgentId": agent["channelAgent"]["id"]}
            ref, _ = await receive(graph, {"customer": target}, text("hello"))
            refs.append(ref)
    settings = Settings(database_url=url, rate_limit=0, compile_seconds=0)
    headers = {"authorization": f"Bearer {admin['secret']}"}
    async with serving(create_app(settings), settings) as served, httpx2.AsyncClient(headers=headers) as client:
        yield Town(served, client, users, dict.fromkeys(refs, (0, None)), dict.fromkeys((1, 2, 3), frozenset()))


async def listen(town: Town, user: User, place: int, after: str) -> None:
    """Listen for ever: from the cursor on, and after each end from the latest one on."""
    while True:
        async with town.served.socket({"authorization": f"Bearer {user.secret}"}) as socket:
            await socket.subscribe("1", STREAM, after=after)
            user.opened += 1
            try:
                while True:
                    item = (await socket.data("1"))["interactionChanged"]
                    after = item["cursor"]
                    user.items[place, item["interactionId"]] += 1
                    if item["interaction"] is not None or item["message"] is not None:
                        user.shown.add(item["interactionId"])
            except ConnectionClosed:
                code = socket.connection.close_code
                assert code is not None
                user.ends.append(code)


async def test_listeners_hear_what_they_see_while_teams_and_members_move(changing_url: str) -> None:
    chance = random.Random(11)
    async with town(changing_url) as found, asyncio.TaskGroup() as group:
        asked = await found.client.post(found.served.url, json={"query": "{ events { cursor } }"})
        start = asked.json()["data"]["events"]["cursor"]
        callers = [(user, place) for user in found.users for place in range(EACH)]
        tasks = [group.create_task(listen(found, user, place, start)) for user, place in callers]
        await eventually(lambda: found.served.running == USERS * EACH)
        for _ in range(8):
            await one_round(found, chance)
        for task in tasks:
            task.cancel()


async def one_round(town: Town, chance: random.Random) -> None:
    """Change the members of a team while interactions move, and hold everybody to what they heard of it."""
    for user in town.users:
        user.items.clear()
        user.shown.clear()
        user.ends.clear()
        user.opened = 0
    was = {user.actor.user_id: town.teams_of(user) for user in town.users}
    team = chance.choice([1, 2, 3])
    wanted = frozenset(chance.sample([user.actor.user_id for user in town.users], 4))
    moved = chance.sample(sorted(town.sides), 4)
    before = dict(town.sides)

    async def move() -> None:
        for number, ref in enumerate(moved):
            side = town.sides[ref]
            if number % 2:
                await town.do("addLabels", {"id": ref, "labels": [f"l{chance.randrange(10**9)}"]})
                continue
            goes = chance.choice([each for each in range(4) if each != side[0]])
            await town.do("assignTeam", {"id": ref, "teamId": f"tea_{goes}" if goes else None})
            town.sides[ref] = (goes, None)

    members = {"id": f"tea_{team}", "memberIds": [f"usr_{number}" for number in sorted(wanted)]}
    await asyncio.gather(town.do("updateTeam", members), move())
    changed = town.members[team] ^ wanted
    town.members[team] = wanted

    def may(user: User, ref: str) -> list[bool]:
        """Whether the user sees the interaction, before or after the round, as a member of before or of after."""
        teams = {was[user.actor.user_id], town.teams_of(user)}
        return [town.sees(user, each, side) for each in teams for side in (before[ref], town.sides[ref])]

    def heard(user: User) -> bool:
        ends = EACH if user.actor.user_id in changed else 0
        all_seen = [ref for ref in moved if all(may(user, ref))]
        return (len(user.ends), user.opened) == (ends, ends) and all(
            user.items[place, ref] for ref in all_seen for place in range(EACH)
        )

    await eventually(lambda: all(heard(user) for user in town.users))
    await eventually(lambda: town.served.running == USERS * EACH)
    seen = {(user.actor.user_id, ref) for user in town.users for ref in town.sides if any(may(user, ref))}
    for ref in town.sides:
        town.ever[ref] |= {before[ref], town.sides[ref]}
    for user in town.users:
        assert set(user.ends) <= {4403}
        teams = {was[user.actor.user_id], town.teams_of(user)}
        for ref in user.shown:
            assert (user.actor.user_id, ref) in seen | town.seen, (user.actor, ref)
        for _, ref in user.items:
            told = any(town.sees(user, each, side) for each in teams for side in town.ever[ref])
            assert told or (user.actor.user_id, ref) in town.seen, (user.actor, ref)
    town.seen = seen
