"""What is taken in at the door of a connection, and what is not."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from app.connections.service import Verdict, pause_connection, receiving, rotate_secret
from app.core.errors import NotFound
from app.registry import CONNECTORS
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from app.storage.event_log import event_log
from tests.conftest import CountingIds, ManualClock
from tests.connections.conftest import ADA, KEYS, RULES, Source, connect, hello, signed

pytestmark = pytest.mark.anyio


async def topics(database: Database) -> list[str]:
    def read(work: Work) -> list[str]:
        # In order of time: on PostgreSQL positions of different lanes say nothing about that.
        return list(work.connection.execute(sa.select(event_log.c.topic).order_by(event_log.c.at)).scalars())

    return [topic for topic in await database.command(read) if topic.startswith("connection.")]


async def test_delivery_is_kept_before_it_is_understood(source: Source) -> None:
    assert await source.offer("no JSON at all") is Verdict.KEPT
    assert await source.kept() == [("evt-1", "PENDING", True, 0, None)]
    system = await source.system()
    assert (system.last_delivery_at, system.refused_count) == (source.clock.now, 0)
    assert sorted(await topics(source.database)) == ["connection.created", "connection.delivered"]


async def test_repeated_delivery_is_known_by_its_key(source: Source) -> None:
    assert await source.offer("{}") is Verdict.KEPT
    assert await source.offer('{"another": "body"}') is Verdict.REPEATED
    assert await source.offer("{}", "evt-2") is Verdict.KEPT
    assert [key for key, *_ in await source.kept()] == ["evt-1", "evt-2"]


async def test_repeated_delivery_is_known_after_it_was_applied(source: Source) -> None:
    await source.deliver(hello())
    assert await source.offer(hello()) is Verdict.REPEATED
    assert await source.kept() == [("evt-1", "DONE", False, 0, None)]


async def test_same_key_of_another_connection_is_another_delivery(source: Source) -> None:
    other = await connect(source.database, source.clock, "Other")
    assert await source.offer("{}") is Verdict.KEPT
    assert await other.offer("{}") is Verdict.KEPT


async def test_deliveries_at_once_with_one_key_are_kept_once(source: Source) -> None:
    verdicts = await asyncio.gather(*(source.offer("{}") for _ in range(6)))
    assert sorted(each.name for each in verdicts) == ["KEPT", *["REPEATED"] * 5]
    assert len(await source.kept()) == 1


def too_old(secret: str, body: str) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(minutes=6)
    signature = Webhook(secret).sign("evt-1", at, body)
    return {"webhook-id": "evt-1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,no base64!"},
        {"webhook-signature": "v1"},
        {"webhook-signature": ""},
        {"webhook-id": "evt-2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "0"},
        {"webhook-timestamp": "soon"},
    ],
    ids=str,
)
async def test_wrong_signature_is_counted_and_keeps_nothing(source: Source, changed: dict[str, str]) -> None:
    assert await source.offer("{}", headers={**source.signed("{}"), **changed}) is Verdict.WRONG_SIGNATURE
    assert await source.kept() == []
    system = await source.system()
    assert (system.refused_count, system.last_refused_at, system.last_delivery_at) == (1, source.clock.now, None)


async def test_signature_of_another_body_is_refused(source: Source) -> None:
    assert await source.offer("{} ", headers=source.signed("{}")) is Verdict.WRONG_SIGNATURE


async def test_signature_that_is_too_old_is_refused(source: Source) -> None:
    assert await source.offer("{}", headers=too_old(source.secret, "{}")) is Verdict.WRONG_SIGNATURE


async def test_signature_of_another_connection_is_refused(source: Source) -> None:
    other = await connect(source.database, source.clock, "Other")
    assert await source.offer("{}", secret=other.secret) is Verdict.WRONG_SIGNATURE


async def test_refusals_are_told_once_until_a_delivery_is_taken(source: Source) -> None:
    wrong = {**source.signed("{}"), "webhook-signature": "v1,AAAA"}
    for _ in range(3):
        source.clock.advance(1)
        await source.offer("{}", headers=wrong)
    source.clock.advance(1)
    await source.offer("{}")
    source.clock.advance(1)
    await source.offer("{}", headers=wrong)
    refused, delivered = "connection.refused", "connection.delivered"
    assert (await topics(source.database))[1:] == [refused, delivered, refused]
    assert (await source.system()).refused_count == 4


@pytest.mark.parametrize("token", ["", "x", "é"])
async def test_wrong_token_is_nothing_at_all(source: Source, token: str) -> None:
    with pytest.raises(NotFound):
        await source.offer("{}", token=token)
    system = await source.system()
    assert (await source.kept(), system.refused_count) == ([], 0)


@pytest.mark.parametrize("ref", ["con_2", "con_x", "cus_1", ""])
async def test_unknown_connection_is_nothing_at_all(source: Source, ref: str) -> None:
    with pytest.raises(NotFound):
        await source.database.command(receiving.accept, ADA, CONNECTORS, ref, source.token, source.signed("{}"), "{}")


async def test_paused_connection_keeps_deliveries(source: Source) -> None:
    await source.database.command(pause_connection, ADA, source.ref)
    assert await source.offer(hello()) is Verdict.KEPT
    await source.apply()
    assert await source.kept() == [("evt-1", "PENDING", True, 0, None)]


async def test_full_inbox_refuses_and_takes_again_once_there_is_room(source: Source) -> None:
    assert [await source.offer(hello(f"m-{n}"), f"evt-{n}", most_open=2) for n in range(3)] == [
        Verdict.KEPT,
        Verdict.KEPT,
        Verdict.FULL,
    ]
    assert len(await source.kept()) == 2
    await source.apply()
    assert await source.offer(hello("m-2"), "evt-2", most_open=2) is Verdict.KEPT


async def test_repeat_is_known_where_the_inbox_is_full(source: Source) -> None:
    assert await source.offer(hello(), most_open=1) is Verdict.KEPT
    assert await source.offer(hello(), most_open=1) is Verdict.REPEATED


async def test_key_of_a_delivery_has_its_longest(source: Source) -> None:
    assert await source.offer("{}", "k" * 256) is Verdict.WRONG_SIGNATURE
    assert await source.offer("{}", "k" * 255) is Verdict.KEPT


async def test_two_secrets_are_valid_while_one_follows_the_other(source: Source) -> None:
    made = await source.database.command(rotate_secret, ADA, source.ref, former_for=timedelta(hours=1))
    assert made.secret is not None
    assert made.secret != source.secret
    assert await source.offer("{}", "evt-1") is Verdict.KEPT
    assert await source.offer("{}", "evt-2", secret=made.secret) is Verdict.KEPT
    source.clock.advance(3600)
    assert await source.offer("{}", "evt-3") is Verdict.WRONG_SIGNATURE
    assert await source.offer("{}", "evt-4", secret=made.secret) is Verdict.KEPT


async def test_former_secret_ends_at_once_when_it_is_told_to(source: Source) -> None:
    await source.database.command(rotate_secret, ADA, source.ref, former_for=timedelta(0))
    assert await source.offer("{}") is Verdict.WRONG_SIGNATURE


async def test_delivery_without_the_key_of_the_secrets_is_put_off(
    source: Source, database_url: str, clock: ManualClock, ids: CountingIds
) -> None:
    other_key = Settings.model_validate({"secrets_key": KEYS[1]})
    other = await open_database(database_url, clock=clock, ids=ids, settings=other_key, kinds=RULES)
    clock.advance(1)
    try:
        for _ in range(2):
            headers = signed(source.secret, "{}")
            taken = await other.command(receiving.accept, ADA, CONNECTORS, source.ref, source.token, headers, "{}")
            assert taken is Verdict.UNREADABLE_SECRET
    finally:
        await other.close()
    system = await source.system()
    assert (system.fault, system.refused_count, await source.kept()) == ("SECRET_UNREADABLE", 0, [])
    assert (await topics(source.database))[1:] == ["connection.refused"]
    assert await source.offer("{}") is Verdict.KEPT
    assert (await source.system()).fault is None
