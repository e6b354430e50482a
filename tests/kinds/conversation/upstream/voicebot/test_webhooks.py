"""How the messaging bot's webhooks lead to reads, however they are signed and whatever they say."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping

import orjson
import pytest

from app.connections.runner import Runner
from app.connections.service import Verdict, accept, standings
from app.connections.service.sealing import opened
from app.interactions.connector import Unmappable
from app.kinds.conversation.upstream.voicebot.webhooks import conversation_in
from app.registry import CONNECTORS
from app.storage.database import Database
from app.storage.event_log import event_log
from tests.conftest import ManualClock
from tests.connections.conftest import NOBODY, signed
from tests.kinds.conversation.upstream.voicebot.conftest import Pair, connected
from tests.kinds.rest import House

pytestmark = pytest.mark.anyio

BODY = '{"event": "message.created", "data": {"id": 7, "conversation_id": 1}}'


async def secret_of(pair: Pair) -> str:
    (system,) = [each.system for each in await pair.database.command(standings)]
    return await pair.database.command(lambda work: opened(work, system, work.now)[0])


async def offer(pair: Pair, body: str, headers: Mapping[str, str]) -> Verdict:
    """Hand a webhook in, and apply what is due."""
    (system,) = [each.system for each in await pair.database.command(standings)]
    run = pair.database.command
    verdict = await run(accept, NOBODY, CONNECTORS, f"con_{system.id}", system.token, headers, body)
    while await Runner(pair.database, CONNECTORS, pair.clock, "tests").step():
        pass
    return verdict


async def lists_asked_for(pair: Pair) -> list[bool]:
    """Of each read that was queued, whether it is of the list."""
    found = event_log.select().with_only_columns(event_log.c.data).where(event_log.c.topic == "connection.read_queued")
    texts = await pair.database.command(lambda work: list(work.connection.execute(found).scalars()))
    return [orjson.loads(each)["lists"] for each in texts]


def signatures(secret: str, body: str) -> list[dict[str, str]]:
    made = hmac.new(secret.encode(), body.encode(), hashlib.sha256)
    base64 = b64encode(made.digest()).decode()
    return [
        {"signature": made.hexdigest()},
        {"x-signature": base64},
        {"x-webhook-signature": f"sha256={made.hexdigest()}"},
        {"x-hub-signature-256": f"sha256={made.hexdigest()}"},
        {"x-voicebot-signature": made.hexdigest()},
        {"authorization": f"Bearer {secret}"},
        {"authorization": f"Basic {b64encode(f'bot:{secret}'.encode()).decode()}"},
        signed(secret, body),
    ]


async def test_webhook_is_taken_with_any_usual_signature(pair: Pair) -> None:
    secret = await secret_of(pair)
    for headers in signatures(secret, BODY):
        assert await offer(pair, BODY, headers) is Verdict.KEPT, headers
    mixed = {"signature": "wrong", "x-signature": signatures(secret, BODY)[1]["x-signature"]}
    assert await offer(pair, BODY, mixed) is Verdict.KEPT


async def test_webhook_without_the_secret_is_refused(pair: Pair) -> None:
    secret = await secret_of(pair)
    wrong = [
        {},
        {"signature": ""},
        {"signature": secret},
        {"authorization": secret},
        {"authorization": "Basic \x01"},
        {"authorization": "Bearer "},
        {"x-other": signatures(secret, BODY)[0]["signature"]},
        *signatures("whsec_" + "A" * 32, BODY),
        *signatures(secret, BODY + " ")[:5],
    ]
    for headers in wrong:
        assert await offer(pair, BODY, headers) is Verdict.WRONG_SIGNATURE, headers
    assert await lists_asked_for(pair) == []
    assert (await pair.stands())[1] == "WRONG_SIGNATURES"


async def test_webhook_is_signed_in_the_header_that_the_settings_name(
    twin: House, database: Database, clock: ManualClock
) -> None:
    pair = await connected(twin, database, clock, signatureHeader="X-Other")
    made = signatures(await secret_of(pair), BODY)[0]["signature"]
    assert await offer(pair, BODY, {"x-other": made}) is Verdict.KEPT
    assert await offer(pair, BODY, {"x-other": made[:-1]}) is Verdict.WRONG_SIGNATURE


async def test_webhook_has_its_conversation_read_without_a_poll(pair: Pair) -> None:
    await pair.hears("Hello?")
    await pair.sync()
    await pair.hears("Are you there?")
    pair.reach.reads.clear()
    headers = signatures(await secret_of(pair), BODY)[0]
    # Twice the same: each may tell of a change of its own.
    for _ in range(2):
        assert await offer(pair, BODY, headers) is Verdict.KEPT
    await pair.work()
    assert await pair.texts() == ["Hello?", "Are you there?"]
    assert pair.reach.reads == ["/conversations/1", "/conversations/1/messages"]
    assert await lists_asked_for(pair) == [False, False]


async def test_webhook_of_an_unknown_form_has_the_list_read(pair: Pair) -> None:
    secret = await secret_of(pair)
    for body in ('{"event": "something.new", "data": {"id": 9}}', "[]", '"pong"'):
        assert await offer(pair, body, signatures(secret, body)[0]) is Verdict.KEPT
    assert await lists_asked_for(pair) == [True, True, True]
    assert (await pair.stands())[1] is None
    assert await offer(pair, "<html>", signatures(secret, "<html>")[0]) is Verdict.KEPT
    assert (await pair.stands())[1] == "DELIVERIES_PARKED"


async def test_webhook_of_a_conversation_that_is_not_there_changes_nothing(pair: Pair) -> None:
    body = '{"conversation_id": 99}'
    assert await offer(pair, body, signatures(await secret_of(pair), body)[0]) is Verdict.KEPT
    await pair.work()
    assert (await pair.texts(), (await pair.stands())[1]) == ([], None)


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({"conversation_id": 4}, 4),
        ({"conversation_id": "4"}, 4),
        ({"conversation": {"id": 4}}, 4),
        ({"data": {"conversation_id": 4, "id": 5}}, 4),
        ({"data": {"conversation": {"id": 4}}}, 4),
        ({"event": "message.created", "message": {"id": 5, "conversation_id": 4}}, 4),
        ({"event": "conversation.updated", "data": {"id": 4}}, 4),
        ({"type": "ConversationUpdated", "id": 4}, 4),
        ({"event": "conversation.message.created", "data": {"id": 5}}, None),
        ({"event": "message.created", "data": {"id": 5}}, None),
        ({"conversation_id": True, "data": [1]}, None),
        ({"conversation_id": -1, "conversation": {"id": 2**63}}, None),
        ({"conversation_id": "²", "conversation": {"id": "9" * 5_000}}, None),
        ({}, None),
        ([4], None),
    ],
)
def test_conversation_is_looked_for_where_it_may_be(given: object, number: int | None) -> None:
    assert conversation_in(orjson.dumps(given).decode()) == number


def test_webhook_that_is_no_json_is_unmappable() -> None:
    with pytest.raises(Unmappable):
        conversation_in("no JSON")
