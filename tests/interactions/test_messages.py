from datetime import timedelta

import pytest

from app.core.errors import (
    Forbidden,
    InvalidInput,
    KeyReused,
    NotFound,
    NotSupported,
    TooLong,
)
from app.interactions.messages import (
    Message,
    MessageAuthor,
    MessageError,
    MessageErrorType,
    MessageSource,
    MessageStatus,
)
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import load
from app.interactions.service.deliveries import delete_message, report_message_status, set_reaction
from app.interactions.service.messages import Posted, mark_read, receive_message, send_message, type_in
from app.interactions.waiting import Bearing
from app.storage.database import Work
from tests.conftest import START
from tests.interactions.conftest import AFTER, House, cnv, msg, said, ses
from tests.kinds.conftest import ADA, BO, CY, DEE

pytestmark = pytest.mark.anyio


async def stored(house: House, number: int) -> Message:
    def get(work: Work) -> Message | None:
        return work.use(MessageRepository).get(number)

    found = await house.database.command(get)
    assert found is not None
    return found


async def test_a_received_message_opens_an_interaction_and_counts(house: House) -> None:
    assert await house.hear("Hei på deg") == Posted(1, 1)
    interaction = await house.database.command(load, ADA, cnv(1))
    assert (
        interaction.last_message_at,
        interaction.latest_message_id,
        interaction.latest_customer_message_id,
        interaction.unread_customer_messages_count,
        interaction.version,
    ) == (START, 1, 1, 1, 1)
    assert await stored(house, 1) == Message(
        id=1,
        interaction_id=1,
        kind="conversation",
        channel_key=f"cha_{house.desk.whatsapp}",
        message_key="00000000-0000-7000-8000-000000000001",
        author=MessageAuthor.CUSTOMER,
        contents=({"type": "text", "content": "Hei på deg"},),
        text="Hei på deg",
        status=MessageStatus.DELIVERED,
        sent_at=START,
        delivered_at=START,
        created_at=START,
        updated_at=START,
        bearing=Bearing.ASKS,
    )
    assert await house.topics() == [
        "conversation.created",
        "attention.raised",
        "conversation.message_received",
        "attention.changed",
    ]
    assert all("Hei" not in str(event.data) for event in await house.told())


async def test_a_sent_message_is_the_latest_and_no_edit(house: House) -> None:
    await house.hear()
    house.clock.advance(5)
    posted = await house.database.command(send_message, BO, cnv(1), said("Hi"), reference=msg(1))
    assert posted == Posted(1, 2)
    message = await stored(house, 2)
    assert (message.author, message.user_id, message.source) == (MessageAuthor.USER, 2, MessageSource.USER)
    assert (message.reference_id, message.sent_at) == (1, START + timedelta(seconds=5))
    interaction = await house.database.command(load, ADA, cnv(1))
    assert (interaction.latest_message_id, interaction.latest_customer_message_id) == (2, 1)
    assert (interaction.version, interaction.updated_at) == (1, START + timedelta(seconds=5))
    assert (await house.told())[-2].data["message_id"] == 2


async def test_a_late_message_is_not_the_latest(house: House) -> None:
    await house.hear()
    house.clock.advance(60)
    await house.hear("Later")
    await house.hear("Between", sent_at=START + timedelta(seconds=30))
    interaction = await house.database.command(load, ADA, cnv(1))
    assert (interaction.last_message_at, interaction.latest_message_id) == (START + timedelta(seconds=60), 2)
    assert (interaction.latest_customer_message_id, interaction.unread_customer_messages_count) == (2, 3)
    await house.hear("Tomorrow", sent_at=START + timedelta(days=1))
    assert (await stored(house, 4)).sent_at == START + timedelta(seconds=60)


async def test_a_reference_stays_within_the_interaction(house: House) -> None:
    await house.hear()
    await house.hear_sam()
    for reference in (msg(2), msg(99)):
        with pytest.raises(InvalidInput) as refused:
            await house.database.command(send_message, BO, cnv(1), said("Hi"), reference=reference)
        assert refused.value.path == ("reference_id",)


async def test_a_key_makes_a_repeat_harmless(house: House) -> None:
    first = await house.hear("Hello", idempotency_key="k")
    told = await house.topics()
    assert await house.hear("Hello", idempotency_key="k") == first
    with pytest.raises(KeyReused):
        await house.hear("Other", idempotency_key="k")
    assert await house.topics() == told
    sent = await house.database.command(send_message, BO, cnv(1), said("Hi"), idempotency_key="s")
    assert await house.database.command(send_message, BO, cnv(1), said("Hi"), idempotency_key="s") == sent


async def test_texts_have_limits(house: House) -> None:
    await house.hear()
    with pytest.raises(TooLong) as refused:
        await house.database.command(send_message, BO, cnv(1), said("x" * 65_537))
    assert refused.value.path == ("content", "text", "content")
    with pytest.raises(InvalidInput):
        await house.database.command(send_message, BO, cnv(1), said("  "))
    await house.database.command(send_message, BO, cnv(1), said("x" * 65_536))


