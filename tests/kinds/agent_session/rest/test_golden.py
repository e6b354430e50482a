"""The example of the contract's page, sent to a real server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from tests.conftest import ManualClock
from tests.kinds.agent_session.rest.conftest import SESSION, fill
from tests.kinds.golden import golden, ordered, send
from tests.kinds.rest import housed, serving

pytestmark = pytest.mark.anyio

(PAGE,) = golden(Path(__file__).with_name("golden"))


async def test_the_page(database_url: str) -> None:
    page = PAGE.response["body"]
    clock = ManualClock(datetime(2024, 1, 15, 10, 30, tzinfo=UTC))
    async with housed(database_url, clock) as house, serving(house) as url:
        await house.database.command(fill)
        clock.now += timedelta(hours=5)
        answer = await send(PAGE, url, {"<KEY>": "bo"})
        body = answer.json()
        shown = {key: value for key, value in body.items() if key in page}
        assert (answer.status, ordered(shown)) == (200, ordered(page))
        more = {key: value for key, value in body.items() if key not in page}
        assert more == {
            "key": "ase_customer_support_001",
            "name": "First",
            "current_step_name": None,
            "tti_minutes": 0,
            "status": "unstarted",
            "secrets": {},
        }
        async with httpx2.AsyncClient(base_url=url, headers={"Authorization": "Bearer bo"}) as client:
            assert (await client.get(SESSION)).content == answer.content
        attention = '{ interaction(id: "ags_1") { attention { level reason } customer { customerKey } } }'
        async with house.client() as graph:
            found = (await graph.post("/graphql", json={"query": attention})).json()
        assert found["data"]["interaction"] == {
            "attention": {"level": "URGENT", "reason": "ESCALATED"},
            "customer": {"customerKey": "customer_12345"},
        }
