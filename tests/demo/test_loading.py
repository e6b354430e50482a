from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.actor import Actor
from app.core.clock import rfc3339
from app.core.errors import AlreadyExists, Conflict
from app.demo.loading import Loaded, load
from app.directory.tables import app_user, customer
from app.interactions.model import Level, State
from app.interactions.tables import interaction, message
from app.kinds.agent_session.repository import AgentSessionRepository
from app.kinds.agent_session.service import Keys, update
from app.kinds.chat_session.model.session import ChatSession, ChatSessionStatus
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.kinds.conversation.tables import channel_agent, conversation
from app.kinds.session.model import ContentType, SuggestedMessage
from app.kinds.session.repository import SessionRepository
from app.kinds.session.service import open_for_customer
from app.registry import KINDS
from app.storage.database import Database, Work, open_database
from app.storage.event_log import event_log
from benchmarks.bulk.loading import load_bulk
from tests.conftest import START, CountingIds, ManualClock
from tests.demo.conftest import PATIENT
from tests.demo.structure import require_valid, rows

pytestmark = pytest.mark.anyio

ROOT = Actor(user_id=0, name="Root", is_admin=True)
MESSAGES = 237
EVENTS = 673


class Undone(Exception):
    """Raised at the end of a command that leaves nothing behind, for the next test to find what was loaded."""


@pytest.fixture(scope="module")
async def made(module_database_url: str) -> AsyncIterator[tuple[Database, Loaded]]:
    """The small demo, for all tests that leave it as it is; and what loading it said."""
    rules = {kind.name: kind.rules for kind in KINDS}
    database = await open_database(
        module_database_url, clock=ManualClock(), ids=CountingIds(), settings=PATIENT, kinds=rules
    )
    yield database, await load(database)
    await database.close()


@pytest.fixture
def loaded(made: tuple[Database, Loaded]) -> Database:
    return made[0]


async def test_no_text_has_a_place_left_to_fill(loaded: Database) -> None:
    texts = [row["text"] for row in await loaded.command(lambda work: rows(work, message))]

    assert [text for text in texts if text and "{" in text] == []


async def test_it_has_some_of_everything(made: tuple[Database, Loaded]) -> None:
    database, said = made

    assert said == Loaded(52, MESSAGES)
    found = await database.command(lambda work: rows(work, interaction))
    assert Counter((row["kind"], row["state"]) for row in found) == {
        ("session", "OPEN"): 7,
        ("session", "CLOSED"): 5,
        ("agent_session", "OPEN"): 7,
        ("agent_session", "CLOSED"): 5,
        ("chat_session", "OPEN"): 7,
        ("chat_session", "CLOSED"): 7,
        ("conversation", "OPEN"): 8,
        ("conversation", "SNOOZED"): 2,
        ("conversation", "CLOSED"): 4,
    }
    assert Counter(row["attention_reason"] for row in found if row["attention_reason"]) == {
        "FLAGGED": 5,
        "ESCALATED": 2,
        "RAISED": 1,
        "ALERT": 1,
        "QUEUED": 3,
        "TRANSFER": 1,
        "REPLY_WINDOW": 1,
        "CUSTOMER_WAITING": 4,
        "DELIVERY_FAILED": 1,
    }
    assert sum(row["claimed_until"] is not None for row in found) == 2
    assert sum(row["acknowledged_by"] is not None for row in found) == 1


async def test_it_is_as_commands_made_it(loaded: Database) -> None:
    await loaded.command(require_valid)


async def test_its_history_is_spread_over_six_days_and_in_order(loaded: Database) -> None:
    times = await loaded.command(lambda work: [(row["lane"], row["at"]) for row in rows(work, event_log)])
    assert len(times) == EVENTS
    assert times == sorted(times)
    assert (min(at for _, at in times), max(at for _, at in times)) == (START - timedelta(days=6), START)


async def test_loading_it_twice_changes_nothing(loaded: Database) -> None:
    for force in (False, True):
        assert await load(loaded, force=force) == Loaded(0, 0, was_there=True)

    def count(work: Work) -> list[int]:
        of = sa.select(sa.func.count())
        return [work.connection.execute(of.select_from(one)).scalar_one() for one in (interaction, message, event_log)]

    assert await loaded.command(count) == [52, MESSAGES, EVENTS]


async def test_it_is_only_added_to_other_interactions_by_force(database: Database) -> None:
    await load_bulk(database, 4)
    with pytest.raises(Conflict, match="--force"):
        await load(database)
    assert len(await database.command(lambda work: rows(work, interaction))) == 4

    assert await load(database, force=True) == Loaded(52, MESSAGES)


