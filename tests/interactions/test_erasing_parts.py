"""What was deleted is out of sight at once, and is erased a few rows at a time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.errors import NotFound
from app.core.ids import GlobalId
from app.directory.model import Channel
from app.interactions.messages import MessageError, MessageErrorType, MessageStatus
from app.interactions.service.change import remove
from app.interactions.service.deliveries import report_message_status, set_reaction
from app.interactions.service.erasing import erase_customer, erase_part
from app.interactions.service.messages import send_message
from app.interactions.service.notes import add_note, edit_note
from app.interactions.service.state import set_labels
from app.interactions.tables import erasing, message, message_error, note
from app.storage.database import Work
from tests.graph.running import open_graph
from tests.interactions.conftest import House, cnv, msg, said
from tests.kinds.conftest import ADA, BO, store_customer

pytestmark = pytest.mark.anyio

SEEN = """
query ($customer: ID!, $interaction: ID!, $message: ID!, $note: ID!) {
  customer: node(id: $customer) { id }
  interaction(id: $interaction) { id }
  message: node(id: $message) { id }
  note: node(id: $note) { id }
  searchMessages(text: "words") { totalCount edges { node { id } } }
  interactions { totalCount edges { node { id } } }
  attentionQueue { totalCount }
  attentionSummary(groupBy: KIND) { count }
}
"""
EVENTS = """
query ($after: String!) { events(after: $after, first: 100) { events { topic message { id } note { id } } } }
"""
CURSOR = "{ events { cursor } }"
MESSAGES = 10


async def filled(house: House) -> int:
    """Ana's conversation, with messages that refer to each other, errors and notes; the latest message."""
    latest = 0
    for number in range(MESSAGES):
        posted = await house.hear(f"Words {number}", fields={"message_key": f"key {number}"})
        sent = await house.database.command(send_message, BO, cnv(1), said("Words back"), reference=msg(posted.message))
        error = MessageError(type=MessageErrorType.OTHER, original_message="Words of the channel")
        await house.database.command(report_message_status, BO, msg(sent.message), MessageStatus.ERROR, error=error)
        await house.database.command(add_note, BO, cnv(1), "Words among us")
        latest = sent.message
    return latest


async def erase_ana(house: House) -> None:
    await house.database.command(erase_customer, ADA, f"cus_{house.desk.ana}")


def rows_left(work: Work) -> int:
    tables = (message, message_error, note, erasing)
    return sum(work.connection.execute(sa.select(sa.func.count()).select_from(each)).scalar_one() for each in tables)


async def test_erased_customer_is_out_of_sight_before_its_rows_are_erased(house: House) -> None:
    start = (await house.graph.read(CURSOR, ADA))["events"]["cursor"]
    latest = await filled(house)
    ids = {"customer": f"cus_{house.desk.ana}", "interaction": "cnv_1", "message": f"msg_{latest}", "note": "not_1"}
    seen = await house.graph.read(SEEN, ADA, **ids)
    assert seen["searchMessages"]["totalCount"] == 2 * MESSAGES
    assert all(seen.values())
    await erase_ana(house)
    assert await house.database.command(rows_left) > 2 * MESSAGES
    for actor in (ADA, BO):
        assert await house.graph.read(SEEN, actor, **ids) == {
            "customer": None,
            "interaction": None,
            "message": None,
            "note": None,
            "searchMessages": {"totalCount": 0, "edges": []},
            "interactions": {"totalCount": 0, "edges": []},
            "attentionQueue": {"totalCount": 0},
            "attentionSummary": {"count": 0},
        }
    found = (await house.graph.read(EVENTS, ADA, after=start))["events"]["events"]
    assert {"INTERACTION_MESSAGE_RECEIVED", "INTERACTION_NOTE_ADDED"} <= {each["topic"] for each in found}
    assert all(each["message"] is None and each["note"] is None for each in found)


