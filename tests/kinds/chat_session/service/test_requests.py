import asyncio

import pytest

from app.core.actor import Actor
from app.core.errors import DomainError, Forbidden, InvalidInput, KeyReused, NotFound, TooLong
from app.core.ids import GlobalId
from app.directory.model import User
from app.directory.repository import UserRepository
from app.interactions.messages import MessageAuthor
from app.interactions.model import Level, State
from app.interactions.service.holding import claim
from app.interactions.service.messages import receive_message, send_message
from app.kinds.chat_session.model.session import MASK, PREFIX, ChatSessionStatus
from app.kinds.chat_session.service.requests import digest, request_chat_session
from app.kinds.chat_session.service.sessions import mark_fetched, update_chat_session
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.kinds.chat_session.conftest import Desk, event_count, messages, request, stored, topics
from tests.kinds.conftest import ADA, BO, CY, DEE

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("topic", "status", "bot", "level"),
    [
        ("open", ChatSessionStatus.IN_QUEUE, False, Level.HIGH),
        ("form", ChatSessionStatus.PRE_CHAT_FORM, False, None),
        ("faq", ChatSessionStatus.FAQ, False, None),
        ("bot", ChatSessionStatus.IN_QUEUE, True, Level.HIGH),
    ],
)
async def test_the_topic_decides_how_a_chat_begins(
    database: Database, desk: Desk, topic: str, status: ChatSessionStatus, bot: bool, level: Level | None
) -> None:
    ref = await request(database, getattr(desk, topic))
    session = await stored(database, ref)
    assert (session.status, session.bot_active, session.attention.level) == (status, bot, level)
    assert session.state is State.OPEN
    assert session.when_requested == START
    assert (session.when_started, session.when_ended, session.when_idle, session.when_fetched) == (None,) * 4
    assert (session.rank, session.rank_user_id, session.initial_queue_pos) == (0, None, 1)
    told = await topics(database, ref)
    assert told == ["chat_session.requested"] + (["attention.raised"] if level else [])


async def test_a_request_keeps_what_the_customer_said(database: Database, desk: Desk) -> None:
    said = {
        "customer_alias": "accusamus",
        "customer_host": "voluptates",
        "customer_name": "Nolan-Lubowitz",
        "customer_email": "sophie@williamsonglover.uk",
        "customer_phone": "1-233-953-9004",
        "customer_company_name": "Bruen, Torp and Kautzer",
        "customer_consented": True,
        "person": {"person_id": 7, "full_name": "Ola Nordmann"},
        "ticket": {"ticket_id": 9, "title": "Broken", "base_status": "Open"},
    }
    opened = await database.command(request_chat_session, BO, desk.open, said, customer_id=desk.ana)
    session = await stored(database, GlobalId(PREFIX, opened.id))
    assert {name: getattr(session, name) for name in said} == said
    assert session.customer_id == desk.ana
    assert session.chat_session_id == 1


async def test_the_session_key_is_given_once_and_kept_as_a_digest(database: Database, desk: Desk) -> None:
    opened = await database.command(request_chat_session, BO, desk.open, {}, idempotency_key="once")
    assert opened.session_key is not None
    ref = GlobalId(PREFIX, opened.id)
    session = await stored(database, ref)
    assert session.session_key_digest == digest(opened.session_key) != opened.session_key
    again = await database.command(request_chat_session, BO, desk.open, {}, idempotency_key="once")
    assert (again.id, again.session_key) == (opened.id, None)
    with pytest.raises(KeyReused):
        await database.command(request_chat_session, BO, desk.sales, {}, idempotency_key="once")

    for ignored in (MASK, opened.session_key, None):
        assert await database.command(update_chat_session, BO, ref, {"session_key": ignored}) == session
    with pytest.raises(InvalidInput) as refused:
        await database.command(update_chat_session, BO, ref, {"session_key": "aliquam"})
    assert refused.value.path == ("session_key",)
    assert await stored(database, ref) == session


