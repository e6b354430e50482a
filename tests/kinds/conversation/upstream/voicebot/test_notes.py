"""Notes on conversations of the messaging bot: theirs here, and ours there."""

from typing import Any

import pytest

from app.connections.service import retry_entry
from app.connections.service.sending import MOST_TRIES
from app.core.ids import GlobalId
from app.interactions.remote import Answered, Refused
from app.interactions.repository.messages import Note, NoteRepository
from app.interactions.service.erasing import erase_customer
from app.interactions.service.notes import add_note, delete_note, edit_note
from app.interactions.tables import note
from app.storage.database import Database
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.connections.conftest import ADA
from tests.kinds.conftest import BO
from tests.kinds.conversation.upstream.voicebot.conftest import CNV, SETTLES, Pair, connected
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]


@pytest.fixture
async def pair(pair: Pair) -> Pair:
    await pair.hears("Hello?")
    await pair.sync()
    return pair


def ref(number: int) -> GlobalId:
    return GlobalId("not", number)


async def notes(database: Database) -> list[Note]:
    def read(work: Work) -> list[Note]:
        numbers = work.connection.execute(note.select().with_only_columns(note.c.id).order_by(note.c.id)).scalars()
        found = [work.use(NoteRepository).get(number) for number in numbers]
        return [each for each in found if each is not None]

    return await database.command(read)


async def texts(pair: Pair) -> tuple[list[str], list[str]]:
    """The notes here, and those there."""
    here, there = await notes(pair.database), await notes(pair.twin.database)
    return [each.text for each in here], [each.text for each in there]


async def add(pair: Pair, text: str = "Asks often.") -> GlobalId:
    """Bo leaves a note here."""
    return ref((await pair.database.command(add_note, BO, CNV, text)).note)


async def later(pair: Pair) -> None:
    """Read what has changed, a little later."""
    pair.clock.advance(2)
    await pair.sync(2)


async def test_note_there_is_seen_here(pair: Pair) -> None:
    run = pair.twin.database.command
    await run(add_note, BO, CNV, "Asks often.")
    pair.clock.advance(60)
    await run(add_note, BO, CNV, "Pays late.")
    await pair.sync()
    here, there = await notes(pair.database), await notes(pair.twin.database)
    assert [each.text for each in here] == ["Asks often.", "Pays late."]
    assert [each.created_at for each in here] == [each.created_at for each in there]
    assert ([each.author_id for each in here], (await pair.here()).latest_note_id) == ([None, None], here[1].id)
    await later(pair)
    assert (await notes(pair.database), await pair.queue()) == (here, [])
    await run(edit_note, BO, ref(there[1].id), "Pays in time.")
    await later(pair)
    assert (await texts(pair))[0] == ["Asks often.", "Pays in time."]
    await run(delete_note, BO, ref(there[0].id))
    await run(delete_note, BO, ref(there[1].id))
    await later(pair)
    assert await texts(pair) == (["Asks often.", "Pays in time."], [])


async def test_note_here_is_seen_there(pair: Pair) -> None:
    number = await add(pair)
    assert await pair.queue() == [("NOTE", "WAITING")]
    await pair.work()
    assert (await texts(pair), await pair.queue()) == ((["Asks often."], ["Asks often."]), [])
    await later(pair)
    assert await texts(pair) == (["Asks often."], ["Asks often."])
    await pair.database.command(edit_note, BO, number, "Asks daily.")
    await pair.work()
    await later(pair)
    assert await texts(pair) == (["Asks daily."], ["Asks daily."])
    await pair.database.command(delete_note, BO, number)
    await pair.work()
    await later(pair)
    assert (await texts(pair), await pair.queue()) == (([], []), [])
    assert [each.split(" ")[1] for each in pair.reach.writes] == ["POST", "PATCH", "DELETE"]


async def test_note_that_is_deleted_here_is_deleted_there_and_does_not_come_back(pair: Pair) -> None:
    for text in ("Asks often.", "Pays late."):
        await pair.twin.database.command(add_note, BO, CNV, text)
    await pair.sync()
    await pair.database.command(delete_note, BO, ref((await notes(pair.database))[0].id))
    pair.reach.faults = ["busy"]
    await pair.work()
    await later(pair)  # it is still there
    assert await texts(pair) == (["Pays late."], ["Asks often.", "Pays late."])
    await pair.later(30)
    await later(pair)
    assert await texts(pair) == (["Pays late."], ["Pays late."])


async def test_note_that_was_changed_before_it_was_sent_is_there_as_it_is_now(pair: Pair) -> None:
    number, gone = await add(pair, "Asks often."), await add(pair, "Nonsense.")
    await pair.database.command(edit_note, BO, number, "Asks daily.")
    await pair.database.command(delete_note, BO, gone)
    await pair.work()
    await later(pair)
    assert (await texts(pair), await pair.queue()) == ((["Asks daily."], ["Asks daily."]), [])
    assert not any("Nonsense." in str(each) for each in pair.reach.bodies)