@pytest.mark.parametrize(
    "command",
    [
        lambda work, latest: set_labels(work, ADA, cnv(1), ["a"]),
        lambda work, latest: remove(work, ADA, cnv(1)),
        lambda work, latest: send_message(work, ADA, cnv(1), said("More")),
        lambda work, latest: set_reaction(work, ADA, msg(latest), "👍"),
        lambda work, latest: edit_note(work, ADA, GlobalId("not", 1), "More"),
        lambda work, latest: erase_customer(work, ADA, "cus_1"),
    ],
    ids=["label", "remove", "send", "react", "edit note", "erase again"],
)
async def test_commands_on_what_is_being_erased_are_not_found(
    house: House, command: Callable[[Work, int], Any]
) -> None:
    latest = await filled(house)
    await erase_ana(house)
    before = await house.told()
    with pytest.raises(NotFound):
        await house.database.command(command, latest)
    assert await house.told() == before


async def test_erasing_touches_few_rows_in_a_unit_and_leaves_none(house: House) -> None:
    await filled(house)
    await erase_ana(house)
    left = await house.database.command(rows_left)
    units = 0
    while (erased := await house.database.command(erase_part, 5)).more:
        units += 1
        now = await house.database.command(rows_left)
        # Beside its rows a unit may end the part that it was at.
        assert erased.rows <= 5
        assert left - now <= 6
        left = now
    assert units > 5 * MESSAGES / 5
    assert erased.files is not None
    assert left == 1


async def test_message_with_many_references_and_errors_is_erased_in_parts(house: House) -> None:
    posted = await house.hear("Words")
    for _ in range(20):
        await house.database.command(send_message, BO, cnv(1), said("Back"), reference=msg(posted.message))

    def fail(work: Work) -> None:
        row = {"message_id": posted.message, "type": "OTHER", "original_message": "x", "created_at": work.now}
        work.connection.execute(sa.insert(message_error), [row] * 20)

    await house.database.command(fail)
    await erase_ana(house)
    left = await house.database.command(rows_left)
    # A reference that is taken out is a row too, though none is gone.
    assert await house.erase() >= 20 + 20 + 21
    assert left > await house.database.command(rows_left) == 0


async def test_erased_customer_comes_back_as_a_new_one_meanwhile(house: House) -> None:
    await filled(house)
    key = await house.graph.read('{ node(id: "cus_1") { ... on Customer { customerKey } } }', ADA)
    await erase_ana(house)

    def again(work: Work) -> int:
        return store_customer(
            work,
            customer_key=key["node"]["customerKey"],
            system="CONVERSATION",
            channel=Channel.WHATSAPP,
            display_id="again",
        )

    new = await house.database.command(again)
    posted = await house.hear("Other words", customer=new, fields={"message_key": "key 0"})
    assert posted.interaction != 1
    await house.erase()
    found = await house.graph.read(
        '{ searchMessages(text: "words") { edges { node { id interaction { id customer { id } } } } } }', ADA
    )
    interaction = {"id": f"cnv_{posted.interaction}", "customer": {"id": f"cus_{new}"}}
    node = {"id": f"msg_{posted.message}", "interaction": interaction}
    assert found["searchMessages"]["edges"] == [{"node": node}]


async def test_erasing_goes_on_in_another_process_where_one_was_killed(house: House, database_url: str) -> None:
    await filled(house)
    await erase_ana(house)
    while (await house.database.command(erase_part, 3)).rows < 3:
        pass
    graph = await open_graph(database_url, house.clock)
    other = House(graph, house.desk, house.sam)
    try:
        assert await other.erase() > 0
        assert await other.database.command(rows_left) == 0
    finally:
        await graph.database.close()


async def test_erasing_by_two_processes_at_once_erases_each_row_once(house: House, database_url: str) -> None:
    await filled(house)
    await house.hear_sam("Words of Sam")
    await erase_ana(house)
    await house.database.command(erase_customer, ADA, f"cus_{house.sam}")
    graph = await open_graph(database_url, house.clock)
    gone = 0

    async def run(database: Any) -> None:
        nonlocal gone
        for _ in range(500):
            erased = await database.command(erase_part, 3)
            gone += erased.rows
            if erased.files is not None:
                return

    try:
        events = len(await house.told())
        await asyncio.gather(run(house.database), run(graph.database))
        # Every message, note, error and event once, and each reference as it was taken out.
        assert gone == 2 * MESSAGES + 1 + MESSAGES + MESSAGES + events + MESSAGES
        assert await house.database.command(rows_left) == 1
    finally:
        await graph.database.close()