async def test_nothing_of_it_stays_when_a_part_fails(database: Database) -> None:
    def take_login(work: Work) -> None:
        values = {"name": "T", "login": "tony", "login_key": "tony", "roles": [], "permissions": [], "version": 1}
        flags = {"type": "UNKNOWN", "active": True, "present": False, "is_service": False}
        work.connection.execute(sa.insert(app_user).values(created_at=work.now, updated_at=work.now, **values, **flags))

    await database.command(take_login)
    with pytest.raises(AlreadyExists):
        await load(database)

    assert await database.command(lambda work: rows(work, customer)) == []
    assert await database.command(lambda work: rows(work, event_log)) == []


async def test_its_users_have_different_permissions(loaded: Database) -> None:
    users = {row["login"]: set(row["permissions"]) for row in await loaded.command(lambda work: rows(work, app_user))}
    assert set(users) == {"ingrid", "tony", "femi", "rosa", "quinn", "nadia", "gateway", "wallboard"}
    assert all(permission.endswith(":read") for permission in users["quinn"])
    assert users["tony"] - users["nadia"] == {"chat_session:read", "chat_session:write"}
    managing = users["ingrid"] - users["tony"]
    assert managing >= {"users:manage", "reports:read", "settings:read"}
    assert all(each.endswith(":manage") for each in managing - {"reports:read", "settings:read"})


async def test_one_person_is_in_all_four_systems(loaded: Database) -> None:
    def kinds_of_maya(work: Work) -> set[tuple[int, str]]:
        of = sa.select(customer.c.profile_id, interaction.c.kind).join(
            customer, customer.c.id == interaction.c.customer_id
        )
        return {(row[0], row[1]) for row in work.connection.execute(of.where(customer.c.name == "Maya Okonkwo"))}

    found = await loaded.command(kinds_of_maya)
    assert {kind for _, kind in found} == {"session", "agent_session", "chat_session", "conversation"}
    assert len({profile for profile, _ in found}) == 1


async def test_the_page_that_updates_a_session(loaded: Database) -> None:
    updated = START - timedelta(minutes=12)
    created = updated - timedelta(minutes=27, seconds=6, milliseconds=881)

    def read(work: Work) -> None:
        sessions = work.use(SessionRepository)
        found = sessions.find(session_key="7cb0a876-5d34-4e03-b725-932606041626")
        assert found is not None
        assert (found.need_attention, found.tags, found.topics) == (True, ("detox",), ("product",))
        assert (found.created_at, found.updated_at) == (created, updated)
        assert found.attention.level is Level.HIGH
        (suggestion,) = sessions.suggestions(found.id)
        assert suggestion == SuggestedMessage(
            id=suggestion.id,
            suggestion_key="4891b7bb-1985-48f4-9a03-1e573041bd8a",
            remote_id="26ae9dea-cd8b-449b-bbb1-cdedf3216686",
            content="What can I do to help?",
            content_type=ContentType.TEXT,
        )
        (said,) = [row for row in rows(work, message) if row["interaction_id"] == found.id]
        assert said["message_key"] == "4bada73e-14f2-4306-9752-51b4008251a4"
        assert said["contents"] == [{"type": "text", "content": "Need help?"}]
        assert said["author"] == "USER"
        assert said["sent_at"] == created + timedelta(milliseconds=12)
        assert said["created_at"] == created + timedelta(milliseconds=14)
        assert _customer_key(work, found.customer_id) == "d78c6a9e-ff0a-4fd6-b1cc-d2a31cc002d5"
        # It is its customer's current one, so the page's request can be made again.
        assert open_for_customer(work, ROOT, found.customer_id or 0) == found

    await loaded.command(read)


async def test_the_page_about_sessions(loaded: Database) -> None:
    def read(work: Work) -> None:
        found = work.use(SessionRepository).find(session_key="10125e23-3ad9-46bc-a4c1-e1e8e1a79d16")
        assert found is not None
        assert (found.need_attention, found.tags, found.topics) == (True, ("mobile",), ("sleep", "skin+hair"))
        assert found.updated_at == START - timedelta(minutes=40)
        span = datetime(2017, 4, 21, 18, 10, 51, 475000) - datetime(2017, 4, 21, 14, 38, 59, 691000)  # noqa: DTZ001
        assert found.updated_at - found.created_at == span
        assert _customer_key(work, found.customer_id) == "fffd7e80-1691-41f5-8946-9deeaf0b8640"

    await loaded.command(read)


