import pytest

from app.core.errors import AlreadyExists, Conflict, Forbidden, InvalidInput, NotFound
from app.core.ids import GlobalId
from app.kinds.chat_session.model.topic import ChatInitialStatus, ChatTopic, MemberRights
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.chat_session.service.topics import (
    add_chat_topic_member,
    create_chat_topic,
    delete_chat_topic,
    remove_chat_topic_member,
    update_chat_topic,
    update_chat_topic_member,
)
from app.storage.database import Database
from tests.conftest import START, ManualClock
from tests.kinds.chat_session.conftest import EVE, Desk, event_count, request, stored
from tests.kinds.conftest import ADA, BO, CY

pytestmark = pytest.mark.anyio


def ref(topic: ChatTopic) -> GlobalId:
    return GlobalId("top", topic.id)


async def test_a_topic_is_made_changed_and_deleted(database: Database, clock: ManualClock, desk: Desk) -> None:
    hours = [{"day": "MONDAY", "opens": "08:00", "closes": "16:00"}]
    made = await database.command(
        create_chat_topic,
        BO,
        {
            "topic_id": 918,
            "name": "Support",
            "welcome_message": "Hi",
            "language": "en",
            "bot_enabled": True,
            "initial_status": ChatInitialStatus.FAQ,
            "opening_hours": hours,
            "time_zone": "Europe/Oslo",
            "ticket_enabled": True,
            "ticket_category_id": 4,
        },
    )
    assert made == ChatTopic(
        id=made.id,
        topic_id=918,
        name="Support",
        welcome_message="Hi",
        language="en",
        bot_enabled=True,
        initial_status=ChatInitialStatus.FAQ,
        opening_hours=tuple(hours),
        time_zone="Europe/Oslo",
        ticket_enabled=True,
        ticket_category_id=4,
        created_at=START,
        updated_at=START,
    )
    clock.advance(60)
    changed = await database.command(
        update_chat_topic, BO, ref(made), {"name": "Help", "welcome_message": None, "opening_hours": []}
    )
    assert (changed.name, changed.welcome_message, changed.opening_hours) == ("Help", None, ())
    assert (changed.language, changed.updated_at) == ("en", clock.now)
    assert await database.command(delete_chat_topic, BO, ref(made)) == ref(made)
    assert await database.command(lambda work: work.use(ChatTopicRepository).get(made.id)) is None
    assert await event_count(database) == 3


async def test_a_number_is_given_out_once(database: Database, desk: Desk) -> None:
    first = await database.command(create_chat_topic, BO, {"name": "A", "topic_id": 978})
    with pytest.raises(AlreadyExists) as taken:
        await database.command(create_chat_topic, BO, {"name": "B", "topic_id": 978})
    assert taken.value.path == ("topic_id",)
    assert (await database.command(create_chat_topic, BO, {"name": "B"})).topic_id == 979
    await database.command(delete_chat_topic, BO, ref(first))
    assert (await database.command(create_chat_topic, BO, {"name": "C"})).topic_id == 980


async def test_a_creation_is_repeated_by_its_key(database: Database, desk: Desk) -> None:
    first = await database.command(create_chat_topic, BO, {"name": "A"}, idempotency_key="k")
    assert await database.command(create_chat_topic, BO, {"name": "A"}, idempotency_key="k") == first


async def test_a_topic_needs_its_name_and_a_manager_the_permission(database: Database, desk: Desk) -> None:
    with pytest.raises(InvalidInput) as nameless:
        await database.command(create_chat_topic, BO, {"description": "d"})
    assert nameless.value.path == ("name",)
    with pytest.raises(Forbidden):
        await database.command(create_chat_topic, CY, {"name": "A"})
    made = await database.command(create_chat_topic, BO, {"name": "A"})
    with pytest.raises(InvalidInput) as cleared:
        await database.command(update_chat_topic, BO, ref(made), {"bot_enabled": None})  # type: ignore[typeddict-item]
    assert cleared.value.path == ("bot_enabled",)
    with pytest.raises(Forbidden):
        await database.command(update_chat_topic, CY, ref(made), {"name": "B"})
    with pytest.raises(NotFound):
        await database.command(update_chat_topic, BO, GlobalId("top", 999), {"name": "B"})
    assert await event_count(database) == 1


async def test_a_topic_with_managers_is_theirs_and_the_admins(database: Database, desk: Desk) -> None:
    made = await database.command(create_chat_topic, BO, {"name": "A"})
    await database.command(add_chat_topic_member, BO, ref(made), EVE.user_id, {"can_manage": True})
    with pytest.raises(Forbidden):
        await database.command(update_chat_topic, BO, ref(made), {"name": "B"})
    assert (await database.command(update_chat_topic, EVE, ref(made), {"name": "B"})).name == "B"
    assert (await database.command(update_chat_topic, ADA, ref(made), {"name": "C"})).name == "C"


async def test_a_topic_with_chats_has_to_stay(database: Database, desk: Desk) -> None:
    made = await database.command(create_chat_topic, BO, {"name": "A"})
    await request(database, made.topic_id)
    with pytest.raises(Conflict):
        await database.command(delete_chat_topic, BO, ref(made))


async def test_members_decide_who_responds(database: Database, desk: Desk) -> None:
    made = await database.command(create_chat_topic, BO, {"name": "A"})
    chat = await request(database, made.topic_id)
    member = await database.command(add_chat_topic_member, BO, ref(made), EVE.user_id, {"can_respond": True})
    assert (member.can_respond, member.can_listen, member.can_manage, member.can_notify) == (True, False, False, False)
    assert (await stored(database, chat)).responders == (EVE.user_id,)
    with pytest.raises(AlreadyExists) as again:
        await database.command(add_chat_topic_member, BO, ref(made), EVE.user_id, {})
    assert again.value.path == ("user_id",)
    with pytest.raises(NotFound) as unknown:
        await database.command(add_chat_topic_member, BO, ref(made), 999, {})
    assert unknown.value.path == ("user_id",)

    rights: MemberRights = {"can_respond": False, "can_notify": True}
    changed = await database.command(update_chat_topic_member, BO, GlobalId("tpm", member.id), rights)
    assert (changed.can_respond, changed.can_notify) == (False, True)
    assert (await stored(database, chat)).responders == ()
    gone = await database.command(remove_chat_topic_member, BO, GlobalId("tpm", member.id))
    assert gone == GlobalId("tpm", member.id)
    with pytest.raises(NotFound):
        await database.command(remove_chat_topic_member, BO, GlobalId("tpm", member.id))