async def test_who_may_not_write_neither_sends_nor_receives(house: House) -> None:
    await house.hear()
    told = await house.topics()
    with pytest.raises(Forbidden):
        await house.database.command(send_message, CY, cnv(1), said("Hi"))
    with pytest.raises(NotFound):
        await house.database.command(send_message, DEE, cnv(1), said("Hi"))
    for actor in (CY, DEE):
        with pytest.raises(Forbidden):
            await house.hear(actor=actor)
    assert await house.topics() == told


async def test_who_sees_nothing_of_the_kind_is_not_told_whose_message_it_is(house: House) -> None:
    await house.hear()
    told = await house.topics()
    missing = "^There is no message msg_1.$"
    with pytest.raises(NotFound, match=missing):
        await house.database.command(delete_message, DEE, msg(1))
    with pytest.raises(NotFound, match=missing):
        await house.database.command(set_reaction, DEE, msg(1), None)
    with pytest.raises(NotFound, match=missing):
        await house.database.command(report_message_status, DEE, msg(1), MessageStatus.READ)
    assert await house.topics() == told


async def test_a_message_goes_on_and_never_back(house: House) -> None:
    await house.hear()
    await house.database.command(send_message, BO, cnv(1), said("Hi"))
    house.clock.advance(1)
    await house.database.command(report_message_status, BO, msg(2), MessageStatus.DELIVERED)
    delivered = await stored(house, 2)
    assert (delivered.status, delivered.delivered_at) == (MessageStatus.DELIVERED, START + timedelta(seconds=1))
    told = await house.topics()
    assert told[-1] == "conversation.message_status_reported"
    await house.database.command(report_message_status, BO, msg(2), MessageStatus.SENT)
    assert (await stored(house, 2), await house.topics()) == (delivered, told)
    await house.database.command(report_message_status, BO, msg(2), MessageStatus.READ)
    error = MessageError(type=MessageErrorType.STATUS_UPDATE, original_message="too late")
    read, told = await stored(house, 2), await house.topics()
    await house.database.command(report_message_status, BO, msg(2), MessageStatus.ERROR, error=error)
    assert (await stored(house, 2), await house.topics()) == (read, told)


async def test_a_message_error_says_why(house: House) -> None:
    await house.hear()
    await house.database.command(send_message, BO, cnv(1), said("Hi"))
    with pytest.raises(InvalidInput):
        await house.database.command(report_message_status, BO, msg(2), MessageStatus.ERROR)
    for said_by_channel in ("no such number", "still none"):
        error = MessageError(type=MessageErrorType.STATUS_UPDATE, original_message=said_by_channel)
        await house.database.command(report_message_status, BO, msg(2), MessageStatus.ERROR, error=error)
    await house.database.command(report_message_status, BO, msg(2), MessageStatus.SENT)
    found = await house.graph.read(
        '{ node(id: "msg_2") { ... on Message { status latestError { type originalMessage } '
        "errors { totalCount edges { node { originalMessage } } } } } }"
    )
    assert found["node"] == {
        "status": "ERROR",
        "latestError": {"type": "STATUS_UPDATE", "originalMessage": "still none"},
        "errors": {
            "totalCount": 2,
            "edges": [{"node": {"originalMessage": "still none"}}, {"node": {"originalMessage": "no such number"}}],
        },
    }


async def test_a_reaction_is_one_emoji(house: House) -> None:
    await house.hear()
    await house.database.command(set_reaction, BO, msg(1), "👍🏽")
    await house.database.command(set_reaction, BO, msg(1), "❤️", of_customer=True)
    message = await stored(house, 1)
    assert (message.agent_reaction, message.customer_reaction) == ("👍🏽", "❤️")
    told = await house.topics()
    await house.database.command(set_reaction, BO, msg(1), "👍🏽")
    assert await house.topics() == told
    with pytest.raises(InvalidInput) as refused:
        await house.database.command(set_reaction, BO, msg(1), "ok")
    assert refused.value.path == ("reaction",)
    await house.database.command(set_reaction, BO, msg(1), None)
    assert (await stored(house, 1)).agent_reaction is None


async def test_a_session_knows_neither_reactions_nor_statuses(house: House) -> None:
    await house.hear_sam()
    with pytest.raises(NotSupported):
        await house.database.command(set_reaction, BO, msg(1), "👍")
    with pytest.raises(NotSupported):
        await house.database.command(report_message_status, BO, msg(1), MessageStatus.READ)


async def test_a_deleted_message_is_nowhere(house: House) -> None:
    await house.hear("First")
    house.clock.advance(1)
    await house.hear("Second")
    await house.database.command(send_message, BO, cnv(1), said("Hi"), reference=msg(2))
    await house.database.command(delete_message, BO, msg(2))
    interaction = await house.database.command(load, ADA, cnv(1))
    assert (interaction.latest_message_id, interaction.latest_customer_message_id) == (3, 1)
    assert (interaction.unread_customer_messages_count, interaction.version) == (0, 1)
    assert (await stored(house, 3)).reference_id is None
    found = await house.graph.read('{ searchMessages(text: "second") { totalCount } node(id: "msg_2") { id } }')
    assert found == {"searchMessages": {"totalCount": 0}, "node": None}
    with pytest.raises(NotFound):
        await house.database.command(delete_message, BO, msg(2))
    await house.database.command(delete_message, BO, msg(3))
    await house.database.command(delete_message, BO, msg(1))
    interaction = await house.database.command(load, ADA, cnv(1))
    assert (interaction.last_message_at, interaction.latest_message_id) == (None, None)
    assert (interaction.latest_customer_message_id, interaction.unread_customer_messages_count) == (None, 0)


