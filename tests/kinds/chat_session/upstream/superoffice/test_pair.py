"""What happens on one side of a connection to SuperOffice, and is seen on the other."""

from datetime import timedelta
from typing import Any

import pytest

from app.connections.service import reachable, update_connection
from app.connections.tables import dirty
from app.core.errors import NotSupported
from app.core.ids import GlobalId
from app.directory.repository import UserRepository
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.model import State
from app.interactions.service.holding import claim, release
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.state import close, reopen
from app.kinds.chat_session.model.session import ChatSessionChanges
from app.kinds.chat_session.model.session import ChatSessionStatus as S
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.chat_session.service.queue import pick_up_chat_session, reset_chat_session
from app.kinds.chat_session.service.sessions import delete_chat_session, mark_fetched, update_chat_session
from app.kinds.chat_session.service.transfers import accept_chat_transfer, transfer_chat_session
from app.registry import CONNECTORS
from app.storage.database import Work
from tests.connections.conftest import ADA
from tests.kinds.chat_session.conftest import EVE
from tests.kinds.chat_session.upstream.superoffice.conftest import Pair
from tests.kinds.conftest import BO

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

CHAT = GlobalId("chs", 1)


async def test_chat_is_read_with_its_messages(pair: Pair) -> None:
    ref = await pair.requested(person={"person_id": 7, "full_name": "Ana B"})
    await pair.hears(ref, "Hello?")
    await pair.sync()
    here = await pair.here()
    assert (here.status, here.state, here.customer_name) == (S.IN_QUEUE, State.OPEN, "Ana")
    assert here.attention.reasons == ("QUEUED", "CUSTOMER_WAITING")
    assert (here.person, here.customer_id) == ({"person_id": 7, "full_name": "Ana B"}, 1)
    (only,) = await pair.messages()
    assert (only.text, only.author, only.message_key, only.author_name) == (
        "Hello?",
        MessageAuthor.CUSTOMER,
        "1",
        "Ana",
    )
    topic = await pair.database.command(lambda work: work.use(ChatTopicRepository).get(here.topic_id))
    assert topic is not None
    assert (topic.name, topic.upstream_key) == ("Open", f"con_{pair.connection}:{pair.desk.open}")


async def test_chat_that_is_read_again_changes_nothing(pair: Pair) -> None:
    ref = await pair.requested()
    await pair.hears(ref, "Hello?")
    await pair.sync()
    before, reads = await pair.here(), len(pair.reach.reads)
    await pair.sync(3)
    assert (await pair.here(), len(pair.reach.reads) - reads) == (before, 3)
    await pair.later(61)
    assert (await pair.here(), await pair.texts(), len(pair.reach.reads) - reads) == (before, ["Hello?"], 6)


async def test_answer_is_sent_by_the_user_and_adopted(pair: Pair) -> None:
    ref = await pair.requested()
    await pair.hears(ref, "Hello?")
    await pair.sync()
    number = await pair.says("Yes?")
    await pair.work()
    assert pair.reach.writes == ["bo POST /v1/ChatSession/1/Messages"]
    assert await pair.texts(there=True) == ["Hello?", "Yes?"]
    (_, sent), there = await pair.messages(), await pair.there()
    assert (sent.id, sent.message_key, sent.status) == (number, "2", MessageStatus.SENT)
    assert (there.status, there.assignee_id) == (S.USER_LAST, BO.user_id)
    await pair.sync(2)
    here = await pair.here()
    assert (here.status, here.assignee_id, here.waiting.needed) == (S.USER_LAST, BO.user_id, False)
    assert (await pair.texts(), await pair.queue()) == (["Hello?", "Yes?"], [])
    await pair.twin.database.command(mark_fetched, BO, CHAT)
    await pair.later(61)
    assert [each.read_by_customer for each in await pair.messages()] == [None, True]


async def test_chat_is_picked_up_and_handed_back_there(pair: Pair) -> None:
    ref = await pair.requested()
    await pair.hears(ref, "Hello?")
    await pair.sync()
    run = pair.database.command
    await run(pick_up_chat_session, BO, CHAT)
    assert await pair.queue() == [("PICK_UP", "WAITING")]
    await pair.work()
    there = await pair.there()
    assert (there.assignee_id, there.status) == (BO.user_id, S.CUSTOMER_LAST)
    await run(release, BO, CHAT)
    await pair.work()
    there = await pair.there()
    assert (there.assignee_id, there.status) == (None, S.IN_QUEUE)
    await run(claim, BO, CHAT)
    await run(reset_chat_session, BO, CHAT)
    assert await pair.queue() == [("PICK_UP", "WAITING"), ("RESET", "WAITING")]
    await pair.work()
    before = await pair.here()
    await pair.sync(2)
    assert (await pair.here(), before.status, await pair.queue()) == (before, S.IN_QUEUE, [])


