"""What deliveries of an HTTP source make of conversations."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.connections.service import Outcome, Verdict, apply_delivery, due_deliveries
from app.core.errors import AlreadyExists, DomainError, InvalidInput, NotFound
from app.core.ids import GlobalId
from app.directory.model import Channel, Customer, NewCustomer
from app.directory.repository import CustomerRepository, ProfileRepository
from app.directory.service import block_profile, create_customer, create_profile, link_customer
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.model import State
from app.interactions.service.erasing import erase_customer
from app.interactions.service.holding import claim
from app.interactions.service.messages import send_message
from app.kinds.conversation.model.conversation import Status
from app.kinds.conversation.repository import ChannelAgentRepository
from app.registry import CONNECTORS
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.connections.conftest import ADA, Source, connect
from tests.kinds.conftest import BO
from tests.kinds.conversation.upstream.conftest import Seen

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

ANA = {"key": "c-17", "name": "Ana"}


def at(minute: int) -> str:
    """So many minutes before the tests begin."""
    return (START - timedelta(minutes=minute)).isoformat()


def said(key: str, minute: int, author: str = "CUSTOMER", **more: object) -> dict[str, object]:
    return {"key": key, "author": author, "sent_at": at(minute), "text": f"text of {key}", **more}


def delivery(*messages: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"customer": ANA, "messages": list(messages), **more}


async def customers(database: Database) -> list[Customer]:
    def read(work: Work) -> list[Customer]:
        found = [work.use(CustomerRepository).get(number) for number in range(1, 10)]
        return [each for each in found if each is not None]

    return await database.command(read)


async def parked(source: Source) -> list[str]:
    return [reason for _, state, _, _, reason in await source.kept() if state == "PARKED"]


# ---- messages -----------------------------------------------------------------------------------------------------


async def test_message_of_the_customer_opens_a_conversation_that_needs_a_human(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 2)))
    conversation = await seen.conversation()
    assert (conversation.status, conversation.state) == (Status.TO_DO, State.OPEN)
    assert conversation.attention.reasons == ("TO_DO", "CUSTOMER_WAITING")
    assert conversation.unread_customer_messages_count == 1
    (message,) = await seen.messages()
    assert (message.author, message.text, message.message_key) == (MessageAuthor.CUSTOMER, "text of m-1", "m-1")
    assert message.sent_at == START - timedelta(minutes=2)
    assert await seen.topics() == [
        "conversation.created",
        "attention.raised",
        "conversation.message_received",
        "attention.changed",
    ]
    (customer,) = await customers(source.database)
    assert (customer.customer_key, customer.system, customer.name) == ("con_1:c-17", "CONVERSATION", "Ana")


async def test_messages_of_a_delivery_are_taken_in_the_order_in_which_they_were_sent(
    source: Source, seen: Seen
) -> None:
    await source.deliver(delivery(said("m-3", 1), said("m-1", 3), said("m-2", 2, "BOT")))
    assert [each.message_key for each in await seen.messages()] == ["m-1", "m-2", "m-3"]


async def test_message_that_came_before_is_passed_over(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3)), "evt-1")
    before = await seen.topics()
    await source.deliver(delivery(said("m-1", 3)), "evt-2")
    assert await seen.topics() == before
    await source.deliver(delivery(said("m-1", 3), said("m-2", 1)), "evt-3")
    assert [each.message_key for each in await seen.messages()] == ["m-1", "m-2"]
    assert await parked(source) == []


async def test_answer_from_elsewhere_ends_the_wait(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3)), "evt-1")
    await source.deliver(delivery(said("m-2", 1, "USER", user="bo", status="DELIVERED")), "evt-2")
    conversation = await seen.conversation()
    assert (conversation.waiting.needed, conversation.unread_customer_messages_count) == (False, 0)
    assert conversation.attention.reasons == ("TO_DO",)
    _, answer = await seen.messages()
    assert (answer.user_id, answer.status, answer.author) == (BO.user_id, MessageStatus.DELIVERED, MessageAuthor.USER)
    assert answer.delivered_at == answer.sent_at == START - timedelta(minutes=1)


async def test_answer_of_somebody_unknown_is_kept_without_a_user(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3), said("m-2", 1, "USER", user="nobody")))
    assert (await seen.messages())[1].user_id is None
    assert (await seen.conversation()).waiting.needed is False


async def test_answer_from_elsewhere_ends_the_lease_of_its_writer(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3)), "evt-1")
    await source.database.command(claim, BO, GlobalId("cnv", 1), lease_seconds=300)
    await source.deliver(delivery(said("m-2", 1, "USER", user="bo")), "evt-2")
    conversation = await seen.conversation()
    assert (conversation.assignee_id, conversation.claimed_until) == (BO.user_id, None)


async def test_answer_that_failed_elsewhere_leaves_the_customer_waiting(source: Source, seen: Seen) -> None:
    failed = said("m-2", 1, "USER", status="ERROR", error="Number unknown")
    await source.deliver(delivery(said("m-1", 3), failed))
    conversation = await seen.conversation()
    assert (conversation.waiting.needed, conversation.waiting.failed) == (True, True)
    assert "DELIVERY_FAILED" in conversation.attention.reasons
    message = (await seen.messages())[1]
    assert (message.status, message.latest_error_id) == (MessageStatus.ERROR, 1)


async def test_answer_that_the_customer_has_overtaken_answers_nothing(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 5), said("m-3", 1)), "evt-1")
    await source.deliver(delivery(said("m-2", 3, "USER")), "evt-2")
    conversation = await seen.conversation()
    assert conversation.waiting.unanswered == 2
    assert conversation.latest_message_id == (await seen.messages())[1].id


async def test_message_that_was_answered_before_it_arrived_asks_nothing(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 5), said("m-3", 1, "USER")), "evt-1")
    await source.deliver(delivery(said("m-2", 3)), "evt-2")
    conversation = await seen.conversation()
    assert (conversation.waiting.needed, conversation.unread_customer_messages_count) == (False, 0)


async def test_message_to_a_customer_who_never_wrote_asks_for_no_human(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3, "BOT")))
    conversation = await seen.conversation()
    assert (conversation.status, conversation.attention.level) == (Status.DONE, None)
    await source.deliver(delivery(said("m-2", 1)), "evt-2")
    assert (await seen.conversation()).status is Status.TO_DO


async def test_imported_history_enters_quietly(source: Source, seen: Seen) -> None:
    history = [said("m-1", 9), said("m-2", 8, "USER"), said("m-3", 7), said("m-4", 6, "BOT")]
    await source.deliver(delivery(*history, imported=True))
    conversation = await seen.conversation()
    assert (conversation.status, conversation.attention.level) == (Status.DONE, None)
    assert (conversation.waiting.needed, conversation.unread_customer_messages_count) == (False, 0)
    assert await seen.topics() == ["conversation.created", *["conversation.message_imported"] * 4]
    assert [each.message_key for each in await seen.messages()] == ["m-1", "m-2", "m-3", "m-4"]
    assert {each.bearing for each in await seen.messages()} == {None}
    assert conversation.last_message_at == START - timedelta(minutes=6)


async def test_message_of_the_future_counts_as_now(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", -60), said("m-2", -60, "USER")))
    assert [each.sent_at for each in await seen.messages()] == [START, START]


async def test_message_holds_files_by_reference(source: Source, seen: Seen) -> None:
    image = {"type": "image", "mime_type": "image/png", "public_download_url": "https://files.example.com/1.png"}
    await source.deliver(delivery({**said("m-1", 1), "text": None, "contents": [image]}))
    (message,) = await seen.messages()
    assert message.contents[0]["public_download_url"] == "https://files.example.com/1.png"


async def test_own_message_that_comes_back_is_passed_over(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3)), "evt-1")
    await source.database.command(send_message, BO, GlobalId("cnv", 1), {"type": "text", "content": "Here"})
    echo = {"id": await seen.ref(1), "author": "USER", "sent_at": at(0), "text": "Here"}
    await source.deliver(delivery(echo), "evt-2")
    assert len(await seen.messages()) == 2
    assert await parked(source) == []


async def test_messages_of_a_blocked_person_are_left_out(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3)), "evt-1")

    def block(work: Work) -> None:
        profile = create_profile(work, ADA, {"name": "Ana"})
        (customer,) = [each for each in map(work.use(CustomerRepository).get, (1,)) if each is not None]
        link_customer(work, ADA, f"cus_{customer.id}", f"prf_{profile.id}")
        block_profile(work, ADA, f"prf_{profile.id}")
        assert work.use(ProfileRepository).get(profile.id) is not None

    await source.database.command(block)
    await source.deliver(delivery(said("m-2", 1)), "evt-2")
    assert [each.message_key for each in await seen.messages()] == ["m-1"]
    assert await parked(source) == []


# ---- customers ----------------------------------------------------------------------------------------------------


async def test_customer_is_kept_up_to_date_by_what_is_given(source: Source) -> None:
    first = {**ANA, "phone_number": "+49 151 1234567", "email": "ana@example.com"}
    await source.deliver({"customer": first})
    await source.deliver({"customer": {"key": "c-17", "name": "Ana B.", "email": None}}, "evt-2")
    (customer,) = await customers(source.database)
    assert (customer.name, customer.phone_number, customer.email) == ("Ana B.", "+491511234567", None)
    assert [row[1] for row in await source.kept()] == ["DONE", "DONE"]


async def test_same_key_of_two_connections_is_two_customers(source: Source, clock: ManualClock) -> None:
    other = await connect(source.database, clock, "Other")
    await source.deliver(delivery(said("m-1", 3)))
    await other.deliver(delivery(said("m-1", 3)))
    found = await customers(source.database)
    assert [each.customer_key for each in found] == ["con_1:c-17", "con_2:c-17"]


async def test_customer_that_is_known_by_its_display_id_stays_as_it_is(source: Source, seen: Seen) -> None:
    known = NewCustomer(system="CONVERSATION", channel=Channel.BRIDGE, display_id="ana-1", name="Ana of ours")
    await source.database.command(create_customer, ADA, known)
    await source.deliver({**delivery(said("m-1", 3)), "customer": {**ANA, "display_id": "ana-1"}})
    (customer,) = await customers(source.database)
    assert customer.name == "Ana of ours"
    assert (await seen.conversation()).customer_id == customer.id


# ---- statuses and labels ------------------------------------------------------------------------------------------


async def test_status_is_reported_by_the_key_of_the_other_system(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3), said("m-2", 1, "USER")), "evt-1")
    await source.deliver(delivery(statuses=[{"key": "m-2", "status": "READ"}]), "evt-2")
    await source.deliver(delivery(statuses=[{"key": "m-2", "status": "DELIVERED"}]), "evt-3")
    assert (await seen.messages())[1].status is MessageStatus.READ


async def test_status_is_reported_by_our_id(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3)), "evt-1")
    await source.database.command(send_message, BO, GlobalId("cnv", 1), {"type": "text", "content": "Here"})
    failed = {"id": await seen.ref(1), "status": "ERROR", "error": "Number unknown"}
    await source.deliver(delivery(statuses=[failed]), "evt-2")
    assert (await seen.messages())[1].status is MessageStatus.ERROR
    assert (await seen.conversation()).waiting.failed


async def test_status_without_a_reason_says_so(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3), said("m-2", 1, "USER")), "evt-1")
    await source.deliver(delivery(statuses=[{"key": "m-2", "status": "ERROR"}]), "evt-2")
    assert (await seen.messages())[1].latest_error_id == 1


async def test_status_that_comes_before_its_message_waits_for_it(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3)), "evt-1")
    await source.deliver(delivery(statuses=[{"key": "m-2", "status": "READ"}]), "evt-2")
    assert (await source.kept())[1][1:] == (
        "PENDING",
        True,
        1,
        "statuses.0 is about a message that has not arrived.",
    )
    await source.deliver(delivery(said("m-2", 1, "USER")), "evt-3")
    source.clock.advance(5)
    await source.apply()
    assert (await seen.messages())[1].status is MessageStatus.READ


async def test_status_of_another_connections_message_is_parked(source: Source, clock: ManualClock, seen: Seen) -> None:
    other = await connect(source.database, clock, "Other")
    await other.deliver(delivery(said("m-1", 3)))
    await source.deliver(delivery(said("m-1", 3)), "evt-1")
    stolen = {"id": await seen.ref(0), "status": "READ"}
    await source.deliver(delivery(statuses=[stolen]), "evt-2")
    assert await parked(source) == ["statuses.0 names a message that is none of this customer's."]
    assert (await seen.messages())[0].status is MessageStatus.DELIVERED


async def test_delivery_names_no_message_of_another_customer(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3, "USER")), "evt-1")
    await source.deliver({"customer": {"key": "d-18"}, "messages": [said("m-2", 2)]}, "evt-2")
    (ours, _), there = await seen.messages(), {"customer": {"key": "d-18"}}
    ref = await seen.ref(0)
    await source.deliver({**there, "statuses": [{"id": ref, "status": "READ"}]}, "evt-3")
    await source.deliver({**there, "statuses": [{"key": "m-1", "status": "READ"}]}, "evt-4")
    await source.deliver({**there, "messages": [{"author": "USER", "sent_at": at(1), "id": ref}]}, "evt-5")
    assert await parked(source) == [
        f"{place} names a message that is none of this customer's."
        for place in ("statuses.0", "statuses.0", "messages.0")
    ]
    assert (await seen.messages())[0] == ours


async def test_labels_are_put_on_and_taken_off(source: Source, seen: Seen) -> None:
    await source.deliver(delivery(said("m-1", 3), labels={"add": ["vip", "de"]}), "evt-1")
    await source.deliver(delivery(labels={"add": ["gold"], "remove": ["de", "none"]}), "evt-2")
    assert (await seen.conversation()).labels == ("vip", "gold")


@pytest.mark.parametrize("more", [{"labels": {"add": ["vip"]}}, {"statuses": [{"key": "m-1", "status": "READ"}]}])
async def test_labels_and_statuses_wait_for_their_conversation(source: Source, more: dict[str, object]) -> None:
    await source.deliver({"customer": ANA, **more})
    assert (await source.kept())[0][1:] == (
        "PENDING",
        True,
        1,
        "There is no conversation with this customer yet.",
    )


# ---- what cannot be mapped ----------------------------------------------------------------------------------------

SECRET = "text that must not be repeated"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "The body is not JSON."),
        ("{", "The body is not JSON."),
        ("[]", "The body is not a JSON object."),
        ("{}", "INVALID_INPUT: customer is missing. (customer)"),
        ({"customer": SECRET}, "INVALID_INPUT: This is of a wrong type. (customer)"),
        ({"customer": {"name": SECRET}}, "INVALID_INPUT: key is missing. (customer.key)"),
        ({"customer": {"key": ""}}, "customer.key has to have 1 to 200 characters."),
        ({"customer": {"key": "k" * 201}}, "customer.key has to have 1 to 200 characters."),
        (
            {"customer": {"key": "k", "email": SECRET}},
            "INVALID_INPUT: This takes an e-mail address, such as ana@example.com. (customer.email)",
        ),
        (
            {"customer": {"key": "k", "name": 7}},
            "INVALID_INPUT: This contains control characters that cannot be stored. (customer.name)",
        ),
        (
            {"customer": {"key": "k", "name": "a\x00"}},
            "INVALID_INPUT: Text must not contain NUL characters. (customer.name)",
        ),
        (delivery({**said("m", 1), "author": SECRET}), "INVALID_INPUT: This is of a wrong type. (messages.0.author)"),
        (delivery({**said("m", 1), "sent_at": "today"}), None),
        (delivery({**said("m", 1), "key": None}), "messages.0 has neither key nor id."),
        (delivery({**said("m", 1), "text": None}), None),
        (delivery({**said("m", 1), "text": " "}), None),
        (delivery({**said("m", 1), "contents": [{"type": SECRET}]}), None),
        (delivery({**said("m" * 256, 1)}), None),
        (
            delivery(said("m", 1), {**said("n", 1), "id": "msg_99", "key": None}),
            "messages.1 names a message that is none of this customer's.",
        ),
        (delivery(*(said(f"m-{n}", 1) for n in range(101))), "messages holds more than 100 items."),
        (delivery(said("m", 1), statuses=[{"status": "READ"}]), "statuses.0 has neither key nor id."),
        (delivery(said("m", 1), statuses=[{"key": "m", "status": "LOST"}]), None),
        (delivery(said("m", 1), labels={"add": ["x" * 65]}), None),
        (delivery(said("m", 1), labels=["x"]), None),
    ],
)
async def test_delivery_that_cannot_be_mapped_is_parked_whole(
    source: Source, seen: Seen, body: Any, reason: str | None
) -> None:
    await source.deliver(body)
    (found,) = await parked(source)
    assert reason is None or found == reason
    assert SECRET not in found
    assert await seen.messages() == []
    assert await customers(source.database) == []


async def test_failed_deliveries_are_erased_with_their_customer(source: Source, clock: ManualClock) -> None:
    await source.deliver(delivery(said("m-1", 3)), "evt-1")
    await source.deliver({"customer": {"key": "d-18", "display_id": "dee"}}, "evt-2")
    broken = {**said("m-2", 2), "author": "NOBODY"}
    await source.deliver(delivery(broken), "evt-3")
    await source.deliver(delivery(statuses=[{"key": "m-9", "status": "READ"}]), "evt-4")
    await source.deliver({"customer": {"key": "d-18"}, "messages": [broken]}, "evt-5")
    await source.deliver({"customer": {"key": "of another key", "display_id": "dee"}, "messages": [broken]}, "evt-6")
    await source.deliver({"customer": ANA["key"], "messages": [broken]}, "evt-7")
    other = await connect(source.database, clock, "Other")
    await other.deliver(delivery(broken), "evt-8")
    await source.database.command(erase_customer, ADA, "cus_1")
    kept = [(row[0], row[1], row[2]) for row in await source.kept()]
    done, parked = ("DONE", False), ("PARKED", True)
    assert kept == [
        *((f"evt-{n}", *done) for n in (1, 2, 3, 4)),
        *((f"evt-{n}", *parked) for n in (5, 6, 7, 8)),
    ]
    await source.database.command(erase_customer, ADA, "cus_2")
    assert [row[0] for row in await source.kept() if row[1] == "PARKED"] == ["evt-7", "evt-8"]


async def test_delivery_that_waits_is_erased_with_its_customer(source: Source, clock: ManualClock, seen: Seen) -> None:
    await source.offer(delivery(said("m-1", 3)), "evt-1")
    await source.offer(delivery(said("m-2", 2)), "evt-2")
    (first, second) = await source.database.command(due_deliveries, source.id, 10)
    await source.database.command(apply_delivery, CONNECTORS, first)
    await source.offer({"customer": {"key": "x", "display_id": "dee"}, "messages": [said("m-3", 1)]}, "evt-3")
    other = await connect(source.database, clock, "Other")
    await other.offer(delivery(said("m-4", 1)), "evt-4")
    await source.database.command(erase_customer, ADA, "cus_1")
    assert [row[:3] for row in await source.kept()] == [
        ("evt-1", "DONE", False),
        ("evt-2", "DONE", False),
        ("evt-3", "PENDING", True),
        ("evt-4", "PENDING", True),
    ]
    assert await source.database.command(apply_delivery, CONNECTORS, second) is Outcome.GONE
    assert await source.offer(delivery(said("m-2", 2)), "evt-2") is Verdict.REPEATED
    await source.apply()
    assert [each.customer_key for each in await customers(source.database)] == ["con_1:x", "con_2:c-17"]
    # Who writes again after it is met again.
    await source.deliver(delivery(said("m-5", 0)), "evt-5")
    assert [each.customer_key for each in await customers(source.database)][-1] == "con_1:c-17"


# ---- setting up ---------------------------------------------------------------------------------------------------


async def test_connection_makes_a_channel_agent_of_its_own(source: Source) -> None:
    agent = await source.database.command(lambda work: work.use(ChannelAgentRepository).get(1))
    assert agent is not None
    assert (agent.channel, agent.display_id, agent.name) == ("BRIDGE", "con_1", "Shop")
    assert (await source.system()).settings == {"channelAgentId": "cha_1"}


async def test_connection_fills_the_channel_agent_that_it_is_given(source: Source, clock: ManualClock) -> None:
    def make(work: Work) -> str:
        from app.kinds.conversation.service import create_channel_agent

        new = {"channel": "WHATSAPP", "display_id": "4915200000000", "name": "WhatsApp"}
        return f"cha_{create_channel_agent(work, ADA, new).id}"

    agent = await source.database.command(make)
    other = await connect(source.database, clock, "Other", channelAgentId=agent)
    seen = Seen(source.database)
    await other.deliver(delivery(said("m-1", 60)))
    conversation = await seen.conversation()
    assert conversation.channel == "WHATSAPP"
    assert conversation.reply_until == START - timedelta(minutes=60) + timedelta(hours=24)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"channelAgentId": "cha_1"}, AlreadyExists),
        ({"channelAgentId": "cha_9"}, NotFound),
        ({"channelAgentId": "cus_1"}, InvalidInput),
        ({"channelAgentId": 1}, InvalidInput),
        ({"url": "https://example.com"}, InvalidInput),
    ],
)
async def test_connection_with_settings_that_do_not_fit_is_refused(
    source: Source, clock: ManualClock, given: dict[str, object], error: type[DomainError]
) -> None:
    with pytest.raises(error) as refused:
        await connect(source.database, clock, "Other", **given)
    assert refused.value.path == ("settings", next(iter(given)))
    assert await source.database.command(lambda work: work.use(ChannelAgentRepository).get(2)) is None
