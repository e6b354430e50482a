"""Destinations in the graph: who may do what, and that a refusal changes nothing."""

import asyncio
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from app.core.actor import Actor
from app.destinations.repository import DestinationRepository
from app.destinations.service import forget_deliveries
from app.destinations.tables import delivery, destination
from app.execution.outcome import GraphQLRequest, Outcome, Refused
from app.storage.database import Work
from tests.conftest import ManualClock
from tests.destinations.receiving import Receiver
from tests.destinations.running import CHANGES, Running, running
from tests.kinds.conftest import ADA, BO
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

MIA = Actor(user_id=3, name="Cy", permissions=frozenset({"destinations:manage"}))
"""May manage destinations, and see nothing else."""

MUTATIONS = (
    "updateDestination",
    "pauseDestination",
    "resumeDestination",
    "replayDestination",
    "rotateDestinationSecret",
    "testDestination",
    "deleteDestination",
)


async def _stored(app: Running) -> Any:
    """Everything about destinations that is stored, and the end of the log."""

    def read(work: Work) -> Any:
        columns = [each for each in destination.c if each is not destination.c.holder]  # that comes a moment later
        found = [sa.select(*columns).order_by(destination.c.id), delivery.select().order_by(delivery.c.id)]
        rows = [work.connection.execute(each).all() for each in found]
        return rows, work.use(DestinationRepository).head()

    return await app.services.database.command(read)


def _new(url: str, **given: Any) -> dict[str, Any]:
    return {"name": "Pager", "address": url, "document": CHANGES, **given}


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"address": "http://10.0.0.1/hook"}, "INVALID_INPUT", ["input", "address"]),
        ({"address": "https://[::1]/hook"}, "INVALID_INPUT", ["input", "address"]),
        ({"address": "http://me:word@127.0.0.1/"}, "INVALID_INPUT", ["input", "address"]),
        ({"address": "file:///etc/passwd"}, "INVALID_INPUT", ["input", "address"]),
        ({"document": "{ viewer { user { id } } }"}, "INVALID_INPUT", ["input", "document"]),
        ({"document": "subscription { interactionChanged { nothing } }"}, "INVALID_INPUT", ["input", "document"]),
        ({"document": "subscription {"}, "INVALID_INPUT", ["input", "document"]),
        (
            {"document": "subscription { attentionSummaryChanged(groupBy: KIND) { count } }"},
            "INVALID_INPUT",
            ["input", "document"],
        ),
        (
            {"document": 'subscription { typingChanged(interactionId: "cnv_1") { at } }'},
            "INVALID_INPUT",
            ["input", "document"],
        ),
        (
            {"document": f"{CHANGES[:12]} A {CHANGES[12:]}", "operationName": "B"},
            "INVALID_INPUT",
            ["input", "document"],
        ),
        ({"variables": [1]}, "INVALID_INPUT", ["input", "variables"]),
        ({"name": " "}, "INVALID_INPUT", ["input", "name"]),
        ({"mostInFlight": 33}, "INVALID_INPUT", ["input", "mostInFlight"]),
    ],
)
async def test_destination_that_could_not_be_delivered_to_is_refused(
    app: Running, given: dict[str, Any], code: str, path: list[str]
) -> None:
    before = await _stored(app)
    payload = await app.attempt("createDestination", _new("http://127.0.0.1:9/hook", **given), "secret")
    assert ([(each["code"], each["path"]) for each in payload["errors"]], payload["secret"]) == ([(code, path)], None)
    assert await _stored(app) == before


async def test_destination_needs_the_permissions_of_its_document(app: Running) -> None:
    await app.permit(3, "destinations:manage")
    before = await _stored(app)
    document = 'subscription { interactionChanged(id: "cnv_1") { cursor } }'
    payload = await app.attempt(
        "createDestination", _new("http://127.0.0.1:9/hook", document=document), "secret", actor=MIA
    )
    assert [(each["code"], each["path"]) for each in payload["errors"]] == [("FORBIDDEN", ["input", "document"])]
    assert await _stored(app) == before


