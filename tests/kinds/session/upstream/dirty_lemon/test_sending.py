"""What is done here is done in the messaging bot, and what becomes of it where that refuses or is cut off."""

from typing import Any

import pytest

from app.connections.service.sending import MOST_TRIES
from app.core.errors import NotSupported
from app.interactions.messages import MessageStatus
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.state import clear_attention
from app.kinds.session import service
from app.kinds.session.model import Suggestion
from tests.kinds.conftest import BO
from tests.kinds.session.upstream.dirty_lemon.conftest import SES, Desk
from tests.kinds.session.upstream.dirty_lemon.lemon import ANA, Lemon

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

CURRENT = f"/v1/customers/{ANA}/sessions/current"
SETTLES = 15.0


@pytest.fixture
async def desk(desk: Desk, lemon: Lemon) -> Desk:
    lemon.hears("Do you ship?")
    await desk.offer(lemon.event())
    await desk.sync()
    return desk


async def change(desk: Desk, **changes: Any) -> None:
    await desk.run(service.update, BO, changes, ref=str(SES))


async def says(desk: Desk, text: str) -> int:
    """Bo answers here; the surrogate of the message."""
    posted = await desk.run(send_message, BO, SES, {"type": "text", "content": text})
    return int(posted.message)


async def test_values_are_set_there(desk: Desk, lemon: Lemon) -> None:
    suggested = [Suggestion(remote_id="r-1", content="Sorry!")]
    await change(desk, need_attention=True, tags=["vip"], topics=["space"], suggested_messages=suggested)
    await desk.work()
    session = lemon.current()
    assert session is not None
    assert (session["need_attention"], session["tags"], session["topics"]) == (True, ["vip"], ["space"])
    assert [(each["remote_id"], each["content"]) for each in session["suggested_messages"]] == [("r-1", "Sorry!")]
    assert {(method, path) for method, path, _ in lemon.writes} == {("PATCH", CURRENT)}
    await desk.run(clear_attention, BO, SES)
    await desk.work()
    assert (session["need_attention"], await desk.queue()) == (False, [])
    before = await desk.session()
    await desk.later(60)
    assert await desk.session() == before


async def test_answer_is_sent_and_adopted(desk: Desk, lemon: Lemon) -> None:
    number = await says(desk, "We do.")
    await desk.work()
    assert lemon.texts() == ["Do you ship?", "We do."]
    (_, path, body) = lemon.writes[-1]
    assert (path, body["sender_role"], body["sent_at"]) == (f"{CURRENT}/messages", "agent", "2026-01-05T09:00:00.000Z")
    await desk.later(30)
    (_, own) = await desk.messages()
    session = lemon.current()
    assert session is not None
    assert (own.id, own.message_key, own.status) == (number, session["messages"][1]["id"], MessageStatus.SENT)
    session["messages"][1]["delivered_at"] = "2026-01-05T09:00:10.000Z"
    await desk.later(30)
    assert (await desk.messages())[1].status is MessageStatus.DELIVERED


@pytest.mark.parametrize("fault", ["lost", "after", 500])
async def test_answer_whose_fate_is_unknown_is_there_once(desk: Desk, lemon: Lemon, fault: str | int) -> None:
    lemon.says("We do.", "agent")
    lemon.faults = [fault]
    desk.clock.advance(1)
    number = await says(desk, "We do.")
    await desk.work()
    assert await desk.queue() == [("MESSAGE", "LOOKING")]
    await desk.later(SETTLES + 1)
    await desk.later(2)
    assert (await desk.queue(), lemon.texts()) == ([], ["Do you ship?", "We do.", "We do."])
    await desk.later(60)
    assert [text for _, text in await desk.said()].count("We do.") == 2
    assert number in [each.id for each in await desk.messages()]


async def test_answer_is_not_sent_for_ever(desk: Desk, lemon: Lemon) -> None:
    lemon.faults = ["lost"] * 10
    await says(desk, "We do.")
    for _ in range(10):
        await desk.later(SETTLES + 60)
    assert (await desk.queue(), 10 - len(lemon.faults)) == ([("MESSAGE", "UNCERTAIN")], MOST_TRIES)
    assert "SYNC_UNCERTAIN" in (await desk.session()).attention.reasons


