"""Messages from the past are stored together as they would be one by one, for fewer statements."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.errors import InvalidInput
from app.core.ids import GlobalId
from app.interactions.contents import LONGEST_TEXT
from app.interactions.messages import Message, MessageAuthor, MessageError, MessageStatus
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import load
from app.interactions.service.messages import opened
from app.interactions.service.recorded import Elsewhere, record_history, record_message
from app.interactions.service.state import close
from app.interactions.tables import message
from app.kinds.conversation.model.conversation import NAME, PREFIX, Conversation
from app.storage.database import Database, Work
from app.storage.event_log import event_log
from tests.conftest import START
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import Desk, receive, stored

pytestmark = pytest.mark.anyio

AUTHORS = (MessageAuthor.CUSTOMER, MessageAuthor.USER, MessageAuthor.SYSTEM)
STATUSES = (MessageStatus.READ, MessageStatus.DELIVERED, MessageStatus.SENT, MessageStatus.ERROR)

Given = Sequence[tuple[Sequence[dict[str, str]], Elsewhere]]


def exchange(count: int, prefix: str = "") -> Given:
    """So many messages of everybody, the third of which is older than the one before it."""
    found = []
    for number in range(count):
        author, status = AUTHORS[number % 3], STATUSES[number % 4]
        minutes = number if number != 2 else 0
        fault = MessageError(original_message="Unknown number") if status is MessageStatus.ERROR else None
        elsewhere = Elsewhere(
            key=f"{prefix}{number}",
            author=author,
            sent_at=START - timedelta(days=1) + timedelta(minutes=minutes),
            status=status,
            user_id=BO.user_id if author is MessageAuthor.USER else None,
            error=fault,
        )
        found.append(([{"type": "text", "content": f"Message {number}"}], elsewhere))
    return found


def together(work: Work, number: int, given: Given) -> None:
    record_history(work, BO, load(work, BO, GlobalId(PREFIX, number)), given)


def one_by_one(work: Work, number: int, given: Given) -> None:
    for contents, each in given:
        record_message(work, BO, {"interaction": GlobalId(PREFIX, number)}, contents, each, imported=True)


async def messages(database: Database, number: int) -> list[Message]:
    """The messages of a conversation in the order of their arrival, without their own numbers."""

    def read(work: Work) -> list[Message]:
        mine = sa.select(message.c.id).where(message.c.interaction_id == number).order_by(message.c.id)
        found = [work.use(MessageRepository).get(each) for each in work.connection.execute(mine).scalars()]
        return [
            replace(each, id=0, interaction_id=0, channel_key="", latest_error_id=each.latest_error_id and 1)
            for each in found
            if each is not None
        ]

    return await database.command(read)


async def places(database: Database, number: int) -> tuple[int | None, int | None]:
    """How many messages of the conversation came before its latest one, and before the customer's latest one."""
    here = await stored(database, number)

    def count(work: Work) -> Any:
        mine = sa.select(message.c.id).where(message.c.interaction_id == number).order_by(message.c.id)
        numbers = list(work.connection.execute(mine).scalars())
        of = (here.latest_message_id, here.latest_customer_message_id)
        return tuple(None if each is None else numbers.index(each) for each in of)

    found: tuple[int | None, int | None] = await database.command(count)
    return found


async def events(database: Database, number: int) -> list[Any]:
    """What was told of a conversation: topic, actor, and the levels before and after."""
    columns = (event_log.c.topic, event_log.c.actor_id, event_log.c.level_before, event_log.c.level_after)
    mine = sa.select(*columns).where(event_log.c.interaction_id == number).order_by(event_log.c.position)
    return await database.command(lambda work: [tuple(row) for row in work.connection.execute(mine)])


def bare(conversation: Conversation) -> Conversation:
    """The conversation without what names it or its messages."""
    return replace(
        conversation,
        id=0,
        conversation_id=0,
        channel_agent_id=0,
        in_sync=True,
        latest_message_id=None,
        latest_customer_message_id=None,
        waiting=replace(conversation.waiting, settled_id=None),
    )


async def begun(database: Database, desk: Desk, agent: int, how: str) -> int:
    """A conversation of Ana's: in which she waits, which was closed after that, or in which nobody has spoken."""
    if how == "empty":
        target = {"kind": NAME, "customer_id": desk.ana, "channel_agent_id": agent}
        return await database.command(lambda work: int(opened(work, BO, target, imported=True).id))
    number = (await receive(database, desk.ana, agent)).interaction
    if how == "closed":
        await database.command(close, BO, GlobalId(PREFIX, number))
    return number


@pytest.mark.parametrize("how", ["waiting", "closed", "empty"])
async def test_history_that_is_stored_together_is_as_if_it_came_one_by_one(
    database: Database, desk: Desk, how: str
) -> None:
    one, two = [await begun(database, desk, agent, how) for agent in (desk.whatsapp, desk.apart)]
    before = len(await events(database, one))
    await database.command(together, one, exchange(9))
    await database.command(one_by_one, two, exchange(9))
    here, there = [await messages(database, each) for each in (one, two)]
    assert (here[-9:], len(here)) == (there[-9:], len(there))
    assert await places(database, one) == await places(database, two)
    assert bare(await stored(database, one)) == bare(await stored(database, two))
    assert await events(database, one) == await events(database, two)
    assert len(await events(database, one)) == before + 9


async def test_history_with_a_message_that_cannot_be_stored_is_refused_as_a_whole(
    database: Database, desk: Desk
) -> None:
    number = (await receive(database, desk.ana, desk.whatsapp)).interaction
    long = ([{"type": "text", "content": "x" * (LONGEST_TEXT + 1)}], replace(exchange(1)[0][1], key="long"))
    with pytest.raises(InvalidInput) as refused:
        await database.command(together, number, [*exchange(2), long])
    assert refused.value.path[0] == "long"
    assert len(await messages(database, number)) == 1


async def test_history_in_one_second_keeps_its_order(database: Database, desk: Desk) -> None:
    number = await begun(database, desk, desk.whatsapp, "empty")
    at = START - timedelta(days=1)
    await database.command(together, number, [(said, replace(each, sent_at=at)) for said, each in exchange(3)])
    moments = [each.sent_at - at for each in await messages(database, number)]
    assert moments == [timedelta(microseconds=each) for each in range(3)]


async def test_statements_of_history_do_not_grow_with_it(database: Database, desk: Desk) -> None:
    counts, given = [], [each for each in exchange(22) if each[1].error is None]
    for agent, some in ((desk.whatsapp, given[:2]), (desk.apart, given)):
        number, statements = await begun(database, desk, agent, "empty"), list[str]()

        def note(_connection: object, _cursor: object, sql: str, *_rest: object, found: list[str] = statements) -> None:
            found.append(sql)

        def watched(work: Work, number: int = number, some: Given = some, note: Any = note) -> None:
            sa.event.listen(work.connection.engine, "before_cursor_execute", note)
            try:
                together(work, number, some)
            finally:
                sa.event.remove(work.connection.engine, "before_cursor_execute", note)

        await database.command(watched)
        counts.append(len(statements))
    # On SQLite a row is a call, not a way to a server.
    assert counts[1] - counts[0] == (len(given) - 2 if database.dialect.name == "sqlite" else 0), counts