@pytest.mark.parametrize("fault", ["lost", "after"])
async def test_note_whose_answer_was_lost_is_there_once(pair: Pair, fault: str) -> None:
    await pair.twin.database.command(add_note, BO, CNV, "Asks often.")
    await pair.sync()
    pair.reach.faults = [fault]
    await add(pair)
    await pair.work()
    assert await pair.queue() == [("NOTE", "LOOKING")]
    await later(pair)
    await pair.later(SETTLES)
    await later(pair)
    assert (await texts(pair), await pair.queue()) == ((["Asks often."] * 2, ["Asks often."] * 2), [])


async def test_note_that_was_deleted_while_it_was_sent_is_deleted_there(pair: Pair) -> None:
    pair.reach.faults = ["after"]
    number = await add(pair)
    await pair.work()
    await pair.database.command(delete_note, BO, number)
    await pair.later(SETTLES + 1)
    await later(pair)
    assert (await texts(pair), await pair.queue()) == (([], []), [])


async def test_note_that_was_refused_stays_here_and_is_told(pair: Pair) -> None:
    pair.reach.faults = ["refused"]
    await add(pair)
    await pair.work()
    here = await pair.here()
    assert (await texts(pair), here.sync_trouble, "SYNC_REFUSED" in here.attention.reasons) == (
        (["Asks often."], []),
        "REFUSED",
        True,
    )
    (entry,) = await pair.entries()
    await pair.database.command(retry_entry, BO, f"obx_{entry.id}")
    await pair.work()
    await later(pair)
    assert (await texts(pair), (await pair.here()).sync_trouble) == ((["Asks often."], ["Asks often."]), None)


async def test_change_of_a_note_that_was_refused_is_set_back(pair: Pair) -> None:
    run = pair.database.command
    edited, deleted = await add(pair, "Asks often."), await add(pair, "Pays late.")
    await pair.work()
    await later(pair)
    pair.reach.faults = ["refused", "refused"]
    await run(edit_note, BO, edited, "Asks daily.")
    await run(delete_note, BO, deleted)
    await pair.work()
    assert await pair.queue() == [("NOTE_TEXT", "REFUSED"), ("NOTE_GONE", "REFUSED")]
    await later(pair)
    assert await texts(pair) == (["Asks often.", "Pays late."], ["Asks often.", "Pays late."])
    assert "SYNC_REFUSED" in (await pair.here()).attention.reasons


async def test_note_that_is_found_later_is_the_uncertain_one(pair: Pair) -> None:
    pair.reach.faults = ["lost"] * MOST_TRIES
    await add(pair)
    for _ in range(2 * MOST_TRIES):
        await pair.later(SETTLES + 60)
    assert (await pair.queue(), await texts(pair)) == ([("NOTE", "UNCERTAIN")], (["Asks often."], []))
    await pair.twin.database.command(add_note, BO, CNV, "Asks often.")
    await later(pair)
    assert (await pair.queue(), await texts(pair)) == ([], (["Asks often."], ["Asks often."]))
    assert (await pair.here()).sync_trouble is None


async def test_note_from_before_the_erasure_does_not_come_back(pair: Pair) -> None:
    await pair.twin.database.command(add_note, BO, CNV, "Asks often.")
    await pair.sync()
    await pair.database.command(erase_customer, ADA, "cus_1")
    pair.clock.advance(60)
    await pair.hears("I am back")
    await pair.twin.database.command(add_note, BO, CNV, "Is back.")
    await pair.sync()
    here = [each.text for each in await notes(pair.database) if each.interaction_id == 2]
    assert here == ["Is back."]


async def test_notes_stay_here_where_the_settings_say_so(twin: House, database: Database, clock: ManualClock) -> None:
    pair = await connected(twin, database, clock, capabilities={"NOTES": False})
    await pair.hears("Hello?")
    await pair.twin.database.command(add_note, BO, CNV, "Theirs.")
    await pair.sync()
    number = await add(pair, "Ours.")
    await pair.work()
    await pair.database.command(edit_note, BO, number, "Ours alone.")
    await pair.work()
    await later(pair)
    assert (await texts(pair), await pair.queue()) == ((["Ours alone."], ["Theirs."]), [])
    assert pair.reach.writes == []


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_conversation_is_read_where_notes_cannot_be_listed(pair: Pair, status: int) -> None:
    ask = pair.reach.ask

    async def answer(path: str, **query: Any) -> Answered:
        if path.endswith("/notes"):
            if status != 404:
                raise Refused(f"The other system answered {status}.", status=status)
            return Answered(status, {"message": "Not Found"})
        return await ask(path, **query)

    pair.reach.ask = answer  # type: ignore[method-assign]
    await pair.twin.database.command(add_note, BO, CNV, "Theirs.")
    await pair.hears("Anybody?")
    await pair.sync()
    assert (await pair.texts(), await texts(pair)) == (["Hello?", "Anybody?"], ([], ["Theirs."]))