async def test_the_page_about_agent_sessions_can_be_followed(loaded: Database) -> None:
    keys = Keys("agt_customer_support", "ase_customer_support_001")

    def read_and_escalate(work: Work) -> None:
        number = work.use(AgentSessionRepository).id_by_keys(*keys)
        assert number is not None
        found = work.use(AgentSessionRepository).load(number)
        assert found is not None
        assert (found.enabled, found.state, found.attention.level) == (True, State.OPEN, None)
        assert found.created_at == START - timedelta(hours=5)
        assert _customer_key(work, found.customer_id) == "customer_12345"
        metadata = {"customer_id": "customer_12345", "priority": "urgent", "escalation_level": "tier_2"}
        after = update(work, ROOT, keys, {"metadata": metadata, "enabled": True})
        assert after.attention.level is Level.URGENT
        raise Undone

    with pytest.raises(Undone):
        await loaded.command(read_and_escalate)


_CHAT_446 = {
    "customer_alias": "accusamus",
    "customer_host": "voluptates",
    "customer_name": "Nolan-Lubowitz",
    "customer_email": "sophie@williamsonglover.uk",
    "customer_phone": "1-233-953-9004",
    "customer_consented": False,
    "customer_company_name": "Bruen, Torp and Kautzer",
    "first_message": "consectetur",
    "last_message": "vero",
    "when_requested": "2018-11-21T15:32:47.149278Z",
    "when_started": "2002-01-24T15:32:47.149278Z",
    "when_ended": "2016-05-08T14:32:47.149278Z",
    "when_idle": "2024-03-22T15:32:47.149278Z",
    "when_fetched": "2009-08-21T14:32:47.149278Z",
    "initial_queue_pos": 161,
    "alert_level": 504,
    "rank": 992,
    "rating": 751,
}
_CHAT_807 = {
    "customer_alias": "tenetur",
    "customer_host": "qui",
    "customer_name": "Streich, Renner and Moore",
    "customer_email": "araceli@deckow.biz",
    "customer_phone": "435.238.3167 x18203",
    "customer_consented": False,
    "customer_company_name": "Hamill-Veum",
    "first_message": "id",
    "last_message": "corrupti",
    "when_requested": "2019-05-24T14:32:47.149278Z",
    "when_started": "2020-05-19T14:32:47.149278Z",
    "when_ended": "2018-12-28T15:32:47.149278Z",
    "when_idle": "2008-01-28T15:32:47.149278Z",
    "when_fetched": "2016-07-05T14:32:47.149278Z",
    "initial_queue_pos": 156,
    "alert_level": 478,
    "rank": 772,
    "rating": 96,
}


@pytest.mark.parametrize(("number", "topic_id", "fields"), [(446, 918, _CHAT_446), (807, 978, _CHAT_807)])
async def test_the_samples_of_the_chat_page(
    loaded: Database, number: int, topic_id: int, fields: dict[str, Any]
) -> None:
    def read(work: Work) -> None:
        chats = work.use(ChatSessionRepository)
        chat = chats.load(chats.id_of_key(number) or 0)
        assert isinstance(chat, ChatSession)
        found = {name: getattr(chat, name) for name in fields}
        shown = {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in found.items()}
        assert shown == fields
        assert chat.status is ChatSessionStatus.CLOSED
        references = (chat.assignee_id, chat.person, chat.contact, chat.project, chat.sale, chat.ticket)
        assert (*references, chat.transfer_to_id) == (None,) * 7
        assert (chat.customer_is_typing, chat.user_is_typing, chat.bot_active) == (False, False, False)
        topic = work.use(ChatTopicRepository).get(chat.topic_id)
        assert topic is not None
        assert topic.topic_id == topic_id

    await loaded.command(read)


async def test_conversations_are_on_all_three_channels(loaded: Database) -> None:
    found = await loaded.command(lambda work: Counter(row["channel"] for row in rows(work, conversation)))
    assert found == {"WHATSAPP": 5, "WIDGET": 5, "BRIDGE": 4}
    agents = await loaded.command(lambda work: [row["display_id"] for row in rows(work, channel_agent)])
    assert agents == ["4915223567929", "shop-widget", "bridge-1"]


def _customer_key(work: Work, number: int | None) -> str:
    of = sa.select(customer.c.customer_key).where(customer.c.id == number)
    return str(work.connection.execute(of).scalar_one())
