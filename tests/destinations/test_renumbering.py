"""What a restore leaves of cursors: those of clients expire, those of destinations and policies go on."""

import asyncio

import pytest
import sqlalchemy as sa

from app.destinations.service import renumber_events
from app.destinations.tables import alerting, delivery
from app.interactions.service.holding import claim
from app.storage.event_log import RAISED_BY, Cursor, parse_cursor
from app.storage.work import Work
from tests.destinations.receiving import receiving
from tests.destinations.running import Running, running
from tests.interactions.conftest import cnv
from tests.kinds.conftest import BO
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

LOG = "query($after: String) { events(after: $after) { events { id topic } cursor } }"


def _places(work: Work) -> int:
    """The lowest position of a recorded delivery."""
    lowest: int = work.connection.execute(sa.select(sa.func.min(delivery.c.position))).scalar_one()
    return lowest


def _read_for_policies(work: Work) -> Cursor:
    """How far the log has been read for them."""
    return parse_cursor(work.connection.execute(sa.select(alerting.c.cursor)).scalar_one())


async def _followed(app: Running, cursor: Cursor) -> None:
    """Wait until policies have seen everything up to the cursor."""
    async with asyncio.timeout(PATIENCE):
        while not cursor <= await app.services.database.command(_read_for_policies):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)


async def test_renumbering_expires_cursors_of_clients_and_no_other(database_url: str) -> None:
    async with receiving() as receiver:
        async with running(database_url) as app:
            ref, _ = await app.destination(receiver.url)
            made = await app.do(
                "createDestination", {"name": "Alerts", "address": f"{receiver.url}/alerts"}, "destination { id }"
            )
            await app.do("createPolicy", {"name": "Night", "destinationIds": [made["destination"]["id"]]})
            start = (await app.read(LOG))["events"]["cursor"]
            await app.house.hear()
            for each, count in ((ref, 2), (made["destination"]["id"], 1)):
                await app.delivered(each, "status", [{"status": "DELIVERED"}] * count)
            for each in (ref, made["destination"]["id"]):
                await app.do("pauseDestination", {"id": each})
            # A restore has no servers beside it: what still delivered would lose its place.
            await eventually(lambda: not app.services.subscriptions.running)
            await app.house.database.command(claim, BO, cnv(1))
            seen = (await app.read(LOG, after=start))["events"]
            await _followed(app, parse_cursor(seen["cursor"]))
            count = len(receiver.requests)
            await app.services.database.command(renumber_events)
            assert await app.services.database.command(_places) > RAISED_BY
            for cursor in (start, seen["cursor"]):
                found = await app.answer(LOG, after=cursor)
                assert [each["extensions"]["code"] for each in found["errors"]] == ["CURSOR_EXPIRED"]
        async with running(database_url, app.house) as again:
            for each in (ref, made["destination"]["id"]):
                await again.do("resumeDestination", {"id": each})
            # What waited is delivered, and nothing of before.
            await receiver.has(count + 2)
            await again.house.hear("More")
            await receiver.has(count + 3)
            told = {each.item.get("topic") or each.item["step"] for each in receiver.requests[count:]}
            assert told == {"INTERACTION_CLAIMED", "CLAIMED", "INTERACTION_MESSAGE_RECEIVED"}
            ids = {each["id"] for each in seen["events"]}
            now = (await again.read('{ interaction(id: "cnv_1") { history(first: 50) { nodes { id } } } }'))[
                "interaction"
            ]
            assert ids.isdisjoint(each["id"] for each in now["history"]["nodes"])