async def test_destination_needs_what_its_owner_holds_itself(app: Running) -> None:
    # By a token of an identity provider, whose groups grant more than the user holds, as long as it lasts.
    person = Actor(user_id=2, name="Bo", permissions=frozenset({*BO.permissions, "destinations:manage"}))
    before = await _stored(app)
    payload = await app.attempt("createDestination", _new("http://127.0.0.1:9/hook"), actor=person)
    assert [each["code"] for each in payload["errors"]] == ["FORBIDDEN"]
    assert await _stored(app) == before


async def test_destination_is_kept_from_whoever_lacks_the_permission(app: Running) -> None:
    ref, _ = await app.destination("http://127.0.0.1:9/hook")
    before = await _stored(app)
    refused = await app.attempt("createDestination", _new("http://127.0.0.1:9/hook"), "secret", actor=BO)
    assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    for mutation in MUTATIONS:
        given = {"id": ref, "name": "Mine"} if mutation == "updateDestination" else {"id": ref}
        payload = await app.attempt(mutation, given, actor=BO)
        assert [each["code"] for each in payload["errors"]] == ["FORBIDDEN"], mutation
    assert await _stored(app) == before
    found = await app.answer("query($id: ID!) { node(id: $id) { id } destinations { nodes { id } } }", BO, id=ref)
    assert found["data"] == {"node": None, "destinations": None}
    assert [each["extensions"]["code"] for each in found["errors"]] == ["FORBIDDEN"]


async def test_destination_is_changed_by_its_owner_or_an_admin_alone(app: Running) -> None:
    # Else whoever manages destinations could have delivered to themselves what they may not see.
    ref, _ = await app.destination("http://127.0.0.1:9/hook")
    narrowed = Actor(user_id=1, name="Ada", permissions=frozenset({"destinations:manage"}), is_narrowed=True)
    before = await _stored(app)
    for mutation, given in (
        ("updateDestination", {"address": "http://127.0.0.1:10/mine"}),
        ("replayDestination", {"time": "2026-01-01T00:00:00Z"}),
        ("rotateDestinationSecret", {}),
    ):
        for actor in (MIA, narrowed):
            payload = await app.attempt(mutation, {"id": ref, **given}, actor=actor)
            assert [each["code"] for each in payload["errors"]] == ["FORBIDDEN"]
    assert await _stored(app) == before
    await app.do("pauseDestination", {"id": ref}, actor=MIA)
    changed = {"name": "Other", "address": "http://127.0.0.1:10/hook", "mostInFlight": 7, "variables": {"a": 1}}
    payload = await app.do(
        "updateDestination", {"id": ref, **changed}, "destination { name address mostInFlight variables version state }"
    )
    assert payload["destination"] == {**changed, "version": 3, "state": "PAUSED"}


async def test_destination_keeps_its_secret_to_itself(app: Running) -> None:
    given = _new("http://127.0.0.1:9/hook", idempotencyKey="once")
    first = await app.do("createDestination", given, "secret destination { id }")
    again = await app.do("createDestination", given, "secret destination { id }")
    assert first["secret"].startswith("whsec_")
    assert again == {**first, "secret": None}
    (rows, _), _ = await _stored(app)
    assert len(rows) == 1
    assert first["secret"][6:] not in str(rows)


async def test_destination_needs_a_key_that_seals_its_secret(database_url: str) -> None:
    async with running(database_url, secrets_key=()) as app:
        before = await _stored(app)
        payload = await app.attempt("createDestination", _new("http://127.0.0.1:9/hook"))
        assert [each["code"] for each in payload["errors"]] == ["NO_SECRETS_KEY"]
        assert await _stored(app) == before


async def test_destination_whose_secret_cannot_be_read_is_paused(database_url: str, receiver: Receiver) -> None:
    async with running(database_url) as app:
        ref, _ = await app.destination(receiver.url)
    other = SecretStr("0" * 43 + "=")
    async with running(database_url, app.house, secrets_key=(other,)) as app:
        await app.until(ref, state="PAUSED", reason="SECRET_UNREADABLE")
        payload = await app.attempt("testDestination", {"id": ref})
        assert [each["code"] for each in payload["errors"]] == ["CONFLICT"]
        assert receiver.arrived == 0


