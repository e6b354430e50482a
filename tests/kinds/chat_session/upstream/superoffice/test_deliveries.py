"""Webhooks of SuperOffice as its pages show them: signed, doubled, out of order, not to be trusted."""

import hashlib
import hmac
from base64 import b64encode

import orjson
import pytest

from app.connections.runner import Runner
from app.connections.service import Verdict, accept, reading
from app.connections.service.sealing import opened
from app.connections.service.standings import standings
from app.connections.tables import connected_system, dirty, inbox
from app.interactions.tables import interaction, message
from app.kinds.chat_session.model.session import ChatSessionStatus as S
from app.kinds.chat_session.tables import chat_number, chat_session
from app.registry import CONNECTORS
from app.storage.work import Work
from tests.connections.conftest import NOBODY
from tests.kinds.chat_session.upstream.superoffice.conftest import Pair

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

CREATED = """{
  "EventId": "e87ac619-c864-4881-89eb-07ca5521ee2c",
  "Timestamp": "2018-04-24T08:18:42.089895Z",
  "Changes": [
  ],
  "Event": "chatsession.created",
  "PrimaryKey": 1,
  "Entity": "chatsession",
  "ContextIdentifier": "Default",
  "ChangedByAssociateId": 316,
  "WebhookName": "Name you provided",
  "FieldValues": {
    "AlertLevel": 0,
    "UserId": 0,
  }
}
"""
"""The vendor's own sample with the number of a chat of ours; it is no JSON."""


def event(number: object = 1, name: str = "chatsession.message", key: str = "1") -> str:
    found = {"EventId": key, "Event": name, "PrimaryKey": number, "Entity": "chatsession", "ContextIdentifier": "Cust1"}
    return orjson.dumps(found).decode()


async def offer(pair: Pair, body: str, *, secret: str | None = None, signature: str | None = None) -> Verdict:
    """Hand a delivery in as SuperOffice does, signed with the connection's secret."""
    system = next(each.system for each in await pair.database.command(standings))
    own = await pair.database.command(lambda work: opened(work, system, work.now)[0])
    made = b64encode(hmac.new((secret or own).encode(), body.encode(), hashlib.sha256).digest()).decode()
    headers = {"x-superoffice-signature": made if signature is None else signature, "x-superoffice-eventid": "other"}
    return await pair.database.command(accept, NOBODY, CONNECTORS, f"con_{system.id}", system.token, headers, body)


async def applied(pair: Pair) -> None:
    while await Runner(pair.database, CONNECTORS, pair.clock, "tests").step():
        pass


async def marks(pair: Pair) -> list[str]:
    return await pair.database.command(
        lambda work: list(work.connection.execute(dirty.select().with_only_columns(dirty.c.upstream_key)).scalars())
    )


async def test_deliveries_lead_to_one_read(pair: Pair) -> None:
    await pair.sync()
    pair.reach.reads.clear()
    ref = await pair.requested()
    await pair.hears(ref, "Hello?")
    for body in (CREATED, event(key="2"), event(key="3"), event(key="4", name="chatsession.changed")):
        assert await offer(pair, body) is Verdict.KEPT
    assert await offer(pair, event(key="3")) is Verdict.REPEATED
    await applied(pair)
    assert (await marks(pair), pair.reach.reads) == (["1"], [])
    await pair.work()
    assert await pair.texts() == ["Hello?"]
    assert pair.reach.reads == ["/v1/ChatSession", "/v1/ChatSession/1", "/v1/ChatSession/1/Messages"]


async def test_delivery_while_its_chat_is_read_has_it_read_again(pair: Pair) -> None:
    ref = await pair.requested()
    await pair.sync()
    run, remote = pair.database.command, pair.keeper.remote
    assert await offer(pair, event(key="2")) is Verdict.KEPT
    await applied(pair)
    pair.clock.advance(1)
    due = await run(reading.due, pair.connection, 4, 4)
    (mark,) = due.marks
    found = await remote.read(pair.reach, "1", frozenset())
    await pair.hears(ref, "Hello?")
    assert await offer(pair, event(key="3")) is Verdict.KEPT
    await applied(pair)
    assert await run(reading.apply_snapshot, remote, pair.connection, mark, found, due.now) is None
    assert await pair.texts() == []
    await pair.work()
    assert await pair.texts() == ["Hello?"]


async def test_late_delivery_of_something_old_changes_nothing(pair: Pair) -> None:
    ref = await pair.requested()
    await pair.hears(ref, "Hello?")
    await pair.sync()
    before = await pair.here()
    assert await offer(pair, event(name="chatsession.created")) is Verdict.KEPT
    await applied(pair)
    await pair.work()
    assert (await pair.here(), await pair.texts()) == (before, ["Hello?"])


