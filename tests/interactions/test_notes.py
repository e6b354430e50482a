import pytest

from app.core.errors import InvalidInput, NotFound, TooLong
from app.core.ids import GlobalId
from app.interactions.service.notes import add_note, delete_note, edit_note
from tests.interactions.conftest import AFTER, House, cnv
from tests.kinds.conftest import BO, DEE

pytestmark = pytest.mark.anyio

NOTES = '{ interaction(id: "cnv_1") { version latestNote { id } notes { edges { node { id text updatedAt } } } } }'


async def test_notes_are_added_edited_and_deleted(house: House) -> None:
    await house.hear()
    await house.database.command(add_note, BO, cnv(1), "One")
    house.clock.advance(1)
    assert await house.database.command(add_note, BO, cnv(1), "Two") == (1, 2)
    house.clock.advance(1)
    await house.database.command(edit_note, BO, GlobalId("not", 1), "Uno")
    found = (await house.graph.read(NOTES))["interaction"]
    assert found == {
        "version": 1,
        "latestNote": {"id": "not_2"},
        "notes": {
            "edges": [
                {"node": {"id": "not_2", "text": "Two", "updatedAt": "2026-01-05T09:00:01.000000Z"}},
                {"node": {"id": "not_1", "text": "Uno", "updatedAt": "2026-01-05T09:00:02.000000Z"}},
            ]
        },
    }
    await house.database.command(delete_note, BO, GlobalId("not", 2))
    assert (await house.graph.read(NOTES))["interaction"]["latestNote"] == {"id": "not_1"}
    events = (await house.told())[-4:]
    assert [(event.topic, event.data) for event in events] == [
        ("conversation.note_added", {"note_id": 1, "after": AFTER}),
        ("conversation.note_added", {"note_id": 2, "after": AFTER}),
        ("conversation.note_edited", {"note_id": 1, "after": AFTER}),
        ("conversation.note_deleted", {"note_id": 2, "after": AFTER}),
    ]


async def test_notes_have_limits_and_readers(house: House) -> None:
    await house.hear()
    with pytest.raises(InvalidInput):
        await house.database.command(add_note, BO, cnv(1), " ")
    with pytest.raises(TooLong):
        await house.database.command(add_note, BO, cnv(1), "x" * 65_537)
    await house.database.command(add_note, BO, cnv(1), "One")
    # Who sees nothing of the kind is told neither the kind nor the interaction of the note.
    for actor, note in ((DEE, 1), (BO, 2)):
        missing = f"^There is no note not_{note}.$"
        with pytest.raises(NotFound, match=missing):
            await house.database.command(edit_note, actor, GlobalId("not", note), "Two")
        with pytest.raises(NotFound, match=missing):
            await house.database.command(delete_note, actor, GlobalId("not", note))


async def test_notes_in_the_graph(house: House) -> None:
    await house.hear()
    added = await house.graph.do(
        "addNote", {"id": "cnv_1", "text": "One"}, "note { id text author { name } } interaction { id }", BO
    )
    assert added["note"] == {"id": "not_1", "text": "One", "author": {"name": "Bo"}}
    assert added["interaction"] == {"id": "cnv_1"}
    deleted = await house.graph.do("deleteNote", {"id": "not_1"}, "deletedId interaction { latestNote { id } }", BO)
    assert (deleted["deletedId"], deleted["interaction"]) == ("not_1", {"latestNote": None})