async def test_reading_marks_the_customers_messages(house: House) -> None:
    await house.hear()
    await house.hear()
    await house.database.command(send_message, BO, cnv(1), said("Hi"))
    await house.database.command(mark_read, BO, cnv(1))
    assert [(await stored(house, number)).status for number in (1, 2)] == [MessageStatus.READ] * 2
    assert (await stored(house, 3)).status is not MessageStatus.READ


async def test_typing_is_told_and_not_stored(house: House) -> None:
    await house.hear()
    before = await house.database.command(load, ADA, cnv(1))
    await house.database.command(type_in, BO, cnv(1))
    assert await house.database.command(load, ADA, cnv(1)) == before
    event = (await house.told())[-1]
    assert (event.topic, event.data) == ("interaction.typing", {"user_id": 2, "after": AFTER})
    found = await house.graph.read('{ interaction(id: "cnv_1") { history { edges { node { topic } } } } }')
    topics = [edge["node"]["topic"] for edge in found["interaction"]["history"]["edges"]]
    assert topics[-3:] == ["INTERACTION_MESSAGE_RECEIVED", "ATTENTION_RAISED", "INTERACTION_CREATED"]
    assert "INTERACTION_TYPING" not in topics


async def test_all_contents_come_back(house: House) -> None:
    contents = [
        {"text": {"content": "Look"}},
        {"image": {"uuid": "u1", "mimeType": "image/png", "size": 5, "downloadUrl": "https://a.b/1", "caption": "Me"}},
        {"audio": {"mimeType": "audio/ogg", "publicDownloadUrl": "https://a.b/2", "voice": True}},
        {"location": {"latitude": "59.91", "longitude": "10.75", "name": "Oslo"}},
        {"contact": {"name": {"formattedName": "Ann B"}, "birthday": "1970-01-31", "phones": [{"phone": "+47"}]}},
    ]
    gives = """message { text contents { __typename
      ... on TextMessageContent { content }
      ... on ImageMessageContent { uuid mimeType size downloadUrl caption }
      ... on AudioMessageContent { uuid voice publicDownloadUrl name }
      ... on LocationMessageContent { latitude longitude name url }
      ... on ContactMessageContent {
        contactName: name { formattedName lastName } birthday phones { phone type } emails { email }
      }
    } }"""
    target = {
        "customer": {
            "kind": "CONVERSATION",
            "customerId": f"cus_{house.desk.ana}",
            "channelAgentId": f"cha_{house.desk.whatsapp}",
        }
    }
    payload = await house.graph.do("receiveMessage", {"target": target, "contents": contents}, gives, BO)
    assert payload["message"] == {
        "text": "Look\nMe",
        "contents": [
            {"__typename": "TextMessageContent", "content": "Look"},
            {
                "__typename": "ImageMessageContent",
                "uuid": "u1",
                "mimeType": "image/png",
                "size": 5,
                "downloadUrl": "https://a.b/1",
                "caption": "Me",
            },
            {
                "__typename": "AudioMessageContent",
                "uuid": "00000000-0000-7000-8000-000000000001",
                "voice": True,
                "publicDownloadUrl": "https://a.b/2",
                "name": None,
            },
            {
                "__typename": "LocationMessageContent",
                "latitude": "59.91",
                "longitude": "10.75",
                "name": "Oslo",
                "url": None,
            },
            {
                "__typename": "ContactMessageContent",
                "contactName": {"formattedName": "Ann B", "lastName": None},
                "birthday": "1970-01-31",
                "phones": [{"phone": "+47", "type": None}],
                "emails": [],
            },
        ],
    }


async def test_the_graph_says_which_content_is_at_fault(house: House) -> None:
    await house.hear()
    payload = await house.graph.attempt(
        "sendMessage",
        {"id": "cnv_1", "content": {"location": {"latitude": "91", "longitude": "0"}}},
        "message { id }",
        BO,
    )
    assert payload["message"] is None
    assert payload["errors"] == [
        {
            "__typename": "GenericError",
            "code": "INVALID_INPUT",
            "message": "This takes decimal degrees from -90 to 90, as text.",
            "path": ["input", "content", "location", "latitude"],
        }
    ]


async def test_a_message_for_an_interaction_that_is_there(house: House) -> None:
    await house.hear_sam()
    posted = await house.database.command(receive_message, BO, {"interaction": ses(1)}, [said("Again")])
    assert posted == Posted(1, 2)
    with pytest.raises(NotFound):
        await house.database.command(receive_message, BO, {"interaction": ses(9)}, [said("Again")])
