"""The keys that channels give their messages: repeats, deletions, statuses."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.core.errors import AlreadyReceived, InvalidInput, TooLong
from app.interactions.messages import MessageError, MessageErrorType, MessageStatus
from app.interactions.service.change import remove
from app.interactions.service.deliveries import delete_message, report_message_status
from app.interactions.service.messages import Posted, receive_message, send_message
from tests.interactions.conftest import House, cnv, msg, said
from tests.kinds.conftest import ADA, BO, DEE

pytestmark = pytest.mark.anyio

KEY = {"message_key": "wamid.1"}


def widget(house: House) -> dict[str, Any]:
    return {"kind": "conversation", "customer_id": house.desk.wim, "channel_agent_id": house.desk.widget}


async def another(house: House) -> int:
    """A second customer on WhatsApp."""
    given = {"system": "CONVERSATION", "channel": "WHATSAPP", "displayId": "4915100000009"}
    created = await house.graph.do("createCustomer", given, "customer { id }")
    return int(created["customer"]["id"].removeprefix("cus_"))


async def refused(house: House, *args: Any, **given: Any) -> int:
    """The first message that a repeat is answered with."""
    told = await house.topics()
    with pytest.raises(AlreadyReceived) as found:
        await house.database.command(*args, **given)
    assert found.value.path == ("message_key",)
    assert await house.topics() == told
    return found.value.message_id


async def test_message_key_is_one_channels_own(house: House) -> None:
    first = await house.hear("Hello", fields=KEY)
    second = await house.database.command(receive_message, BO, widget(house), [said("Hello")], fields=KEY)
    third = await house.database.command(
        receive_message, BO, {"kind": "session", "customer_id": house.sam}, [said("Hello")], fields=KEY
    )
    assert (first.message, second.message, third.message) == (1, 2, 3)
    assert len({first.interaction, second.interaction, third.interaction}) == 3


async def test_message_key_repeated_names_the_first_message(house: House) -> None:
    target = {"kind": "conversation", "customer_id": house.desk.ana, "channel_agent_id": house.desk.whatsapp}
    first = await house.hear("Hello", fields=KEY, idempotency_key="k")
    assert await house.hear("Hello", fields=KEY, idempotency_key="k") == first
    assert await refused(house, receive_message, BO, target, [said("Hello")], fields=KEY) == first.message
    house.clock.advance(timedelta(days=30).total_seconds())
    again = {"fields": KEY, "idempotency_key": "k"}
    assert await refused(house, receive_message, BO, target, [said("Hello")], **again) == first.message
    other = {**target, "customer_id": await another(house)}
    assert await refused(house, receive_message, BO, other, [said("Hello")], fields=KEY) == first.message


async def test_message_key_repeated_is_told_of_before_the_state_of_the_interaction(house: House) -> None:
    created = {"agentKey": "helper", "name": "Helper"}
    await house.graph.do("createAiAgent", created)
    opened = await house.graph.do("createAgentSession", {"agentKey": "helper"}, "agentSession { id }")
    given = {"target": {"interactionId": opened["agentSession"]["id"]}, "contents": [{"text": {"content": "Hi"}}]}
    await house.graph.do("receiveMessage", {**given, "messageKey": "1"})
    await house.graph.do("closeInteraction", {"id": opened["agentSession"]["id"]})
    again = await house.graph.attempt("receiveMessage", {**given, "messageKey": "1"})
    assert [error["code"] for error in again["errors"]] == ["ALREADY_RECEIVED"]


async def test_message_key_repeated_is_answered_with_the_message(house: House) -> None:
    target = {"customer": {"kind": "CONVERSATION", "customerId": "cus_1", "channelAgentId": "cha_1"}}
    given = {"target": target, "contents": [{"text": {"content": "Hello"}}], "messageKey": "wamid.1"}
    document = """mutation($input: ReceiveMessageInput!) { receiveMessage(input: $input) { message { id } errors {
      __typename code path ... on AlreadyReceivedError { receivedMessageId receivedMessage { id text } } } } }"""
    first = await house.graph.read(document, input=given)
    assert first["receiveMessage"] == {"message": {"id": "msg_1"}, "errors": []}
    error = {
        "__typename": "AlreadyReceivedError",
        "code": "ALREADY_RECEIVED",
        "path": ["input", "messageKey"],
        "receivedMessageId": "msg_1",
        "receivedMessage": {"id": "msg_1", "text": "Hello"},
    }
    again = await house.graph.read(document, input=given)
    assert again["receiveMessage"] == {"message": None, "errors": [error]}
    await house.graph.do("deleteMessage", {"id": "msg_1"})
    again = await house.graph.read(document, input=given)
    assert again["receiveMessage"] == {"message": None, "errors": [{**error, "receivedMessage": None}]}


async def test_message_key_of_several_at_once_is_taken_once(house: House) -> None:
    targets = [
        {"kind": "conversation", "customer_id": customer, "channel_agent_id": house.desk.whatsapp}
        for customer in (house.desk.ana, await another(house))
    ] * 3
    taken = [house.database.command(receive_message, BO, target, [said("Hello")], fields=KEY) for target in targets]
    results = await asyncio.gather(*taken, return_exceptions=True)
    posted = [result for result in results if isinstance(result, Posted)]
    others = [result.message_id for result in results if isinstance(result, AlreadyReceived)]
    assert (len(posted), others) == (1, [posted[0].message] * 5)


async def test_message_deleted_is_not_brought_back_by_a_repeat(house: House) -> None:
    await house.hear("Hello")
    first = await house.hear("Hello", fields=KEY)
    await house.database.command(delete_message, BO, msg(first.message))
    target = {"interaction": cnv(first.interaction)}
    assert await refused(house, receive_message, BO, target, [said("Hello")], fields=KEY) == first.message
    other = await house.database.command(receive_message, BO, widget(house), [said("Hello")], fields=KEY)
    assert other.message > first.message


async def test_message_deleted_gives_up_its_key_with_its_interaction(house: House) -> None:
    first = await house.hear("Hello", fields=KEY)
    await house.database.command(delete_message, BO, msg(first.message))
    await house.database.command(remove, ADA, cnv(first.interaction))
    again = await house.hear("Hello", fields=KEY)
    assert again.interaction != first.interaction
    await house.database.command(delete_message, BO, msg(again.message))
    await house.database.command(remove, ADA, cnv(again.interaction))
    await house.erase()
    statement = "SELECT count(*) FROM deleted_message"
    left = await house.database.command(lambda work: work.connection.exec_driver_sql(statement).scalar_one())
    assert left == 0


@pytest.mark.parametrize(("key", "refusal"), [("x" * 256, TooLong), ("x" * 10_000, TooLong), (" ", InvalidInput)])
async def test_message_key_is_bounded(house: House, key: str, refusal: type[InvalidInput]) -> None:
    await house.hear()
    fields = {"message_key": key}
    with pytest.raises(refusal) as received:
        await house.database.command(receive_message, BO, {"interaction": cnv(1)}, [said("Hi")], fields=fields)
    with pytest.raises(refusal) as sent:
        await house.database.command(send_message, BO, cnv(1), said("Hi"), fields=fields)
    assert received.value.path == sent.value.path == ("message_key",)


async def test_sent_message_has_the_key_and_the_time_of_its_channel(house: House) -> None:
    await house.hear()
    house.clock.advance(60)
    given = {"id": "cnv_1", "content": {"text": {"content": "Hi"}}, "messageKey": "wamid.9"}
    gives = "message { id messageKey sentAt }"
    sent = await house.graph.do("sendMessage", {**given, "sentAt": "2025-01-01T09:00:00.000000Z"}, gives)
    assert sent["message"] == {"id": "msg_2", "messageKey": "wamid.9", "sentAt": "2025-01-01T09:00:00.000000Z"}
    again = await house.graph.attempt("sendMessage", given, gives)
    assert (again["message"], again["errors"][0]["code"]) == (None, "ALREADY_RECEIVED")
    future = {**given, "messageKey": "wamid.10", "sentAt": "2099-01-01T00:00:00Z"}
    sent = await house.graph.do("sendMessage", future, "message { sentAt createdAt }")
    assert sent["message"]["sentAt"] == sent["message"]["createdAt"]


async def test_message_status_is_reported_by_key(house: House) -> None:
    await house.hear()
    fields = {"message_key": "wamid.9"}
    await house.database.command(send_message, BO, cnv(1), said("Hi"), fields=fields)
    key = {"channelAgentId": f"cha_{house.desk.whatsapp}", "messageKey": "wamid.9"}
    told = await house.graph.do("reportMessageStatus", {"key": key, "status": "READ"}, "message { id status }")
    assert told["message"] == {"id": "msg_2", "status": "READ"}
    for wrong in ({}, {"id": "msg_2", "key": key}):
        found = await house.graph.attempt("reportMessageStatus", {**wrong, "status": "READ"})
        assert [error["code"] for error in found["errors"]] == ["INVALID_INPUT"]
    for other in ({**key, "channelAgentId": f"cha_{house.desk.widget}"}, {**key, "messageKey": "wamid.8"}):
        found = await house.graph.attempt("reportMessageStatus", {"key": other, "status": "READ"})
        assert [error["code"] for error in found["errors"]] == ["NOT_FOUND"]
    hidden = await house.graph.attempt("reportMessageStatus", {"key": key, "status": "READ"}, "", DEE)
    unknown = await house.graph.attempt(
        "reportMessageStatus", {"key": {**key, "messageKey": "x"}, "status": "READ"}, "", DEE
    )
    assert hidden == unknown
    await house.database.command(delete_message, BO, msg(2))
    found = await house.graph.attempt("reportMessageStatus", {"key": key, "status": "READ"})
    assert [error["code"] for error in found["errors"]] == ["NOT_FOUND"]


ORDER = ("CREATED", "SENT", "ERROR", "DELIVERED", "READ")


@pytest.mark.parametrize("before", ORDER)
@pytest.mark.parametrize("then", ORDER)
async def test_message_status_only_moves_forward(house: House, before: str, then: str) -> None:
    await house.hear()
    await house.database.command(send_message, BO, cnv(1), said("Hi"))
    await _report(house, before)
    told = await house.topics()
    await _report(house, then)
    found = await house.graph.read('{ node(id: "msg_2") { ... on Message { status errors { totalCount } } } }')
    assert found["node"]["status"] == max(before, then, key=ORDER.index)
    failures = 0 if before in ("DELIVERED", "READ") else [before, then].count("ERROR")
    assert found["node"]["errors"]["totalCount"] == failures
    moved = ORDER.index(then) > ORDER.index(before) or before == then == "ERROR"
    assert ((await house.topics()) != told) is moved


async def test_message_error_too_long_is_cut_and_its_status_kept(house: House) -> None:
    await house.hear()
    await house.database.command(send_message, BO, cnv(1), said("Hi"))
    await _report(house, "ERROR", "é" * 5_000)
    gives = '{ node(id: "msg_2") { ... on Message { status latestError { originalMessage } } } }'
    found = (await house.graph.read(gives))["node"]
    assert found == {"status": "ERROR", "latestError": {"originalMessage": "é" * 4_096}}


async def _report(house: House, status: str, text: str = "no such number") -> None:
    error = MessageError(type=MessageErrorType.STATUS_UPDATE, original_message=text) if status == "ERROR" else None
    await house.database.command(report_message_status, BO, msg(2), MessageStatus(status), error=error)
