"""Updating and deleting a conversation, as the contract's page and the shared rules say."""

import asyncio
from typing import Any

import pytest

from app.core.errors import AlreadyClaimed, Forbidden, InvalidInput, NotFound, VersionConflict
from app.interactions.model import Level, State
from app.kinds.conversation.model.conversation import Conversation, Status
from app.kinds.conversation.repository import ConversationRepository
from app.kinds.conversation.service.conversations import (
    ConversationChanges,
    conversation_ref,
    delete_conversation,
    update_conversation,
)
from app.kinds.conversation.service.opening import open_for
from app.storage.database import Database, Work
from tests.conftest import ManualClock
from tests.kinds.conftest import ADA, BO, CY, DEE
from tests.kinds.conversation.conftest import IVO, Desk, Told, ref, told

pytestmark = pytest.mark.anyio


@pytest.fixture
async def conversation(database: Database, desk: Desk) -> Conversation:
    return await database.command(open_for, BO, desk.ana, desk.whatsapp)


def stored(work: Work, number: int) -> Conversation | None:
    return work.use(ConversationRepository).load(number)


async def test_the_example_of_the_page(database: Database, clock: ManualClock, conversation: Conversation) -> None:
    clock.advance(60)
    changed = await database.command(
        update_conversation, BO, ref(conversation.id), {"status": Status.IN_PROGRESS, "user_id": CY.user_id}
    )
    assert changed.status is Status.IN_PROGRESS
    assert changed.assignee_id == CY.user_id
    assert changed.version == 2
    assert changed.updated_at == clock.now
    assert changed.attention.level is None
    assert await database.command(stored, conversation.id) == changed
    assert (await told(database))[2:] == [
        Told("conversation.updated", 2, 4, None),
        Told("attention.cleared", 2, 4, None),
    ]


@pytest.mark.parametrize(
    ("status", "state", "level"),
    [
        (Status.TO_DO, State.OPEN, Level.LOW),
        (Status.IN_PROGRESS, State.OPEN, None),
        (Status.DONE, State.CLOSED, None),
    ],
)
async def test_the_status_decides_state_and_attention(
    database: Database, conversation: Conversation, status: Status, state: State, level: Level | None
) -> None:
    changed = await database.command(update_conversation, BO, ref(conversation.id), {"status": status})
    assert (changed.status, changed.state, changed.attention.level) == (status, state, level)


async def test_an_absent_field_stays(database: Database, conversation: Conversation) -> None:
    await database.command(update_conversation, BO, ref(conversation.id), {"user_id": BO.user_id})
    changed = await database.command(update_conversation, BO, ref(conversation.id), {"status": Status.DONE})
    assert changed.assignee_id == BO.user_id
    cleared = await database.command(update_conversation, BO, ref(conversation.id), {"user_id": None})
    assert (cleared.assignee_id, cleared.status) == (None, Status.DONE)


@pytest.mark.parametrize("given", [{}, {"status": Status.TO_DO}, {"user_id": None}])
async def test_what_changes_nothing_tells_nothing(
    database: Database, conversation: Conversation, given: ConversationChanges
) -> None:
    before = await told(database)
    assert await database.command(update_conversation, BO, ref(conversation.id), given) == conversation
    assert await told(database) == before


async def unchanged(database: Database, before: Conversation, error: type[Exception], *args: Any, **kw: Any) -> Any:
    """Expect the refusal, and that it left no trace."""
    events = await told(database)
    with pytest.raises(error) as refused:
        await database.command(*args, **kw)
    assert await database.command(stored, before.id) == before
    assert await told(database) == events
    return refused.value


async def test_a_user_must_exist_and_be_active(database: Database, conversation: Conversation) -> None:
    for user_id in (999, IVO):
        given = {"status": Status.DONE, "user_id": user_id}
        refused = await unchanged(
            database, conversation, InvalidInput, update_conversation, BO, ref(conversation.id), given
        )
        assert refused.path == ("user_id",)


async def test_only_the_holder_or_an_admin_hands_on(database: Database, conversation: Conversation) -> None:
    held = await database.command(update_conversation, BO, ref(conversation.id), {"user_id": CY.user_id})
    for user_id in (BO.user_id, None):
        refused = await unchanged(
            database, held, AlreadyClaimed, update_conversation, BO, ref(held.id), {"user_id": user_id}
        )
        assert refused.claimed_by == CY.user_id
    handed = await database.command(update_conversation, ADA, ref(held.id), {"user_id": BO.user_id})
    assert handed.assignee_id == BO.user_id
    released = await database.command(update_conversation, BO, ref(held.id), {"user_id": None})
    assert released.assignee_id is None


async def test_an_old_version_is_refused(database: Database, conversation: Conversation) -> None:
    given: ConversationChanges = {"status": Status.DONE}
    refused = await unchanged(
        database,
        conversation,
        VersionConflict,
        update_conversation,
        BO,
        ref(conversation.id),
        given,
        if_version=2,
    )
    assert refused.current_version == 1
    changed = await database.command(update_conversation, BO, ref(conversation.id), given, if_version=1)
    assert changed.version == 2


async def test_permissions(database: Database, conversation: Conversation) -> None:
    given = {"status": Status.DONE}
    for command, args in ((update_conversation, (given,)), (delete_conversation, ())):
        await unchanged(database, conversation, Forbidden, command, CY, ref(conversation.id), *args)
        await unchanged(database, conversation, NotFound, command, DEE, ref(conversation.id), *args)
        await unchanged(database, conversation, NotFound, command, BO, ref(999), *args)


async def test_deleting_leaves_the_events_alone(database: Database, desk: Desk, conversation: Conversation) -> None:
    gone = await database.command(delete_conversation, BO, ref(conversation.id))
    assert gone == conversation
    assert await database.command(stored, conversation.id) is None
    assert (await told(database))[2:] == [
        Told("conversation.deleted", 2, 4, None),
        Told("attention.cleared", 2, 4, None),
    ]
    again = await database.command(open_for, BO, desk.ana, desk.whatsapp)
    assert (again.id, again.conversation_id) == (conversation.id + 1, 2)


async def test_the_key_of_the_contract_leads_to_the_id(database: Database, conversation: Conversation) -> None:
    assert await database.command(conversation_ref, CY, conversation.conversation_id) == ref(conversation.id)
    with pytest.raises(NotFound):
        await database.command(conversation_ref, CY, 999)
    with pytest.raises(NotFound):
        await database.command(conversation_ref, DEE, conversation.conversation_id)


async def test_changes_at_once_see_each_other(database: Database, conversation: Conversation) -> None:
    """Who waits for the lock goes on from what the one before has written, in both tables."""
    one = ref(conversation.id)
    for place, status in enumerate((Status.DONE, Status.TO_DO, Status.DONE)):
        user_id = (ADA.user_id, BO.user_id, None)[place]
        await asyncio.gather(
            database.command(update_conversation, ADA, one, {"status": status}),
            database.command(update_conversation, ADA, one, {"user_id": user_id}),
        )
        found = await database.command(stored, conversation.id)
        assert found is not None
        assert (found.status, found.assignee_id, found.version) == (status, user_id, 3 + 2 * place)
        assert found.state is (State.CLOSED if status is Status.DONE else State.OPEN)
        assert found.attention.level is (None if status is Status.DONE else Level.LOW)