async def test_failed_look_at_the_current_session_does_not_count_as_a_try(desk: Desk, lemon: Lemon) -> None:
    lemon.status = 500
    await says(desk, "We do.")
    for _ in range(MOST_TRIES + 1):
        await desk.later(SETTLES + 60)
    assert await desk.queue() == [("MESSAGE", "WAITING")]
    lemon.status = None
    await desk.later(600)
    assert (await desk.queue(), lemon.texts()) == ([], ["Do you ship?", "We do."])


async def test_late_answer_begins_no_other_session(desk: Desk, lemon: Lemon) -> None:
    await change(desk, need_attention=True)
    await desk.work()
    lemon.silent = True
    await says(desk, "We do.")
    await desk.work()
    lemon.silent = False
    desk.clock.advance(1_800)
    session = lemon.current()
    assert session is not None
    session["messages"][-1]["sent_at"] = "2026-01-05T06:00:00.000Z"
    await desk.work()
    (own,) = [each for each in await desk.messages() if each.text == "We do."]
    assert (own.status, lemon.texts(), len(lemon.sessions[ANA])) == (MessageStatus.ERROR, ["Do you ship?"], 1)
    assert (await desk.entries())[
        0
    ].error == "The session has ended in the other system, which no longer accepts messages for it."


async def test_value_of_an_old_session_does_not_change_the_current_one(desk: Desk, lemon: Lemon) -> None:
    desk.clock.advance(10_000)
    lemon.hears("And today?")
    await change(desk, tags=["late"], need_attention=True)
    await desk.work()
    session = lemon.current()
    assert session is not None
    assert (session["tags"], session["need_attention"]) == ([], False)
    here = await desk.session()
    assert (here.tags, here.need_attention, here.sync_trouble) == ((), True, "REFUSED")
    await desk.later(700)
    assert (await desk.session()).need_attention


@pytest.mark.parametrize("fault", [400, 404, 409, 422])
async def test_refused_value_is_set_back(desk: Desk, lemon: Lemon, fault: int) -> None:
    lemon.faults = [fault, fault]
    await change(desk, need_attention=True, tags=["vip"])
    await desk.work()
    here = await desk.session()
    assert (here.need_attention, here.tags, here.sync_trouble) == (False, (), "REFUSED")
    assert [entry.error for entry in await desk.entries()] == [f"The other system answered {fault}: No."] * 2


@pytest.mark.parametrize("fault", ["before", 429, "lost", "after", 500])
async def test_value_is_set_again_after_any_doubt(desk: Desk, lemon: Lemon, fault: str | int) -> None:
    lemon.faults = [fault]
    await change(desk, tags=["vip"])
    await desk.work()
    await desk.later(60)
    session = lemon.current()
    assert session is not None
    assert (session["tags"], await desk.queue()) == (["vip"], [])


async def test_command_that_the_bot_has_not_is_refused(desk: Desk, lemon: Lemon) -> None:
    content = {"type": "text", "content": "I am Ana"}
    with pytest.raises(NotSupported):
        await desk.run(receive_message, BO, {"interaction": SES}, [content])
    desk.clock.advance(10_000)
    customer = (await desk.session()).customer_id
    with pytest.raises(NotSupported):
        await desk.run(receive_message, BO, {"kind": "session", "customer_id": customer}, [content])
    assert (await desk.queue(), len(await desk.messages())) == ([], 1)


async def test_file_is_refused_by_the_connection(desk: Desk, lemon: Lemon) -> None:
    image = {"type": "image", "mime_type": "image/png", "public_download_url": "https://files.example.com/1.png"}
    await desk.run(send_message, BO, SES, image)
    await desk.work()
    assert [entry.error for entry in await desk.entries()] == ["The other system accepts only text."]
    assert lemon.texts() == ["Do you ship?"]
