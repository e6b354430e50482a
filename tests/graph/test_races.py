"""Many at once: one wins where one can, nothing is lost, and nobody meets a locked database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from app.core.actor import Actor
from app.directory import service
from app.settings import Settings
from app.storage.database import Work
from tests.graph.chats import request
from tests.graph.exchanges import of, receive, text
from tests.graph.running import ADMIN, Graph, open_graph
from tests.graph.state import rows_of

pytestmark = pytest.mark.anyio

TEAM = 20


@pytest.fixture
async def graph(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Graph]:
    """The graph over an empty database, in which a command waits for its turn as long as a slow machine may need."""
    monkeypatch.setattr("app.storage.engines.LONGEST_WAIT", 120.0)
    patient = Settings(compile_seconds=0, lock_timeout=timedelta(minutes=2), command_timeout=timedelta(minutes=2))
    found = await open_graph(database_url, settings=patient)
    try:
        yield found
    finally:
        await found.database.close()


@pytest.fixture
async def team(graph: Graph) -> Sequence[Actor]:
    """Twenty users who may do everything with chats and Sessions."""
    permissions = [f"{kind}:{verb}" for kind in ("session", "chat_session") for verb in ("read", "write")]

    def store(work: Work) -> list[int]:
        service.bootstrap(work, None)
        made = [
            service.create_user(work, ADMIN, {"name": f"U{n}", "login": f"u{n}", "permissions": permissions})
            for n in range(TEAM)
        ]
        return [user.id for user in made]

    ids = await graph.database.command(store)
    return [Actor(user_id=id_, name=f"U{n}", permissions=frozenset(permissions)) for n, id_ in enumerate(ids)]


async def all_of(attempts: Sequence[Awaitable[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The payloads of mutations that are sent at the same moment."""
    return list(await asyncio.gather(*attempts))


async def session(graph: Graph) -> str:
    """A Session of a new customer."""
    given = {"system": "SESSION", "phoneNumber": "+4790000001", "customerKey": "key"}
    customer = (await graph.do("createCustomer", given, "customer { id }"))["customer"]["id"]
    return (await receive(graph, of(customer, "SESSION"), text("hello")))[0]


async def test_of_eight_claims_one_wins_and_seven_learn_who(graph: Graph, team: Sequence[Actor]) -> None:
    ref = await session(graph)
    given = {"id": ref, "leaseSeconds": 60}
    payloads = await all_of(
        [graph.attempt("claimInteraction", given, "interaction { assignee { id } }", actor) for actor in team[:8]]
    )
    won = [payload for payload in payloads if not payload["errors"]]
    lost = [payload["errors"] for payload in payloads if payload["errors"]]
    assert (len(won), len(lost)) == (1, 7)
    winner = won[0]["interaction"]["assignee"]
    until = "2026-01-05T09:01:00.000000Z"
    for (error,) in lost:
        assert (error["code"], error["claimedBy"], error["claimedUntil"]) == ("ALREADY_CLAIMED", winner, until)
    topics = [row["topic"] for row in (await rows_of(graph.database))["event_log"]]
    assert topics.count("session.claimed") == 1


async def test_of_fifty_updates_of_one_version_one_is_done(graph: Graph, team: Sequence[Actor]) -> None:
    ref = await session(graph)
    payloads = await all_of(
        [
            graph.attempt(
                "updateSession",
                {"id": ref, "ifVersion": 1, "tags": [f"t{number}"]},
                "session { version tags }",
                team[number % TEAM],
            )
            for number in range(50)
        ]
    )
    (won,) = [payload["session"] for payload in payloads if not payload["errors"]]
    lost = [payload["errors"] for payload in payloads if payload["errors"]]
    assert [(error["code"], error["currentVersion"]) for (error,) in lost] == [("VERSION_CONFLICT", 2)] * 49
    assert (await graph.read("query($id: ID!) { node(id: $id) { ... on Session { version tags } } }", id=ref))[
        "node"
    ] == won
    assert won["version"] == 2


