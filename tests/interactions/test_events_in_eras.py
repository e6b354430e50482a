"""Pages of `events` over a log whose entries are in several partitions."""

import pytest

from app.interactions.service.notes import add_note
from tests.interactions.conftest import House, cnv
from tests.kinds.conftest import ADA, BO
from tests.storage.event_log.turning import begin_era

pytestmark = pytest.mark.anyio

LOG = "query($after: String, $first: Int) { events(after: $after, first: $first) { events { id at } cursor hasMore } }"


@pytest.mark.both_databases
@pytest.mark.parametrize("first", [2, 100])
async def test_events_of_all_eras_come_once_by_time_until_there_are_no_more(house: House, first: int) -> None:
    cursor = (await house.graph.read(LOG, ADA))["events"]["cursor"]
    for number in range(4):
        if number:
            await begin_era(house.database)
        house.clock.advance(60)
        await house.hear(f"Hello {number}")
        house.clock.advance(60)
        await house.hear_sam(f"Hello {number}")
        house.clock.advance(60)
        await house.database.command(add_note, BO, cnv(1), f"note {number}")
    found, has_more = [], True
    while has_more:
        page = (await house.graph.read(LOG, ADA, after=cursor, first=first))["events"]
        assert page["events"], "a page without events was not the last one"
        found += page["events"]
        cursor, has_more = page["cursor"], page["hasMore"]
    assert len({each["id"] for each in found}) == len(found) >= 12
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)
    assert (await house.graph.read(LOG, ADA, after=cursor, first=first))["events"]["events"] == []
