"""Connections as clients of the graph see them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.core.actor import Actor
from app.directory.model import NewCustomer
from app.directory.service import create_customer
from app.interactions.service.messages import receive_message
from app.settings import Settings
from tests.conftest import ManualClock
from tests.connections.conftest import ADA, Source, hello
from tests.graph.listening import ears
from tests.graph.running import Graph, open_graph
from tests.kinds.conftest import BO, store_users

pytestmark = pytest.mark.anyio

MANAGER = Actor(user_id=2, name="Bo", permissions=frozenset({"connections:manage"}))
STANDS = "{ id name system state error { code action message } paused pending parked lagSeconds lastDeliveryAt }"


@pytest.fixture
async def graph(database_url: str, clock: ManualClock, settings: Settings) -> AsyncIterator[Graph]:
    opened = await open_graph(database_url, clock, settings)
    await opened.database.command(store_users)
    yield opened
    await opened.database.close()


async def make(graph: Graph, **given: object) -> dict[str, Any]:
    new = {"system": "HTTP", "name": "Shop", **given}
    return await graph.do("createConnection", new, "connection { id hookPath settings version } secret", MANAGER)


async def connected(graph: Graph) -> Source:
    made = await make(graph)
    token = made["connection"]["hookPath"].rpartition("/")[2]
    return Source(graph.database, graph.clock, int(made["connection"]["id"][4:]), token, made["secret"])


async def stands(graph: Graph) -> dict[str, Any]:
    found = await graph.read(f"{{ connections {{ nodes {STANDS} }} }}", MANAGER)
    (only,) = found["connections"]["nodes"]
    return dict(only)


async def test_connection_is_made_with_a_secret_that_is_shown_once(graph: Graph) -> None:
    made = await make(graph, idempotencyKey="k")
    assert made["secret"].startswith("whsec_")
    assert made["connection"]["settings"] == {"channelAgentId": "cha_1"}
    assert made["connection"]["hookPath"].startswith("/hooks/con_1/")
    again = await make(graph, idempotencyKey="k")
    assert (again["connection"], again["secret"]) == (made["connection"], None)
    stored = await graph.database.command(
        lambda work: work.connection.exec_driver_sql("SELECT secret FROM connected_system").scalars().all()
    )
    assert made["secret"] not in stored


async def test_connection_takes_a_secret_of_the_caller(graph: Graph) -> None:
    secret = "whsec_" + "A" * 32
    assert (await make(graph, secret=secret))["secret"] == secret


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "A" * 32, "whsec_!" + "A" * 32, "whsec_" + "A" * 88])
async def test_connection_with_a_weak_secret_is_refused(graph: Graph, secret: str) -> None:
    new = {"system": "HTTP", "name": "Shop", "secret": secret}
    refused = await graph.attempt("createConnection", new, "connection { id }", MANAGER)
    if secret == "":
        assert refused["errors"] == []
        return
    (fault,) = refused["errors"]
    assert (fault["code"], fault["path"]) == ("INVALID_INPUT", ["input", "secret"])
    assert secret not in fault["message"] or secret == "whsec_"


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"name": " "}, "INVALID_INPUT", ["input", "name"]),
        ({"name": "n" * 256}, "TOO_LONG", ["input", "name"]),
        ({"settings": [1]}, "INVALID_INPUT", ["input", "settings"]),
        ({"settings": {"channelAgentId": "cha_9"}}, "NOT_FOUND", ["input", "settings", "channelAgentId"]),
    ],
)
async def test_connection_that_does_not_fit_is_refused(
    graph: Graph, given: dict[str, object], code: str, path: list[str]
) -> None:
    new = {"system": "HTTP", "name": "Shop", **given}
    refused = await graph.attempt("createConnection", new, "connection { id } secret", MANAGER)
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [(code, path)]
    assert (refused["connection"], refused["secret"]) == (None, None)
    assert (await graph.read("{ connections { totalCount } }", MANAGER))["connections"]["totalCount"] == 0


async def test_name_is_one_connections_until_it_is_deleted(graph: Graph) -> None:
    await make(graph)
    refused = await graph.attempt("createConnection", {"system": "HTTP", "name": "Shop"}, "connection { id }", MANAGER)
    assert [each["code"] for each in refused["errors"]] == ["ALREADY_EXISTS"]
    assert (await graph.do("deleteConnection", {"id": "con_1"}, "deletedId", MANAGER))["deletedId"] == "con_1"
    assert (await make(graph))["connection"]["id"] != "con_1"
    assert await graph.read('{ connection(id: "con_1") { id } node(id: "con_1") { id } }', MANAGER) == {
        "connection": None,
        "node": None,
    }


async def test_connection_without_a_key_for_secrets_is_refused(
    database_url: str, clock: ManualClock, graph: Graph
) -> None:
    without = await open_graph(database_url, clock, Settings())
    try:
        new = {"system": "HTTP", "name": "Shop"}
        refused = await without.attempt("createConnection", new, "connection { id }", MANAGER)
    finally:
        await without.database.close()
    (fault,) = refused["errors"]
    assert fault["code"] == "NO_SECRETS_KEY"
    assert "secrets-key" in fault["message"]
    assert (await graph.read("{ channelAgents { totalCount } }"))["channelAgents"]["totalCount"] == 0


async def test_connections_need_their_permission(graph: Graph) -> None:
    await make(graph)
    for text in ("{ connections { nodes { id } } }", '{ connection(id: "con_1") { id } }'):
        answer = await graph.answer(text, BO)
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
    assert await graph.read('{ node(id: "con_1") { id } }', BO) == {"node": None}
    one = {"id": "con_1"}
    for mutation, given in (
        ("createConnection", {"system": "HTTP", "name": "Other"}),
        ("updateConnection", {**one, "name": "Other"}),
        *((name, one) for name in ("testConnection", "pauseConnection", "resumeConnection", "deleteConnection")),
        *((name, one) for name in ("rotateConnectionSecret", "replayParked", "dropParked", "retryReads")),
    ):
        refused = await graph.attempt(mutation, given, actor=BO)
        assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"], mutation
    assert (await stands(graph))["name"] == "Shop"


async def test_state_follows_what_happens(graph: Graph, clock: ManualClock) -> None:
    source = await connected(graph)
    assert await stands(graph) == {
        "id": "con_1",
        "name": "Shop",
        "system": "HTTP",
        "state": "CONNECTING",
        "error": None,
        "paused": False,
        "pending": 0,
        "parked": 0,
        "lagSeconds": 0,
        "lastDeliveryAt": None,
    }
    await source.offer(hello())
    clock.advance(60)
    found = await stands(graph)
    assert (found["state"], found["pending"], found["lagSeconds"]) == ("CONNECTED", 1, 60)
    assert found["lastDeliveryAt"] == "2026-01-05T09:00:00.000000Z"
    clock.advance(1)
    found = await stands(graph)
    assert (found["state"], found["error"]["code"]) == ("DEGRADED", "DELIVERIES_WAITING")
    await source.apply()
    assert (await stands(graph))["state"] == "CONNECTED"
    await source.deliver("no JSON", "evt-2")
    found = await stands(graph)
    assert (found["state"], found["parked"]) == ("DEGRADED", 1)
    assert (found["error"]["code"], found["error"]["action"]) == ("DELIVERIES_PARKED", "REPLAY_OR_DROP_PARKED")
    clock.advance(1)
    await source.offer("{}", "evt-3", headers={**source.signed("{}"), "webhook-signature": "v1,AAAA"})
    found = await stands(graph)
    assert (found["state"], found["error"]["code"]) == ("BAD_CREDENTIALS", "WRONG_SIGNATURES")
    await graph.do("pauseConnection", {"id": "con_1"}, "connection { id }", MANAGER)
    found = await stands(graph)
    assert (found["state"], found["error"], found["paused"]) == ("STOPPED", None, True)
    await graph.do("resumeConnection", {"id": "con_1"}, "connection { id }", MANAGER)
    await graph.do("dropParked", {"id": "con_1"}, "count", MANAGER)
    clock.advance(1)
    await source.offer(hello("m-4"), "evt-4")
    await source.apply()
    assert (await stands(graph))["state"] == "CONNECTED"


async def test_delivery_that_is_tried_again_later_does_not_lag(graph: Graph, clock: ManualClock) -> None:
    source = await connected(graph)
    await source.deliver({"customer": {"key": "c-17"}, "labels": {"add": ["vip"]}})
    for seconds in (5, 30):
        clock.advance(seconds)
        await source.apply()
    clock.advance(119)
    found = await stands(graph)
    assert (found["state"], found["pending"], found["lagSeconds"]) == ("CONNECTED", 1, 0)


async def test_parked_body_is_shown_as_far_as_a_page_of_them_stays_small(graph: Graph) -> None:
    source = await connected(graph)
    await source.deliver("é" * 65_537, "evt-1")
    found = await graph.read('{ connection(id: "con_1") { parkedDeliveries { nodes { body } } } }', MANAGER)
    assert found["connection"]["parkedDeliveries"]["nodes"] == [{"body": "é" * 65_536}]


async def test_parked_deliveries_are_listed_with_their_reasons(graph: Graph) -> None:
    source = await connected(graph)
    await source.deliver("no JSON", "evt-1")
    await source.deliver(hello(), "evt-2")
    document = """{ connection(id: "con_1") { parkedDeliveries { totalCount nodes {
      id eventKey receivedAt attempts reason body } } } node(id: "dlv_2") { id } }"""
    found = await graph.read(document, MANAGER)
    assert found == {
        "connection": {
            "parkedDeliveries": {
                "totalCount": 1,
                "nodes": [
                    {
                        "id": "dlv_1",
                        "eventKey": "evt-1",
                        "receivedAt": "2026-01-05T09:00:00.000000Z",
                        "attempts": 1,
                        "reason": "The body is not JSON.",
                        "body": "no JSON",
                    }
                ],
            }
        },
        "node": None,
    }
    replayed = await graph.do("replayParked", {"id": "con_1", "deliveryIds": ["dlv_1"]}, "count", MANAGER)
    assert replayed["count"] == 1
    refused = await graph.attempt("replayParked", {"id": "con_1", "deliveryIds": ["con_1"]}, "count", MANAGER)
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [
        ("INVALID_INPUT", ["input", "deliveryIds", "0"])
    ]


async def test_secret_is_rotated_with_an_overlap(graph: Graph, clock: ManualClock) -> None:
    source = await connected(graph)
    given = {"id": "con_1", "formerForSeconds": 60}
    made = await graph.do("rotateConnectionSecret", given, "connection { formerSecretUntil version } secret", MANAGER)
    assert made["connection"] == {"formerSecretUntil": "2026-01-05T09:01:00.000000Z", "version": 2}
    assert made["secret"] != source.secret
    clock.advance(60)
    found = await graph.read('{ connection(id: "con_1") { formerSecretUntil } }', MANAGER)
    assert found["connection"]["formerSecretUntil"] is None
    refused = await graph.attempt("rotateConnectionSecret", {"id": "con_1", "formerForSeconds": 604_801}, "", MANAGER)
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [
        ("INVALID_INPUT", ["input", "formerForSeconds"])
    ]


async def test_connection_is_renamed_by_who_has_seen_it(graph: Graph) -> None:
    await make(graph)
    renamed = {"id": "con_1", "name": "Store", "ifVersion": 1}
    found = await graph.do("updateConnection", renamed, "connection { name version }", MANAGER)
    assert found["connection"] == {"name": "Store", "version": 2}
    refused = await graph.attempt("updateConnection", renamed, "connection { name }", MANAGER)
    assert [each["code"] for each in refused["errors"]] == ["VERSION_CONFLICT"]


async def test_connection_that_could_take_deliveries_has_no_problems(graph: Graph) -> None:
    await make(graph)
    assert (await graph.do("testConnection", {"id": "con_1"}, "problems", MANAGER))["problems"] == []


async def test_connection_that_cannot_read_its_secrets_says_so(
    graph: Graph, database_url: str, clock: ManualClock
) -> None:
    await make(graph)
    without = await open_graph(database_url, clock, Settings())
    try:
        found = await without.do("testConnection", {"id": "con_1"}, "problems connection { state }", MANAGER)
    finally:
        await without.database.close()
    assert found["connection"] == {"state": "BAD_CREDENTIALS"}
    assert len(found["problems"]) == 1
    assert "SWITCHBOARD_SECRETS_KEY" in found["problems"][0]
    await graph.do("testConnection", {"id": "con_1"}, "problems", MANAGER)
    assert (await stands(graph))["state"] == "CONNECTING"


UPSTREAM = "upstream { name system key lastSyncedAt connection { id } }"


async def test_interaction_says_where_it_came_from(graph: Graph) -> None:
    source = await connected(graph)
    await source.deliver(hello())
    document = f"""{{ interactions {{ nodes {{ id {UPSTREAM} }} }}
      conversation(conversationId: 1) {{ {UPSTREAM} }} node(id: "cnv_1") {{ ... on Interaction {{ {UPSTREAM} }} }} }}"""
    upstream = {
        "name": "Shop",
        "system": "HTTP",
        "key": "c-17",
        "lastSyncedAt": "2026-01-05T09:00:00.000000Z",
        "connection": {"id": "con_1"},
    }
    found = await graph.read(document, ADA)
    assert found["interactions"]["nodes"] == [{"id": "cnv_1", "upstream": upstream}]
    assert found["conversation"] == found["node"] == {"upstream": upstream}
    found = await graph.read(document, BO)
    assert found["conversation"] == {"upstream": {**upstream, "connection": None}}
    await graph.do("deleteConnection", {"id": "con_1"}, "deletedId", MANAGER)
    found = await graph.read(document, ADA)
    assert found["conversation"] == {"upstream": {**upstream, "connection": None}}


async def test_interaction_of_our_own_has_no_upstream(graph: Graph) -> None:
    new = NewCustomer(system="SESSION", name="Ana", phone_number="+4915112345678")
    customer = await graph.database.command(create_customer, ADA, new)
    target = {"kind": "session", "customer_id": customer.id}
    await graph.database.command(receive_message, BO, target, [{"type": "text", "content": "Hello?"}])
    found = await graph.read("{ interactions { nodes { kind upstream { name } } } }", BO)
    assert found["interactions"]["nodes"] == [{"kind": "SESSION", "upstream": None}]


async def test_changes_of_connections_are_told(graph: Graph, database_url: str) -> None:
    text = """subscription($id: ID) { connectionChanged(id: $id) { topic connectionId connection { state } } }"""
    source = await connected(graph)
    async with ears(graph, database_url) as heard:
        listener, other = await heard.listen(text, MANAGER), await heard.listen(text, MANAGER, id="con_9")
        await source.deliver("no JSON")
        await graph.do("replayParked", {"id": "con_1"}, "count", MANAGER)
        await graph.do("deleteConnection", {"id": "con_1"}, "deletedId", MANAGER)
        told = [await listener.next() for _ in range(4)]
        assert sorted(each["topic"] for each in told) == [
            "CONNECTION_DELETED",
            "CONNECTION_DELIVERED",
            "CONNECTION_DELIVERIES_REPLAYED",
            "CONNECTION_DELIVERY_PARKED",
        ]
        assert {each["connectionId"] for each in told} == {"con_1"}
        assert await other.silent()
        assert await heard.refused(text, BO) == [("FORBIDDEN",)]
