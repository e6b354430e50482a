"""Messages keep their keys, their search and their surrogates when keys become their channels' own."""

import pytest
import sqlalchemy as sa

from app.interactions.tables import message
from app.storage.migrations import downgrade, migrate
from tests.graph.running import Graph, running_graph
from tests.kinds.conftest import store_users
from tests.storage.test_migrations import on

pytestmark = pytest.mark.anyio

SEARCH = '{ searchMessages(text: "kylling") { edges { node { id } } } }'


async def receive(graph: Graph, target: dict[str, object], key: str) -> dict[str, object]:
    given = {"target": target, "contents": [{"text": {"content": "Kylling?"}}], "messageKey": key}
    return await graph.attempt("receiveMessage", given, "message { id }")


async def store(graph: Graph) -> dict[str, dict[str, object]]:
    """Something to receive messages on each sort of channel, and a user to whom all is allowed."""
    await graph.database.command(store_users)
    customers = {}
    for system in ("SESSION", "CONVERSATION", "AGENT_SESSION"):
        more = {"channel": "WIDGET", "displayId": "v"} if system == "CONVERSATION" else {"phoneNumber": "+4733333333"}
        made = await graph.do("createCustomer", {"system": system, **more}, "customer { id }")
        customers[system] = made["customer"]["id"]
    await graph.do("createAiAgent", {"agentKey": "helper", "name": "Helper"})
    found: dict[str, dict[str, object]] = {
        "session": {"kind": "SESSION", "customerId": customers["SESSION"]},
        "agent": {"kind": "AGENT_SESSION", "customerId": customers["AGENT_SESSION"], "agentKey": "helper"},
    }
    for name in ("shop", "club"):
        made = await graph.do(
            "createChannelAgent", {"channel": "WIDGET", "displayId": name, "name": name}, "channelAgent { id }"
        )
        agent = made["channelAgent"]["id"]
        found[name] = {"kind": "CONVERSATION", "customerId": customers["CONVERSATION"], "channelAgentId": agent}
    return {name: {"customer": target} for name, target in found.items()}


def channels(connection: sa.Connection) -> list[tuple[str, str]]:
    rows = connection.execute(sa.select(message.c.channel_key, message.c.message_key).order_by(message.c.id))
    return [tuple(row) for row in rows]


async def test_message_keys_belong_to_their_channels_after_the_migration(database_url: str) -> None:
    async with running_graph(database_url) as graph:
        targets = await store(graph)
        for place, target in enumerate(targets.values()):
            await receive(graph, target, f"key-{place}")
        last = await receive(graph, targets["shop"], "gone")
        await graph.do("deleteMessage", {"id": last["message"]["id"]})  # type: ignore[index]
    before = await on(database_url, channels)
    assert before == [("session", "key-0"), ("aia_1", "key-1"), ("cha_1", "key-2"), ("cha_2", "key-3")]
    await on(database_url, lambda connection: downgrade(connection, "0013"))
    await migrate(database_url)
    assert await on(database_url, channels) == before
    async with running_graph(database_url) as graph:
        again = await receive(graph, targets["shop"], "key-2")
        assert again["errors"][0]["code"] == "ALREADY_RECEIVED"  # type: ignore[index]
        other = await receive(graph, targets["club"], "key-2")
        assert other["message"] == {"id": "msg_6"}, "a surrogate is never given out twice"
        found = await graph.read(SEARCH)
        assert len(found["searchMessages"]["edges"]) == 5
        await graph.do("deleteMessage", {"id": "msg_6"})
        assert len((await graph.read(SEARCH))["searchMessages"]["edges"]) == 4


async def test_message_keys_of_several_channels_are_told_apart_by_the_way_back(database_url: str) -> None:
    async with running_graph(database_url) as graph:
        for target in (await store(graph)).values():
            await receive(graph, target, "same")
    await on(database_url, lambda connection: downgrade(connection, "0013"))
    keys = sa.text("SELECT message_key FROM message ORDER BY id")
    found = await on(database_url, lambda connection: list(connection.execute(keys).scalars()))
    assert found == ["same", "same:2", "same:3", "same:4"]
