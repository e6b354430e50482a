"""What reaches a receiver: everything, in order, signed, whatever breaks."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest
from standardwebhooks import WebhookVerificationError

from app.destinations.model.retries import Retries
from app.directory.service import activate_user, deactivate_user, update_user
from app.dispatcher import DispatchLimits
from app.interactions.model import Level
from app.interactions.service.erasing import erase_customer
from app.interactions.service.state import raise_attention, set_labels
from app.storage.database import Work
from tests.destinations.receiving import OK, Answer, Receiver, receiving
from tests.destinations.running import ALERTS, Running, lose_the_log, running
from tests.interactions.conftest import House, cnv, ses
from tests.kinds.conftest import ADA, BO
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

LATER = DispatchLimits(beat_seconds=0.05, retries=Retries(first=timedelta(seconds=600), longest=timedelta(seconds=600)))


async def _label(house: House, number: int, label: str) -> None:
    await house.database.command(set_labels, BO, cnv(1) if number == 1 else ses(2), [label])


async def _two(app: Running) -> None:
    """A conversation cnv_1 and a Session ses_2, each with two events."""
    await app.house.hear()
    await app.house.hear_sam()


def failing(*ids: str, status: int = 500, **headers: str) -> Any:
    """An answer to those of these interactions."""

    def decide(_headers: Mapping[str, str], body: bytes) -> Answer:
        (item,) = orjson.loads(body)["data"].values()
        return (status, headers, b"no") if item["interactionId"] in ids else OK

    return decide


async def test_delivery_is_the_item_signed_as_standard_webhooks_say(app: Running, receiver: Receiver) -> None:
    ref, secret = await app.destination(receiver.url, ALERTS)
    await app.house.hear()
    found = await receiver.has(2)
    assert [each.verify(secret)["data"]["attentionChanged"]["topic"] for each in found] == [
        "ATTENTION_RAISED",
        "ATTENTION_CHANGED",
    ]
    assert found[0].item["interaction"] == {"id": "cnv_1", "customer": {"name": "Ana"}}
    assert found[0].id.startswith(f"{ref}_")
    assert len({each.id for each in found}) == 2


async def test_delivery_is_what_the_filter_matches_alone(app: Running, receiver: Receiver) -> None:
    await app.destination(receiver.url, ALERTS, variables={"levels": ["URGENT"]})
    await app.house.hear()
    await app.house.database.command(raise_attention, ADA, cnv(1), Level.URGENT)
    (found,) = await receiver.has(1)
    assert (found.item["change"], found.item["topic"]) == ("ENTERED", "ATTENTION_CHANGED")
    assert await receiver.silent()


async def test_delivery_is_signed_by_both_secrets_after_a_rotation(app: Running, receiver: Receiver) -> None:
    ref, former = await app.destination(receiver.url)
    made = await app.do("rotateDestinationSecret", {"id": ref}, "secret destination { formerUntil }")
    assert made["secret"] != former
    assert made["destination"]["formerUntil"] is not None
    await app.house.hear()
    (found,) = await receiver.has(1)
    assert found.verify(former) == found.verify(made["secret"])
    with pytest.raises(WebhookVerificationError):
        found.verify((await app.destination(receiver.url, name="Other"))[1])


async def test_delivery_that_fails_is_tried_again_under_its_id(app: Running, receiver: Receiver) -> None:
    ref, secret = await app.destination(receiver.url)
    answers: list[Answer | None] = [
        (500, {}, b"\x00 broken\r\n"),
        (302, {"location": "http://127.0.0.1:1/"}, b""),
        None,
    ]
    receiver.decide = lambda _headers, _body: answers.pop(0) if answers else OK
    await app.house.hear()
    found = await receiver.has(4)
    assert len({each.id for each in found}) == 1
    assert [each.verify(secret) for each in found] == [found[0].verify(secret)] * 4
    fields = "status attempts httpStatus fault excerpt interaction { id } topic isTest"
    made = {"httpStatus": 200, "fault": None, "excerpt": None, "interaction": {"id": "cnv_1"}, "isTest": False}
    wanted = [
        {"status": "DELIVERED", "attempts": 4, "topic": "INTERACTION_CREATED", **made},
        {"status": "DELIVERED", "attempts": 1, "topic": "INTERACTION_MESSAGE_RECEIVED", **made},
    ]
    await app.delivered(ref, fields, wanted)


async def test_answer_to_a_failed_delivery_is_erased_with_its_interaction(app: Running, receiver: Receiver) -> None:
    await _two(app)
    ref, _ = await app.destination(receiver.url)
    receiver.decide = lambda _headers, body: (500, {}, b"You said " + body)
    await app.house.hear("My words")
    await _label(app.house, 2, "a")

    async def about_ana() -> list[str | None]:
        found = await app.deliveries(ref, "webhookId excerpt interaction { id } status")
        return [each["excerpt"] for each in found if each["status"] == "PENDING" and each["interaction"] is None]

    await eventually(lambda: receiver.arrived >= 4)
    await app.house.database.command(erase_customer, ADA, f"cus_{app.house.desk.ana}")
    async with asyncio.timeout(PATIENCE):
        while await about_ana() != [None]:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)
    # What is answered after that is about what is gone already.
    so_far = receiver.arrived
    await eventually(lambda: receiver.arrived > so_far + 4)
    assert set(await about_ana()) == {None}
    kept = [each for each in await app.deliveries(ref, "excerpt interaction { id }") if each["excerpt"]]
    assert [(each["excerpt"][:8], each["interaction"]) for each in kept] == [("You said", {"id": "ses_2"})]


async def test_delivery_that_fails_holds_up_its_interaction_alone(database_url: str, receiver: Receiver) -> None:
    async with running(database_url, limits=LATER) as app:
        await _two(app)
        ref, _ = await app.destination(receiver.url)
        receiver.decide = failing("cnv_1")
        for label in ("a", "b"):
            await _label(app.house, 1, label)
            await _label(app.house, 2, label)
        await receiver.has(3)
        assert await receiver.silent()
        assert [each.item["interactionId"] for each in receiver.accepted] == ["ses_2", "ses_2"]
        (waiting,) = [
            each for each in await app.deliveries(ref, "status excerpt nextAttemptAt") if each["excerpt"] == "no"
        ]
        assert waiting["status"] == "PENDING"
        receiver.decide = lambda _headers, _body: OK
        await app.do("pauseDestination", {"id": ref})
        await app.do("resumeDestination", {"id": ref})
        await receiver.has(5)
        assert await receiver.silent()
    of_first = [each.item["version"] for each in receiver.accepted if each.item["interactionId"] == "cnv_1"]
    assert of_first == sorted(of_first)
    assert len(of_first) == 2
    assert len({each.id for each in receiver.accepted}) == len(receiver.accepted) == 4


async def test_delivery_goes_on_after_a_restart_without_a_double(database_url: str, receiver: Receiver) -> None:
    async with running(database_url, limits=LATER) as app:
        await _two(app)
        ref, _ = await app.destination(receiver.url)
        receiver.decide = failing("cnv_1")
        await _label(app.house, 1, "a")
        await _label(app.house, 2, "a")
        await receiver.has(2)
        house = app.house
    receiver.decide = lambda _headers, _body: OK
    async with running(database_url, house, limits=LATER) as app:
        await _label(app.house, 2, "b")
        await receiver.has(3)
        # What failed waits for its time, and what was delivered is not sent again.
        assert await receiver.silent()
        await app.do("pauseDestination", {"id": ref})
        await app.do("resumeDestination", {"id": ref})
        await receiver.has(4)
        assert await receiver.silent()
    accepted = [each.id for each in receiver.accepted]
    assert len(accepted) == len(set(accepted)) == 3


async def test_destination_that_is_dead_delays_no_other(app: Running, receiver: Receiver) -> None:
    async with receiving() as stalled:
        stalled.gate.clear()
        dead, _ = await app.destination("http://127.0.0.1:1/hook", name="Dead")
        await app.destination(stalled.url, name="Stalled")
        await app.destination(receiver.url, name="Alive")
        await _two(app)
        await receiver.has(4)
        stalled.gate.set()
    await app.delivered(dead, "fault", [{"fault": "CONNECTION"}] * 2)


@pytest.mark.parametrize("most", [1, 2])
async def test_destination_gets_so_many_requests_at_once_and_no_more(
    app: Running, receiver: Receiver, most: int
) -> None:
    receiver.gate.clear()
    await app.destination(receiver.url, mostInFlight=most)
    await _two(app)
    await eventually(lambda: receiver.at_once == most)
    assert await receiver.silent()
    receiver.gate.set()
    await receiver.has(4)
    assert receiver.most_at_once == most


async def test_destination_that_answers_410_is_stopped(app: Running, receiver: Receiver) -> None:
    ref, _ = await app.destination(receiver.url)
    receiver.decide = lambda _headers, _body: (410, {}, b"")
    await app.house.hear()
    await app.until(ref, state="STOPPED", reason="GONE")
    receiver.decide = lambda _headers, _body: OK
    before = receiver.arrived
    await _label(app.house, 1, "a")
    assert await receiver.silent()
    await app.do("resumeDestination", {"id": ref})
    await receiver.has(before + 3)
    assert await app.state(ref, "state reason message") == {"state": "ACTIVE", "reason": None, "message": None}


async def test_destination_to_which_nothing_arrives_is_paused_and_loses_nothing(
    database_url: str, receiver: Receiver
) -> None:
    short = Retries(timedelta(milliseconds=5), timedelta(milliseconds=5), tried_for=timedelta(milliseconds=200))
    async with running(database_url, limits=DispatchLimits(beat_seconds=0.05, retries=short)) as app:
        ref, _ = await app.destination(receiver.url)
        receiver.decide = lambda _headers, _body: (503, {}, b"")
        await app.house.hear()
        await app.until(ref, state="PAUSED", reason="FAILING")
        topics = [each["status"] for each in await app.deliveries(ref, "status")]
        assert set(topics) == {"PENDING"}
        receiver.decide = lambda _headers, _body: OK
        await app.do("resumeDestination", {"id": ref})
        await eventually(lambda: len(receiver.accepted) == 2)
        assert [each.item["topic"] for each in receiver.accepted] == [
            "INTERACTION_CREATED",
            "INTERACTION_MESSAGE_RECEIVED",
        ]


async def test_delivery_is_given_up_where_others_arrive(database_url: str, receiver: Receiver) -> None:
    short = Retries(timedelta(milliseconds=20), timedelta(milliseconds=20), tried_for=timedelta(milliseconds=300))
    async with running(database_url, limits=DispatchLimits(beat_seconds=0.05, retries=short)) as app:
        await _two(app)
        ref, _ = await app.destination(receiver.url)
        receiver.decide = failing("cnv_1", status=400)
        await _label(app.house, 1, "a")
        given_up: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE):
            for number in range(1_000):
                await _label(app.house, 2, str(number))
                given_up = [
                    each
                    for each in await app.deliveries(ref, "status interaction { id }")
                    if each["status"] == "GIVEN_UP"
                ]
                if given_up:
                    break
                await asyncio.sleep(0.02)
        assert given_up == [{"status": "GIVEN_UP", "interaction": {"id": "cnv_1"}}]
        assert await app.state(ref) == {"state": "ACTIVE", "reason": None}


async def test_destination_is_left_alone_as_long_as_it_asks(app: Running, receiver: Receiver) -> None:
    await _two(app)
    ref, _ = await app.destination(receiver.url, mostInFlight=1)
    receiver.decide = lambda _headers, _body: (429, {"retry-after": "600"}, b"")
    await _label(app.house, 1, "a")
    await receiver.has(1)
    await _label(app.house, 2, "a")
    await app.delivered(ref, "status", [{"status": "PENDING"}])
    assert await receiver.silent()
    (pending,) = await app.deliveries(ref, "attemptedAt nextAttemptAt")
    assert pending["nextAttemptAt"][:15] != pending["attemptedAt"][:15]


async def test_destination_that_asks_for_no_time_there_is_has_failed_as_others(
    app: Running, receiver: Receiver
) -> None:
    await _two(app)
    ref, _ = await app.destination(receiver.url)
    asked = "Fri, 31 Dec 99999999999999999999 23:59:59 GMT"
    receiver.decide = lambda _headers, _body: (429, {"retry-after": asked}, b"")
    tried = (await app.do("testDestination", {"id": ref}, "delivery { httpStatus status }"))["delivery"]
    assert tried == {"httpStatus": 429, "status": "GIVEN_UP"}
    await _label(app.house, 1, "a")
    await receiver.has(3)
    tested, failed = ({"httpStatus": 429, "status": status} for status in ("GIVEN_UP", "PENDING"))
    await app.delivered(ref, "httpStatus status", [tested, failed])


# ---- whose permissions ----------------------------------------------------------------------------------------------


async def test_destination_of_an_owner_who_is_not_active_is_paused(app: Running, receiver: Receiver) -> None:
    await app.permit(2, "destinations:manage", "conversation:read")
    ref, _ = await app.destination(receiver.url, actor=_bo("destinations:manage", "conversation:read"))
    await app.services.database.command(deactivate_user, ADA, "usr_2")
    await app.house.hear(actor=ADA)
    await app.until(ref, state="PAUSED", reason="OWNER_INACTIVE")
    assert receiver.arrived == 0
    await app.services.database.command(activate_user, ADA, "usr_2")
    await app.do("resumeDestination", {"id": ref})
    assert [each.item["topic"] for each in await receiver.has(1)] == ["INTERACTION_CREATED"]


@pytest.mark.parametrize("left", [("conversation:read",), ("destinations:manage", "session:read")])
async def test_destination_of_an_owner_who_loses_a_permission_is_paused(
    app: Running, receiver: Receiver, left: tuple[str, ...]
) -> None:
    held = ("destinations:manage", "conversation:read")
    await app.permit(2, *held)
    await app.house.hear(actor=ADA)
    document = 'subscription { interactionChanged(id: "cnv_1") { cursor interactionId topic } }'
    ref, _ = await app.destination(receiver.url, document, actor=_bo(*held))
    await app.permit(2, *left)
    await app.house.database.command(set_labels, ADA, cnv(1), ["a"])
    await app.until(ref, state="PAUSED", reason="OWNER_NOT_ALLOWED")
    assert receiver.arrived == 0


async def test_destination_gets_nothing_after_the_event_that_takes_a_permission_away(
    app: Running, receiver: Receiver
) -> None:
    held = ("destinations:manage", "conversation:read")
    await app.permit(2, *held)
    ref, _ = await app.destination(receiver.url, actor=_bo(*held))
    await app.house.hear(actor=ADA)
    await receiver.has(2)

    def take_away_and_label(work: Work) -> None:
        update_user(work, ADA, "usr_2", {"permissions": ["conversation:read"]})
        set_labels(work, ADA, cnv(1), ["a"])

    await app.services.database.command(take_away_and_label)
    await app.until(ref, state="PAUSED", reason="OWNER_NOT_ALLOWED")
    assert receiver.arrived == 2


async def test_destination_delivers_what_its_owner_may_see_alone(app: Running, receiver: Receiver) -> None:
    await app.permit(2, "destinations:manage", "session:read")
    await app.destination(receiver.url, actor=_bo("destinations:manage", "session:read"))
    await app.house.hear(actor=ADA)
    await app.house.hear_sam(actor=ADA)
    await receiver.has(2)
    assert await receiver.silent()
    assert {each.item["interactionId"] for each in receiver.requests} == {"ses_2"}


async def test_destination_of_a_narrowed_key_sees_no_more_than_the_key(app: Running, receiver: Receiver) -> None:
    narrowed = {"permissions": frozenset({"destinations:manage", "session:read"}), "is_narrowed": True}
    key = type(ADA)(user_id=1, name="Ada", **narrowed)  # type: ignore[arg-type]
    ref, _ = await app.destination(receiver.url, actor=key)
    assert await app.state(ref, "permissions") == {"permissions": ["DESTINATIONS_MANAGE", "SESSION_READ"]}
    await app.house.hear(actor=ADA)
    await app.house.hear_sam(actor=ADA)
    await receiver.has(2)
    assert await receiver.silent()
    assert {each.item["interactionId"] for each in receiver.requests} == {"ses_2"}


def _bo(*permissions: str) -> Any:
    return type(ADA)(user_id=2, name="Bo", permissions=frozenset(permissions))


# ---- places in the log ----------------------------------------------------------------------------------------------


async def test_destination_that_is_paused_gets_later_what_happened_meanwhile(app: Running, receiver: Receiver) -> None:
    await _two(app)
    ref, _ = await app.destination(receiver.url)
    await _label(app.house, 1, "a")
    await receiver.has(1)
    await app.do("pauseDestination", {"id": ref})
    assert await app.state(ref) == {"state": "PAUSED", "reason": "REQUESTED"}
    await _label(app.house, 1, "b")
    assert await receiver.silent()
    await app.do("resumeDestination", {"id": ref})
    await receiver.has(2)
    assert await receiver.silent()


@pytest.mark.both_databases
@pytest.mark.parametrize("by", ["cursor", "time"])
async def test_destination_is_replayed_under_the_same_ids(app: Running, receiver: Receiver, by: str) -> None:
    await _two(app)
    ref, _ = await app.destination(receiver.url)
    start = await app.state(ref, "cursor createdAt")
    await _label(app.house, 1, "a")
    await _label(app.house, 2, "a")
    first = [each.id for each in await receiver.has(2)]
    await receiver.silent(0.1)
    given = {"cursor": start["cursor"]} if by == "cursor" else {"time": start["createdAt"]}
    await app.do("replayDestination", {"id": ref, **given})
    again = 2 if by == "cursor" else 6  # up to a minute earlier: what made the conversations, too
    found = await receiver.has(2 + again)
    assert await receiver.silent()
    ids = {each.id for each in found[2:]}
    assert (len(ids), ids.issuperset(first)) == (again, True)
    await _label(app.house, 1, "b")
    await receiver.has(3 + again)


async def test_destination_whose_events_are_lost_is_paused_until_a_replay(app: Running, receiver: Receiver) -> None:
    ref, _ = await app.destination(receiver.url)
    await app.do("pauseDestination", {"id": ref})
    await app.house.hear()
    await app.house.database.command(lose_the_log)
    await app.do("resumeDestination", {"id": ref})
    await app.until(ref, state="PAUSED", reason="EVENTS_LOST")
    await app.do("replayDestination", {"id": ref, "time": "2026-01-01T00:00:00Z"})
    await _label(app.house, 1, "a")
    (found,) = await receiver.has(1)
    assert found.item["topic"] == "INTERACTION_LABELLED"
