"""What is done here is done on the AI agents' platform, and what becomes of it where that refuses or is cut off."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from app.connections.model.outbox import CREATING_LASTS, VALUE_LASTS
from app.connections.service.sending import MOST_TRIES
from app.core.errors import NotSupported
from app.core.ids import GlobalId
from app.interactions.model import State
from app.interactions.service.holding import claim
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.state import close, reopen
from app.kinds.agent_session import service
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.kinds.agent_session.upstream.vectara.conftest import AGS, Desk, attached
from tests.kinds.agent_session.upstream.vectara.platform import Platform
from tests.kinds.conftest import BO

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

SETTLES = 30.0
SESSION = "/v2/agents/agt_support/sessions/s1"


@pytest.fixture
async def desk(desk: Desk, platform: Platform) -> Desk:
    platform.opens("s1", metadata={"customer_id": "c-17", "tier": "gold"})
    await desk.sync()
    platform.requests.clear()
    return desk


async def change(desk: Desk, **changes: Any) -> None:
    await desk.run(service.update, BO, str(AGS), changes)


async def asks(desk: Desk, *texts: str) -> int:
    """The customer says something here; the surrogate of the message."""
    contents = [{"type": "text", "content": text} for text in texts]
    posted = await desk.run(receive_message, BO, {"interaction": AGS}, contents)
    return int(posted.message)


def writes(platform: Platform) -> list[tuple[str, str, Any]]:
    return [(each.method, each.path, each.body) for each in platform.requests if each.method != "GET"]


async def test_fields_are_set_there_and_read_back(desk: Desk, platform: Platform) -> None:
    await change(desk, name="Parcel", description=None, tti_minutes=90, enabled=False)
    await change(desk, description="Late parcel")
    assert len(await desk.entries()) == 4
    await desk.work()
    there = platform.sessions["agt_support", "s1"]
    assert (there["name"], there["description"], there["tti_minutes"]) == ("Parcel", "Late parcel", 90)
    assert (there["enabled"], await desk.queue()) == (False, [])
    assert {method for method, _, _ in writes(platform)} == {"PATCH"}
    before = await desk.session()
    await desk.later(2)
    await desk.walk()
    assert await desk.session() == before


async def test_of_several_values_the_newest_is_sent(desk: Desk, platform: Platform) -> None:
    await desk.run(close, BO, AGS)
    await desk.run(reopen, BO, AGS)
    await desk.run(close, BO, AGS)
    await desk.work()
    assert writes(platform) == [("PATCH", SESSION, {"enabled": False})]


async def test_metadata_is_sent_whole(desk: Desk, platform: Platform) -> None:
    await change(desk, metadata={"customer_id": "c-18", "tier": "gold"})
    await desk.work()
    assert writes(platform) == [("PATCH", SESSION, {"metadata": {"customer_id": "c-18", "tier": "gold"}})]
    await desk.later(2)
    here = await desk.session()
    assert (here.customer_id, orjson.loads(here.metadata)["customer_id"]) == (2, "c-18")


async def test_metadata_that_was_changed_there_meanwhile_stays(desk: Desk, platform: Platform) -> None:
    await change(desk, metadata={"customer_id": "c-17", "tier": "silver", "note": "ours"})
    there = platform.sessions["agt_support", "s1"]
    there["metadata"] = {"customer_id": "c-17", "tier": "gold", "step": "theirs"}
    await desk.work()
    wanted = {"customer_id": "c-17", "tier": "silver", "note": "ours", "step": "theirs"}
    assert there["metadata"] == wanted
    await desk.later(2)
    assert orjson.loads((await desk.session()).metadata) == wanted


async def test_metadata_that_is_there_already_is_not_sent(desk: Desk, platform: Platform) -> None:
    await change(desk, metadata={"customer_id": "c-17"})
    platform.sessions["agt_support", "s1"]["metadata"] = {"customer_id": "c-17"}
    await desk.work()
    assert (writes(platform), await desk.queue()) == ([], [])


async def test_number_that_no_double_holds_is_sent_as_it_was_written(desk: Desk, platform: Platform) -> None:
    await change(desk, metadata='{"customer_id": "c-17", "order": 12345678901234567890123, "rate": 1.10}')
    bodies: list[bytes] = []
    send = platform.send

    async def kept(method: str, url: str, **given: Any) -> Any:
        bodies.append(given["content"])
        return await send(method, url, **given)

    platform.send = kept  # type: ignore[method-assign]
    await desk.work()
    assert b'{"metadata":{"customer_id":"c-17","order":12345678901234567890123,"rate":1.10}}' in bodies


async def test_input_is_sent_and_answered(desk: Desk, platform: Platform) -> None:
    number = await asks(desk, "Where is it?")
    await desk.work()
    assert platform.said("s1") == ["Where is it?"]
    (path, body) = next((path, body) for method, path, body in writes(platform) if method == "POST")
    assert (path, body["messages"]) == (f"{SESSION}/events", [{"type": "text", "content": "Where is it?"}])
    assert platform.patience["POST"] > platform.patience["GET"]
    await desk.later(2)
    assert await desk.said() == [("CUSTOMER", "Where is it?"), ("AI_AGENT", "Here you are.")]
    own, _ = await desk.messages()
    assert (own.id, own.message_key, (await desk.session()).waiting.needed) == (number, "s1_1", False)
    await desk.walk()
    assert len(await desk.said()) == 2


@pytest.mark.parametrize("fault", ["before", 429, 409])
async def test_input_that_was_not_taken_is_sent_later(desk: Desk, platform: Platform, fault: str | int) -> None:
    platform.faults = [fault]
    await asks(desk, "Hello?")
    await desk.work()
    assert (await desk.queue(), platform.said("s1")) == ([("MESSAGE", "WAITING")], [])
    await desk.later(30)
    assert (await desk.queue(), platform.said("s1")) == ([], ["Hello?"])


@pytest.mark.parametrize("fault", ["lost", "after", 500, 502])
async def test_input_whose_answer_was_lost_is_there_once(desk: Desk, platform: Platform, fault: str | int) -> None:
    platform.faults = [fault]
    number = await asks(desk, "Hello?")
    await desk.work()
    assert await desk.queue() == [("MESSAGE", "LOOKING")]
    await desk.sync()
    await desk.later(SETTLES - 1)
    assert await desk.queue() == [("MESSAGE", "LOOKING")]
    await desk.later(2)
    await desk.later(2)
    assert (await desk.queue(), platform.said("s1")) == ([], ["Hello?"])
    assert [text for _, text in await desk.said()] == ["Hello?", "Here you are."]
    assert (await desk.messages())[0].id == number


async def test_input_is_not_taken_for_an_older_one_of_the_same_text(desk: Desk, platform: Platform) -> None:
    early = desk.clock.now - timedelta(hours=1)
    platform.hears("s1", "Hello?", at=early)
    platform.answers_with("s1", "Yes?", at=early)
    platform.faults = ["lost"]
    await asks(desk, "Hello?")
    await desk.work()
    await desk.later(SETTLES + 1)
    await desk.later(2)
    assert platform.said("s1") == ["Hello?", "Hello?"]


async def test_input_is_not_sent_for_ever(desk: Desk, platform: Platform) -> None:
    platform.faults = ["lost"] * 10
    await asks(desk, "Hello?")
    for _ in range(10):
        await desk.later(SETTLES + 60)
    assert (await desk.queue(), 10 - len(platform.faults)) == ([("MESSAGE", "UNCERTAIN")], MOST_TRIES)
    assert "SYNC_UNCERTAIN" in (await desk.session()).attention.reasons
    platform.hears("s1", "Hello?")
    platform.answers_with("s1", "Yes?")
    await desk.sync()
    assert (await desk.queue(), (await desk.session()).sync_trouble) == ([], None)
    assert [text for _, text in await desk.said()] == ["Hello?", "Yes?"]


@pytest.mark.parametrize("fault", [400, 403, 404, 422])
async def test_refused_value_is_set_back_and_told(desk: Desk, platform: Platform, fault: int) -> None:
    before = await desk.session()
    platform.faults = [fault, fault, fault]
    await change(desk, name="Parcel", metadata={"customer_id": "c-18"})
    await asks(desk, "Hello?")
    await desk.work()
    here = await desk.session()
    assert (here.name, here.metadata, here.customer_id) == (before.name, before.metadata, before.customer_id)
    assert {state for _, state in await desk.queue()} == {"REFUSED"}
    assert (here.sync_trouble, "SYNC_REFUSED" in here.attention.reasons) == ("REFUSED", True)
    assert (await desk.entries())[0].error == f"The other system answered {fault}: No."


async def test_value_is_set_again_after_any_doubt(desk: Desk, platform: Platform) -> None:
    platform.faults = ["lost", 500, "after", 429]
    await change(desk, metadata={"customer_id": "c-17", "tier": "silver"})
    for _ in range(5):
        await desk.later(60)
    assert platform.sessions["agt_support", "s1"]["metadata"]["tier"] == "silver"
    assert (await desk.queue(), (await desk.session()).sync_trouble) == ([], None)


async def test_write_waits_for_a_credential_that_is_taken(desk: Desk, platform: Platform) -> None:
    platform.status = 401
    await asks(desk, "Hello?")
    await desk.work()
    assert (await desk.queue(), await desk.stands()) == (
        [("MESSAGE", "WAITING")],
        ("BAD_CREDENTIALS", "TOKEN_REFUSED"),
    )
    platform.status = None
    await desk.later(61)
    assert (await desk.queue(), platform.said("s1")) == ([], ["Hello?"])


async def test_write_that_was_too_late_is_refused(desk: Desk, platform: Platform) -> None:
    platform.silent = True
    await asks(desk, "Hello?")
    await change(desk, name="Parcel")
    await desk.work()
    await desk.later(CREATING_LASTS.total_seconds())
    await desk.work()
    assert ("MESSAGE", "REFUSED") in await desk.queue()
    await desk.later(VALUE_LASTS.total_seconds())
    assert (await desk.session()).name == "Session s1"


async def test_closing_what_is_gone_there_is_done(desk: Desk, platform: Platform) -> None:
    platform.forgets("s1")
    await desk.run(close, BO, AGS)
    await desk.work()
    here = await desk.session()
    assert (here.state, here.sync_trouble, await desk.queue()) == (State.CLOSED, None, [])
    await change(desk, name="Parcel")
    await desk.work()
    assert await desk.queue() == [("NAME", "REFUSED")]


async def test_customer_who_writes_overtakes_a_close_that_waits(desk: Desk, platform: Platform) -> None:
    platform.faults = [429]
    await desk.run(close, BO, AGS)
    await desk.work()
    platform.hears("s1", "One more thing")
    platform.runs("s1")
    await desk.sync()
    here = await desk.session()
    assert (here.state, here.waiting.needed, await desk.queue()) == (State.OPEN, True, [])


async def test_message_is_hidden_there(desk: Desk, platform: Platform) -> None:
    event = platform.hears("s1", "Hello?")
    platform.runs("s1")
    await desk.sync()
    await desk.run(service.hide_event, BO, GlobalId("msg", 1), hidden=True)
    await desk.work()
    assert platform.hidden == {f"aev_{event}"}
    await desk.walk()
    assert [each.hidden for each in await desk.messages()] == [True]
    platform.faults = [404]
    await desk.run(service.hide_event, BO, GlobalId("msg", 1), hidden=False)
    await desk.work()
    assert [each.hidden for each in await desk.messages()] == [True]


async def test_agent_goes_on_beside_the_user_who_claims(desk: Desk, platform: Platform) -> None:
    await desk.run(claim, BO, AGS)
    here = await desk.session()
    assert (here.assignee_id, here.bot_active, await desk.queue()) == (BO.user_id, True, [])


async def test_command_that_the_platform_has_not_is_refused(desk: Desk) -> None:
    with pytest.raises(NotSupported):
        await desk.run(send_message, BO, AGS, {"type": "text", "content": "I am Bo"})
    with pytest.raises(NotSupported):
        await desk.run(service.delete, BO, str(AGS))
    with pytest.raises(NotSupported):
        await change(desk, secrets={"token": "s3cret"})
    assert await desk.queue() == []


async def test_answer_that_the_settings_allow_is_kept_here(
    database: Database, clock: ManualClock, platform: Platform
) -> None:
    desk = await attached(database, clock, platform, capabilities={"REPLY": True, "CLOSE": False})
    platform.opens("s1")
    await desk.sync()
    await desk.run(send_message, BO, AGS, {"type": "text", "content": "I am Bo"})
    assert (await desk.queue(), await desk.said()) == ([], [("USER", "I am Bo")])
    with pytest.raises(NotSupported):
        await desk.run(close, BO, AGS)


async def test_file_is_refused_by_the_connection(desk: Desk, platform: Platform) -> None:
    image = {"type": "image", "mime_type": "image/png", "public_download_url": "https://files.example.com/1.png"}
    await desk.run(receive_message, BO, {"interaction": AGS}, [image])
    await desk.work()
    assert ([entry.error for entry in await desk.entries()], writes(platform)) == (
        ["The other system accepts only text."],
        [],
    )


async def test_metadata_that_is_set_back_after_a_lost_answer_is_set_back(desk: Desk, platform: Platform) -> None:
    before = {"customer_id": "c-17", "tier": "gold"}
    platform.faults = ["after"]
    await change(desk, metadata={**before, "tier": "lost"})
    await desk.work()
    await change(desk, metadata=before)
    await desk.later(60)
    await desk.later(1)
    here = await desk.session()
    assert (platform.sessions["agt_support", "s1"]["metadata"], here.metadata, await desk.queue()) == (
        before,
        '{"customer_id":"c-17","tier":"gold"}',
        [],
    )
