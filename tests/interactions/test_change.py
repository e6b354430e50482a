import pytest

from app.core.errors import Forbidden, NotFound, VersionConflict
from app.interactions.model import Level
from app.interactions.service.change import load, open_interaction, remove
from app.interactions.service.state import acknowledge, add_labels, raise_attention, remove_labels, set_labels
from app.storage.database import Work
from tests.interactions.conftest import AFTER, House, cnv, ses
from tests.kinds.conftest import ADA, BO, CY, DEE
from tests.postgres import round_trips

pytestmark = pytest.mark.anyio


async def test_labels_are_edited_and_indexed(house: House) -> None:
    await house.hear()
    after = await house.database.command(set_labels, BO, cnv(1), ["vip", "b", "vip"])
    assert (after.labels, after.version) == (("vip", "b"), 2)
    after = await house.database.command(add_labels, BO, cnv(1), ["b", "c"])
    assert (after.labels, after.version) == (("vip", "b", "c"), 3)
    after = await house.database.command(remove_labels, BO, cnv(1), ["b", "x"])
    assert (after.labels, after.version) == (("vip", "c"), 4)
    assert await house.database.command(load, ADA, cnv(1)) == after
    event = (await house.told())[-1]
    assert event.topic == "conversation.labelled"
    assert event.data == {
        "changes": [{"field": "labels", "before": None, "after": None}],
        "before": {"labels": ["vip", "b", "c"]},
        "after": {**AFTER, "labels": ["vip", "c"]},
    }
    found = await house.graph.read('{ interactions(filter: {labels: ["c", "y"]}) { edges { node { id } } } }')
    assert found["interactions"]["edges"] == [{"node": {"id": "cnv_1"}}]


async def test_what_changes_nothing_writes_nothing(house: House) -> None:
    await house.hear()
    before, told = await house.database.command(load, ADA, cnv(1)), await house.topics()
    house.graph.statements.clear()
    assert await house.database.command(set_labels, BO, cnv(1), []) == before
    assert len(house.graph.statements) == 1
    assert await house.topics() == told


async def test_an_update_takes_few_statements(house: House) -> None:
    await house.hear()
    house.graph.statements.clear()
    await house.database.command(raise_attention, BO, cnv(1))
    first_words = [statement.split()[0] for statement in house.graph.statements]
    # On PostgreSQL the row and the log are written by one statement.
    assert first_words == ["SELECT", "UPDATE" if house.database.dialect.name == "sqlite" else "WITH"]


async def test_an_update_takes_two_round_trips(house: House) -> None:
    await house.hear()
    await house.database.command(raise_attention, BO, cnv(1))
    async with round_trips(house.database) as seen:
        await house.database.command(raise_attention, BO, cnv(1), Level.URGENT)
        await house.database.command(acknowledge, BO, cnv(1))
    # No transaction is around them: the second is one by itself, and proves that the interaction is as it was read.
    asked = 0 if house.database.dialect.name == "sqlite" else 2
    assert [each.split()[0] for each in seen] == ["SELECT", "WITH"] * asked


async def test_an_old_version_is_refused(house: House) -> None:
    await house.hear()
    await house.hear()
    await house.database.command(set_labels, BO, cnv(1), ["a"], if_version=1)
    told = await house.topics()
    with pytest.raises(VersionConflict) as refused:
        await house.database.command(set_labels, BO, cnv(1), ["b"], if_version=1)
    assert (refused.value.current_version, refused.value.path) == (2, ("if_version",))
    assert await house.topics() == told


async def test_reading_without_writing_is_not_enough(house: House) -> None:
    await house.hear()
    with pytest.raises(Forbidden):
        await house.database.command(set_labels, CY, cnv(1), ["a"])
    with pytest.raises(NotFound):
        await house.database.command(set_labels, DEE, cnv(1), ["a"])


async def test_a_deletion_leaves_only_events(house: House) -> None:
    await house.hear("Secret words")
    await house.database.command(set_labels, BO, cnv(1), ["a"])
    await house.database.command(remove, BO, cnv(1))
    await house.erase()
    events = await house.told()
    assert [event.topic for event in events][-2:] == ["conversation.deleted", "attention.cleared"]
    assert all("ecret" not in str(event.data) for event in events)

    def left(work: Work) -> dict[str, int]:
        return {
            name: work.connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in ("interaction", "conversation", "message", "interaction_tag")
        }

    assert await house.database.command(left) == {
        "interaction": 0,
        "conversation": 0,
        "message": 0,
        "interaction_tag": 0,
    }
    found = await house.graph.read('{ searchMessages(text: "secret") { totalCount } interaction(id: "cnv_1") { id } }')
    assert found == {"searchMessages": {"totalCount": 0}, "interaction": None}


async def test_only_who_may_write_opens(house: House) -> None:
    def attempt(work: Work) -> None:
        found = load(work, ADA, ses(1))
        open_interaction(work, CY, found, lambda new: new)

    await house.hear_sam()
    told = await house.topics()
    with pytest.raises(Forbidden):
        await house.database.command(attempt)
    assert await house.topics() == told
