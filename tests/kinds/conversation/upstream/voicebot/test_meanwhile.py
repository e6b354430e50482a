"""What happens in the messaging bot while something of the same conversation is written or read."""

from typing import Any, NoReturn

import pytest

from app.connections.service import reading
from app.connections.tables import dirty
from app.interactions.model import State
from app.interactions.service.holding import assign
from app.interactions.service.state import close, reopen
from app.kinds.conversation.model.conversation import Status
from app.kinds.conversation.upstream.voicebot.client import VoicebotRemote
from app.storage.work import Work
from tests.kinds.conftest import BO
from tests.kinds.conversation.upstream.voicebot.conftest import CNV, SETTLES, Pair

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each, pytest.mark.usefixtures("met")]


async def test_value_that_is_set_back_there_at_once_is_set_back_here(pair: Pair) -> None:
    there = pair.twin.database.command
    await there(close, BO, CNV)
    await there(reopen, BO, CNV)
    await pair.sync()
    await pair.database.command(close, BO, CNV)
    await pair.work()
    await there(reopen, BO, CNV)
    # The list says by now what it said before: nothing has changed, as far as a poll can see.
    await pair.sync()
    await pair.later(1)
    assert ((await pair.here()).state, await pair.queue()) == (State.OPEN, [])


async def test_value_that_is_refused_gives_way_to_what_was_set_there_meanwhile(pair: Pair) -> None:
    pair.reach.faults = ["busy", "refused"]
    await pair.database.command(close, BO, CNV)
    await pair.work()
    await pair.twin.database.command(assign, BO, CNV, BO.user_id)
    await pair.sync()
    there = await pair.there()
    assert (there.status, (await pair.here()).status) == (Status.IN_PROGRESS, Status.DONE)
    await pair.later(30)
    await pair.later(1)
    assert ((await pair.here()).status, await pair.queue()) == (there.status, [("STATUS", "REFUSED")])


async def test_message_that_surely_was_not_taken_has_not_been_tried(pair: Pair) -> None:
    pair.reach.faults = ["busy", "before", "busy", "lost"]
    await pair.says("Yes?")
    for _ in range(5):
        await pair.later(SETTLES + 60)
    assert (await pair.queue(), await pair.texts(there=True)) == ([], ["Hello?", "Yes?"])


async def test_read_that_began_before_another_one_changes_nothing(pair: Pair) -> None:
    run, remote = pair.database.command, pair.keeper.remote
    await run(reading.note_hint, pair.connection, "1")
    pair.clock.advance(1)
    due = await run(reading.due, pair.connection, 4, 4)
    (mark,) = due.marks
    old = await remote.read(pair.reach, "1", frozenset())
    await pair.twin.database.command(close, BO, CNV)
    await pair.later(1)
    assert (await pair.here()).state is State.CLOSED
    assert await run(reading.apply_snapshot, remote, pair.connection, mark, old, due.now) is not None
    assert (await pair.here()).state is State.CLOSED


class _Broken(VoicebotRemote):
    def apply(self, *_given: object) -> NoReturn:
        raise ZeroDivisionError


async def test_read_that_cannot_be_applied_by_a_fault_of_ours_is_put_off(pair: Pair) -> None:
    pair.keeper.remote = _Broken()
    await pair.database.command(reading.note_hint, pair.connection, "1")
    before = len(pair.reach.reads)
    await pair.work()
    assert len(pair.reach.reads) - before == 2
    (attempts, due_at), *more = await pair.database.command(_marks)
    assert (attempts, due_at > pair.clock.now, more) == (1, True, [])


def _marks(work: Work) -> Any:
    return work.connection.execute(dirty.select().with_only_columns(dirty.c.attempts, dirty.c.due_at)).all()


async def test_conversation_is_not_read_while_a_message_of_it_is_in_doubt(pair: Pair) -> None:
    pair.reach.faults = ["after"]
    await pair.says("Yes?")
    await pair.work()
    await pair.hears("And when?")
    before = len(pair.reach.reads)
    await pair.sync(3)
    await pair.later(SETTLES - 1)
    assert (len(pair.reach.reads) - before, await pair.queue()) == (3, [("MESSAGE", "LOOKING")])
    await pair.later(2)
    await pair.later(1)
    assert (await pair.texts(), await pair.queue()) == (["Hello?", "Yes?", "And when?"], [])