async def test_reading_by_the_customers_side_is_noted_and_is_no_edit(
    database: Database, clock: ManualClock, desk: Desk
) -> None:
    opened = await database.command(request_chat_session, BO, desk.open, {})
    ref = GlobalId(PREFIX, opened.id)
    clock.advance(5)
    fetched = await database.command(mark_fetched, BO, ref, session_key=opened.session_key)
    assert (fetched.when_fetched, fetched.version) == (clock.now, 1)
    assert await stored(database, ref) == fetched
    clock.advance(5)
    with pytest.raises(InvalidInput) as refused:
        await database.command(mark_fetched, BO, ref, session_key="aliquam")
    assert refused.value.path == ("session_key",)
    assert await stored(database, ref) == fetched


@pytest.mark.parametrize(
    ("given", "error", "path"),
    [
        ({"customer_alias": "a" * 65}, TooLong, ("customer_alias",)),
        ({"customer_phone": "1" * 33}, TooLong, ("customer_phone",)),
        ({"customer_name": "a\0"}, InvalidInput, ("customer_name",)),
        ({"contact": {"name": "A"}}, InvalidInput, ("contact", "contact_id")),
    ],
)
async def test_a_request_that_cannot_be_kept_leaves_nothing(
    database: Database, desk: Desk, given: dict[str, object], error: type[DomainError], path: tuple[str, ...]
) -> None:
    before = await event_count(database)
    with pytest.raises(error) as refused:
        await database.command(request_chat_session, BO, desk.open, given)
    assert refused.value.path == path
    assert await event_count(database) == before


async def test_a_request_needs_a_topic_a_customer_and_the_permission(database: Database, desk: Desk) -> None:
    with pytest.raises(NotFound) as no_topic:
        await database.command(request_chat_session, BO, 999, {})
    assert no_topic.value.path == ("topic_id",)
    with pytest.raises(NotFound) as no_customer:
        await database.command(request_chat_session, BO, desk.open, {}, customer_id=999)
    assert no_customer.value.path == ("customer_id",)
    for actor in (CY, DEE):
        with pytest.raises(Forbidden):
            await database.command(request_chat_session, actor, desk.open, {})
    assert await event_count(database) == 0


async def test_20_requests_at_once_have_20_places_and_20_numbers(database: Database, desk: Desk) -> None:
    refs = await asyncio.gather(*(request(database, desk.open) for _ in range(20)))
    sessions = [await stored(database, ref) for ref in refs]
    assert sorted(session.initial_queue_pos for session in sessions) == list(range(1, 21))
    assert sorted(session.chat_session_id for session in sessions) == list(range(1, 21))


async def test_a_place_counts_the_topics_queue_alone(database: Database, desk: Desk) -> None:
    await request(database, desk.open)
    await request(database, desk.form)
    places = [
        (await stored(database, await request(database, topic))).initial_queue_pos for topic in (desk.open, desk.form)
    ]
    assert places == [2, 1]


async def test_a_customers_first_message_opens_a_chat_and_later_ones_find_it(
    database: Database, clock: ManualClock, desk: Desk
) -> None:
    target = {"kind": "chat_session", "customer_id": desk.ana, "chat_topic_id": await surrogate(database, desk.open)}
    hello = [{"type": "text", "content": "Hello"}]
    first = await database.command(receive_message, BO, target, hello)
    ref = GlobalId(PREFIX, first.interaction)
    session = await stored(database, ref)
    assert session.status is ChatSessionStatus.IN_QUEUE
    assert (session.first_message, session.last_message, session.when_idle) == ("Hello", "Hello", START)
    clock.advance(60)
    second = await database.command(receive_message, BO, target, [{"type": "text", "content": "Anybody?"}])
    assert second.interaction == first.interaction
    session = await stored(database, ref)
    assert (session.first_message, session.last_message, session.when_idle) == ("Hello", "Anybody?", clock.now)
    assert session.unread_customer_messages_count == 2
    assert [(each.message_type, each.special_type, each.text) for each in await messages(database, ref)] == [
        ("TO_USER", "NONE", "Hello"),
        ("TO_USER", "NONE", "Anybody?"),
    ]


async def test_two_first_messages_at_once_open_one_chat(database: Database, desk: Desk) -> None:
    target = {"kind": "chat_session", "customer_id": desk.ana, "chat_topic_id": await surrogate(database, desk.open)}
    said = [[{"type": "text", "content": text}] for text in ("a", "b", "c")]
    found = await asyncio.gather(*(database.command(receive_message, BO, target, each) for each in said))
    assert len({each.interaction for each in found}) == 1