@pytest.mark.parametrize(
    "wrong", [{"secret": "another"}, {"signature": ""}, {"signature": "bm8="}, {"signature": "ünsigned"}]
)
async def test_delivery_with_a_wrong_signature_is_refused(pair: Pair, wrong: dict[str, str]) -> None:
    assert await offer(pair, event(), **wrong) is Verdict.WRONG_SIGNATURE
    assert await marks(pair) == []
    (found,) = await pair.database.command(standings)
    assert (found.system.refused_count, found.standing.error(pair.clock.now)) == (1, "WRONG_SIGNATURES")


async def test_test_and_other_events_mark_nothing(pair: Pair) -> None:
    for body in (event(0, "test", "1"), event(5, "contact.changed", "2")):
        assert await offer(pair, body) is Verdict.KEPT
    await applied(pair)
    assert (await marks(pair), await _parked(pair)) == ([], [])


@pytest.mark.parametrize("body", ['{"PrimaryKey": 1}', "[]", "no", event("x"), event(0), event(-1), event(True)])
async def test_delivery_that_names_no_chat_is_parked(pair: Pair, body: str) -> None:
    assert await offer(pair, body) is Verdict.KEPT
    await applied(pair)
    assert (await marks(pair), len(await _parked(pair))) == ([], 1)


async def test_delivery_about_another_tenant_is_parked(pair: Pair) -> None:
    await pair.database.command(_of_tenant, "Cust2")
    assert await offer(pair, event()) is Verdict.KEPT
    await applied(pair)
    assert (await marks(pair), await _parked(pair)) == ([], ["The delivery is about another tenant."])


async def test_restored_backup_has_everything_read_again(pair: Pair) -> None:
    first, second = await pair.requested(), await pair.requested()
    await pair.hears(first, "Hello?")
    await pair.hears(first, "Lost with the backup")
    await pair.sync()
    assert (await pair.here(2)).status is S.IN_QUEUE
    # The numbers after the backup are given to others: a message, and a chat.
    pair.clock.advance(600)
    await pair.twin.database.command(_back, second.number)
    await pair.hears(first, "After the backup")
    again = await pair.requested()
    assert (await pair.there(again.number)).chat_session_id == 2
    notice = orjson.dumps({"ChangeType": 1, "ContextIdentifier": "Cust1", "Token": "eyJ"}).decode()
    assert await offer(pair, notice, signature="") is Verdict.KEPT
    await applied(pair)
    assert sorted(await marks(pair)) == ["1", "2"]
    await pair.sync()
    assert await pair.texts() == ["Hello?", "Lost with the backup", "After the backup"]
    old, new = await pair.here(2), await pair.here(3)
    assert (new.status, new.when_requested) == (S.IN_QUEUE, pair.clock.now)
    assert old.when_requested != new.when_requested
    (found,) = await pair.database.command(standings)
    assert found.standing.walked_at is not None


async def test_chat_that_is_gone_there_is_over_here(pair: Pair) -> None:
    await pair.requested()
    await pair.sync()
    await pair.twin.database.command(_gone, 1)
    await pair.later(61)
    assert (await pair.here()).status is S.CLOSED


@pytest.mark.parametrize("kind", [0, 2, 3, 4])
async def test_other_notices_of_a_tenant_have_nothing_read(pair: Pair, kind: int) -> None:
    await pair.requested()
    await pair.sync()
    notice = orjson.dumps({"ChangeType": kind, "ContextIdentifier": "Cust1", "Token": "eyJ"}).decode()
    assert await offer(pair, notice, signature="") is Verdict.KEPT
    await applied(pair)
    assert (await _parked(pair), (await pair.queue())) == ([], [])


def _of_tenant(work: Work, tenant: str) -> None:
    work.connection.execute(connected_system.update().values(settings={"contextIdentifier": tenant}))


def _gone(work: Work, number: int) -> None:
    work.connection.execute(chat_session.delete().where(chat_session.c.id == number))
    work.connection.execute(interaction.delete().where(interaction.c.id == number))


def _back(work: Work, number: int) -> None:
    """The twin as it was before its second chat, and the second message of the first."""
    _gone(work, number)
    work.connection.execute(message.delete().where(message.c.text == "Lost with the backup"))
    work.connection.execute(chat_number.update().where(chat_number.c.name == "session").values(head=1))


async def _parked(pair: Pair) -> list[str]:
    def read(work: Work) -> list[str]:
        found = inbox.select().where(inbox.c.state == "PARKED").with_only_columns(inbox.c.reason)
        return list(work.connection.execute(found).scalars())

    return await pair.database.command(read)