async def test_a_message_that_is_sent_twenty_times_under_one_key_is_one(graph: Graph, team: Sequence[Actor]) -> None:
    ref = await session(graph)
    given = {"id": ref, "content": text("only once"), "idempotencyKey": "k"}
    gives = "message { id text sentAt } interaction { id }"
    payloads = await all_of([graph.do("sendMessage", given, gives, team[0]) for _ in range(20)])
    assert all(payload == payloads[0] for payload in payloads)
    assert payloads[0]["message"]["text"] == "only once"
    rows = await rows_of(graph.database)
    assert [row["text"] for row in rows["message"]] == ["hello", "only once"]
    assert [row["topic"] for row in rows["event_log"]].count("session.message_sent") == 1
    (refused,) = (await graph.attempt("sendMessage", {**given, "content": text("else")}, actor=team[0]))["errors"]
    assert (refused["code"], refused["path"]) == ("KEY_REUSED", ["input", "idempotencyKey"])
    again = await graph.do("sendMessage", given, gives, team[1])
    assert again["message"]["id"] != payloads[0]["message"]["id"]


async def test_three_hundred_updates_of_one_row_are_three_hundred_versions(graph: Graph, team: Sequence[Actor]) -> None:
    ref = await session(graph)
    payloads = await all_of(
        [
            graph.do("updateSession", {"id": ref, "tags": [f"t{number}"]}, "session { version }", team[number % TEAM])
            for number in range(300)
        ]
    )
    assert len(payloads) == 300
    rows = await rows_of(graph.database)
    (stored,) = rows["interaction"]
    assert stored["version"] == 301
    versions = [row["version"] for row in rows["event_log"] if row["topic"] == "session.updated"]
    assert sorted(versions) == list(range(2, 302))


async def test_twenty_who_pick_up_the_first_get_twenty_chats(graph: Graph, team: Sequence[Actor]) -> None:
    await graph.do("createChatTopic", {"name": "Support", "topicId": 1})
    await all_of([graph.do("requestChatSession", {"topicId": 1}) for _ in range(TEAM - 1)])
    graph.clock.advance(1)
    await request(graph)
    waiting = "{ chatQueue(first: 100) { totalCount nodes { id initialQueuePos } } }"
    queue = (await graph.read(waiting))["chatQueue"]
    assert sorted(chat["initialQueuePos"] for chat in queue["nodes"]) == list(range(1, TEAM + 1))

    gives = "chatSession { id rank status user { id } }"
    payloads = await all_of([graph.do("pickUpChatSession", {"topicId": 1}, gives, actor) for actor in team])
    picked = [payload["chatSession"] for payload in payloads]
    assert {chat["id"] for chat in picked} == {chat["id"] for chat in queue["nodes"]}
    assert [chat["user"]["id"] for chat in picked] == [f"usr_{actor.user_id}" for actor in team]
    assert {(chat["rank"], chat["status"]) for chat in picked} == {(1, "USER_LAST")}
    assert (await graph.read(waiting))["chatQueue"]["totalCount"] == 0
    nothing = await graph.attempt("pickUpChatSession", {"topicId": 1}, gives, team[0])
    assert nothing["chatSession"] is None


async def test_the_ranks_of_one_user_s_chats_have_no_gap_and_no_double(graph: Graph, team: Sequence[Actor]) -> None:
    await graph.do("createChatTopic", {"name": "Support", "topicId": 1})
    await all_of([graph.do("requestChatSession", {"topicId": 1}) for _ in range(8)])
    payloads = await all_of([graph.do("pickUpChatSession", {}, "chatSession { id rank }", team[0]) for _ in range(8)])
    ranks = {payload["chatSession"]["rank"]: payload["chatSession"]["id"] for payload in payloads}
    assert sorted(ranks) == list(range(1, 9))
    await graph.do("closeInteraction", {"id": ranks[3]}, actor=team[0])
    await request(graph)
    again = await graph.do("pickUpChatSession", {}, "chatSession { rank }", team[0])
    assert again["chatSession"]["rank"] == 3


async def test_messages_of_a_new_customer_open_one_session(graph: Graph, team: Sequence[Actor]) -> None:
    given = {"system": "SESSION", "phoneNumber": "+4790000001"}
    customer = (await graph.do("createCustomer", given, "customer { id }"))["customer"]["id"]
    target = of(customer, "SESSION")
    payloads = await all_of(
        [
            graph.do(
                "receiveMessage",
                {"target": target, "contents": [text(f"{number}")]},
                "interaction { id }",
                team[number],
            )
            for number in range(12)
        ]
    )
    assert len({payload["interaction"]["id"] for payload in payloads}) == 1
    (stored,) = (await rows_of(graph.database))["interaction"]
    assert stored["unread_customer_messages_count"] == 12