async def test_destination_is_tested_whatever_its_state(app: Running, receiver: Receiver) -> None:
    ref, secret = await app.destination(receiver.url)
    await app.do("pauseDestination", {"id": ref})
    payload = await app.do(
        "testDestination", {"id": ref}, "delivery { status httpStatus isTest topic excerpt destination { id } }", MIA
    )
    assert payload["delivery"] == {
        "status": "DELIVERED",
        "httpStatus": 200,
        "isTest": True,
        "topic": None,
        "excerpt": "thanks",
        "destination": {"id": ref},
    }
    assert receiver.requests[0].verify(secret)["test"]["destinationId"] == ref
    receiver.decide = lambda _headers, _body: (500, {}, "né\x00\x1b[2J\ud83d".encode(errors="surrogatepass"))
    payload = await app.do("testDestination", {"id": ref}, "delivery { status httpStatus excerpt }")
    assert payload["delivery"] == {"status": "GIVEN_UP", "httpStatus": 500, "excerpt": "né [2J���"}


async def test_destination_changes_are_told_to_those_who_manage_them(app: Running, receiver: Receiver) -> None:
    ref, _ = await app.destination(receiver.url)
    cursor = (await app.state(ref, "cursor"))["cursor"]
    await app.do("pauseDestination", {"id": ref, "clientMutationId": "tab"})
    await app.do("deleteDestination", {"id": ref}, "deletedId")
    document = "query($after: String) { events(after: $after) { events { topic actor { name } } } }"
    found = (await app.read(document, after=cursor))["events"]["events"]
    assert [(each["topic"], each["actor"]["name"]) for each in found] == [
        ("DESTINATION_CREATED", "Ada"),
        ("DESTINATION_PAUSED", "Ada"),
        ("DESTINATION_DELETED", "Ada"),
    ]


async def test_destination_changes_reach_a_subscription(app: Running, receiver: Receiver) -> None:
    other, _ = await app.destination(receiver.url)
    ref, _ = await app.destination(receiver.url, name="B")
    document = """subscription($id: ID) { destinationChanged(id: $id) {
      topic destinationId destination { state } actor { name } clientMutationId } }"""
    async with app.services.connections.feed.held(), asyncio.timeout(PATIENCE):
        found = await app.services.ask(GraphQLRequest(document, variables={"id": ref}), app.services.context(MIA, ""))
        assert not isinstance(found, Outcome)
        try:
            await app.do("pauseDestination", {"id": other})
            await app.do("pauseDestination", {"id": ref, "clientMutationId": "tab"})
            item = orjson.loads((await found.next()).text)["data"]["destinationChanged"]
        finally:
            found.close()
    assert item == {
        "topic": "DESTINATION_PAUSED",
        "destinationId": ref,
        "destination": {"state": "PAUSED"},
        "actor": {"name": "Ada"},
        "clientMutationId": "tab",
    }
    with pytest.raises(Refused) as refused:
        await app.services.ask(GraphQLRequest(document), app.services.context(BO, ""))
    assert [each["extensions"]["code"] for each in refused.value.entries] == ["FORBIDDEN"]  # type: ignore[index]


async def test_deliveries_are_erased_after_seven_days(database_url: str, receiver: Receiver) -> None:
    clock = ManualClock()
    async with running(database_url, clock=clock) as app:
        ref, _ = await app.destination(receiver.url)
        await app.do("testDestination", {"id": ref})
        clock.advance(7 * 86_400)
        assert not await app.services.database.command(forget_deliveries)
        assert len(await app.deliveries(ref, "id")) == 1
        clock.advance(1)
        await app.services.database.command(forget_deliveries)
        assert await app.deliveries(ref, "id") == []


async def test_deliveries_are_kept_while_the_cursor_has_to_pass_them(database_url: str, receiver: Receiver) -> None:
    clock = ManualClock()
    async with running(database_url, clock=clock) as app:
        receiver.decide = lambda _headers, _body: (500, {}, b"")
        ref, _ = await app.destination(receiver.url)
        await app.house.hear(actor=ADA)
        await app.delivered(ref, "status", [{"status": "PENDING"}])
        await app.do("pauseDestination", {"id": ref})
        clock.advance(8 * 86_400)
        await app.services.database.command(forget_deliveries)
        assert len(await app.deliveries(ref, "id")) == 1