async def test_a_message_without_a_topic_opens_nothing(database: Database, desk: Desk) -> None:
    target = {"kind": "chat_session", "customer_id": desk.ana}
    with pytest.raises(InvalidInput) as refused:
        await database.command(receive_message, BO, target, [{"type": "text", "content": "Hello"}])
    assert refused.value.path == ("target", "customer", "chat_topic_id")
    assert await event_count(database) == 0


async def test_a_message_of_an_unknown_customer_opens_nothing(database: Database, desk: Desk) -> None:
    target = {"kind": "chat_session", "customer_id": 999, "chat_topic_id": await surrogate(database, desk.open)}
    with pytest.raises(NotFound) as refused:
        await database.command(receive_message, BO, target, [{"type": "text", "content": "Hello"}])
    assert refused.value.path == ("target", "customer", "customer_id")
    assert await event_count(database) == 0


async def test_a_bots_message_keeps_the_chat_off_the_queue(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.bot)
    said = {"type": "text", "content": "I am a bot."}
    await database.command(send_message, BO, ref, said, author=MessageAuthor.BOT)
    session = await stored(database, ref)
    assert (session.status, session.bot_active, session.assignee_id) == (ChatSessionStatus.USER_LAST, True, None)
    assert (session.attention.level, session.rank) == (None, 0)
    (message,) = await messages(database, ref)
    assert (message.message_type, message.special_type) == ("TO_CUSTOMER", "BOT_MESSAGE")
    await database.command(receive_message, BO, {"interaction": ref}, [{"type": "text", "content": "?"}])
    session = await stored(database, ref)
    assert (session.status, session.attention.level) == (ChatSessionStatus.CUSTOMER_LAST, None)


async def test_a_service_users_message_is_a_bots_whoever_has_the_chat(database: Database, desk: Desk) -> None:
    bot = await database.command(_install)
    ref = await request(database, desk.bot)
    said = {"type": "text", "content": "I am a bot."}
    await database.command(send_message, bot, ref, said)
    session = await stored(database, ref)
    assert (session.status, session.bot_active, session.assignee_id) == (ChatSessionStatus.USER_LAST, True, None)
    await database.command(claim, BO, ref)
    await database.command(send_message, bot, ref, said, override=True)
    assert [(each.author, each.special_type) for each in await messages(database, ref)] == [
        (MessageAuthor.BOT, "BOT_MESSAGE"),
        (MessageAuthor.BOT, "BOT_MESSAGE"),
    ]
    assert (await stored(database, ref)).assignee_id == BO.user_id


def _install(work: Work) -> Actor:
    user = User(id=0, name="Bot", login="bot", is_service=True, created_at=START, updated_at=START)
    added = work.use(UserRepository).add(user)
    return Actor(user_id=added.id, name="Bot", permissions=BO.permissions)


async def test_the_customers_side_reads_what_was_for_it(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.sales)
    await database.command(claim, BO, ref)
    await database.command(receive_message, BO, {"interaction": ref}, [{"type": "text", "content": "?"}])
    await database.command(send_message, BO, ref, {"type": "text", "content": "!"})
    assert [each.read_by_customer for each in await messages(database, ref)] == [False, None, False]
    await database.command(mark_fetched, BO, ref)
    assert [each.read_by_customer for each in await messages(database, ref)] == [True, None, True]


async def test_faq_no_leads_into_the_queue(database: Database, desk: Desk) -> None:
    ref = await request(database, desk.faq)
    session = await database.command(update_chat_session, ADA, ref, {"status": ChatSessionStatus.IN_QUEUE})
    assert session.status is ChatSessionStatus.IN_QUEUE
    assert session.attention.reasons == ("QUEUED",)


async def surrogate(database: Database, topic_id: int) -> int:
    from app.kinds.chat_session.repository import ChatTopicRepository

    topic = await database.command(lambda work: work.use(ChatTopicRepository).get_by_key(topic_id))
    assert topic is not None
    return topic.id