async def test_chat_is_transferred_and_accepted_there(pair: Pair) -> None:
    for database in (pair.database, pair.twin.database):
        await database.command(_present, ADA.user_id)
    await pair.requested()
    await pair.sync()
    run = pair.database.command
    await run(pick_up_chat_session, BO, CHAT)
    await run(transfer_chat_session, BO, CHAT, ADA.user_id)
    await pair.work()
    assert (await pair.there()).transfer_to_id == ADA.user_id
    await run(accept_chat_transfer, ADA, CHAT)
    await pair.work()
    there = await pair.there()
    assert (there.assignee_id, there.transfer_to_id) == (ADA.user_id, None)
    assert [each.split("/")[-1] for each in pair.reach.writes] == ["Pickup", "ada", "AcceptTransfer"]
    await pair.sync(2)
    here = await pair.here()
    assert (here.assignee_id, here.transfer_to_id, await pair.queue()) == (ADA.user_id, None, [])


async def test_status_and_fields_are_set_there(pair: Pair) -> None:
    ref = await pair.requested()
    await pair.hears(ref, "Hello?")
    await pair.sync()
    run = pair.database.command
    acme = {"contact_id": 4, "name": "Acme"}
    changes = ChatSessionChanges(customer_email="ana@example.com", alert_level=3, contact=acme)
    await run(update_chat_session, BO, CHAT, changes)
    await pair.says("Yes?")
    await pair.work()
    there = await pair.there()
    assert (there.customer_email, there.alert_level, there.contact) == ("ana@example.com", 3, acme)
    await run(close, BO, CHAT)
    await pair.work()
    assert (await pair.there()).status is S.CLOSED
    await run(reopen, BO, CHAT)
    await pair.work()
    assert (await pair.there()).status is S.USER_LAST
    await pair.sync()
    await pair.later(1)
    assert ((await pair.here()).status, await pair.queue()) == (S.USER_LAST, [])
    # The twin's notice of who closed it came along; ours is not written beside it.
    assert (await pair.texts())[2:] == ["Ada closed the chat."]


async def test_changes_there_are_seen_here(pair: Pair) -> None:
    ref = await pair.requested(pair.desk.sales)
    await pair.sync()
    run = pair.twin.database.command
    await run(pick_up_chat_session, BO, ref)
    await run(send_message, BO, ref, {"type": "text", "content": "Welcome back"})
    await run(transfer_chat_session, BO, ref, EVE.user_id)
    await pair.later(61)
    here = await pair.here()
    assert (here.assignee_id, here.status, here.transfer_to_id) == (BO.user_id, S.USER_LAST, None)
    first, second = await pair.messages()
    assert [(each.author, each.text, each.user_id) for each in (first, second)] == [
        (MessageAuthor.SYSTEM, "Welcome to sales!", None),
        (MessageAuthor.USER, "Welcome back", BO.user_id),
    ]
    await run(close, BO, ref)
    pair.clock.advance(1)
    await pair.sync()  # it has left the list of what goes on
    assert ((await pair.here()).status, (await pair.here()).state) == (S.CLOSED, State.CLOSED)


async def test_chat_in_which_nothing_happens_is_read_again_later_and_later(pair: Pair) -> None:
    await pair.requested(pair.desk.sales)
    await pair.sync()
    waits = []
    for idle in (0, 20, 400):
        pair.clock.advance(idle * 60)
        await pair.work()
        (again,) = await pair.database.command(_marks)
        waits.append((again.due_at - pair.clock.now, again.quiet))
    minutes = [timedelta(minutes=each) for each in (1, 5, 60)]
    assert waits == list(zip(minutes, (False, True, True), strict=True))


def _marks(work: Work) -> Any:
    return work.connection.execute(dirty.select()).all()


async def test_chat_is_deleted_there(pair: Pair) -> None:
    await pair.requested()
    await pair.sync()
    await pair.database.command(delete_chat_session, BO, CHAT)
    await pair.work()
    assert ((await pair.there()).status, await pair.queue()) == (S.DELETED, [])


async def test_command_that_needs_a_credential_of_the_user_is_refused_without_any(pair: Pair) -> None:
    await pair.requested()
    await pair.sync()
    await pair.database.command(_without_users, pair.connection)
    before = await pair.here()
    with pytest.raises(NotSupported):
        await pair.database.command(claim, BO, CHAT)
    with pytest.raises(NotSupported):
        await pair.database.command(receive_message, BO, {"interaction": CHAT}, [{"type": "text", "content": "Hi"}])
    # Nor is it what waits first, for it would stand in the way of those that can be picked up.
    assert await pair.database.command(pick_up_chat_session, BO) is None
    assert (await pair.here(), await pair.queue()) == (before, [])


def _without_users(work: Work, connection: int) -> None:
    update_connection(work, ADA, CONNECTORS, f"con_{connection}", credential="token")
    reachable(work, CONNECTORS)


def _present(work: Work, user_id: int) -> None:
    users = work.use(UserRepository)
    user = users.get(user_id)
    assert user is not None
    users.set_presence(user, present=True, at=work.now)
