"""An alert end to end: a client of the old contract flags a session, and who listens to the graph is told."""

import httpx2
import pytest

from app.asgi import create_app
from app.settings import Settings
from app.storage.database import open_database
from tests.conftest import CountingIds, ManualClock
from tests.graph.running import RULES
from tests.kinds.rest import Names
from tests.kinds.session.rest.conftest import CUSTOMER, fill
from tests.serving import serving

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

LISTEN = """subscription { attentionChanged(filter: {kinds: [SESSION]}) {
  topic change levelBefore levelAfter actor { name }
  interaction { attention { reason } ... on Session { needAttention tags botActive customer { customerKey } } }
} }"""


async def test_a_flag_over_rest_reaches_a_listener(database_url: str, clock: ManualClock) -> None:
    settings = Settings(database_url=database_url)
    ids = CountingIds()
    database = await open_database(database_url, clock=clock, ids=ids, settings=settings, kinds=RULES)
    await database.command(fill)
    await database.close()
    app = create_app(settings, clock=clock, ids=ids, authenticator=lambda _: Names())
    async with (
        serving(app, settings) as served,
        served.socket({"authorization": "Bearer cy"}) as socket,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{served.port}", headers={"authorization": "Token bo"}) as client,
    ):
        current = f"/v1/customers/{CUSTOMER}/sessions/current"
        said = await client.post(f"{current}/messages", json={"content": "Help", "sender_role": "end-user"})
        assert said.status_code == 201
        await socket.listen("alerts", LISTEN)
        flagged = await client.patch(current, json={"need_attention": True, "tags": ["detox"]})
        assert flagged.status_code == 200
        assert await socket.data("alerts") == {
            "attentionChanged": {
                "topic": "ATTENTION_RAISED",
                "change": "ENTERED",
                "levelBefore": None,
                "levelAfter": "HIGH",
                "actor": {"name": "Bo"},
                "interaction": {
                    "attention": {"reason": "FLAGGED"},
                    "needAttention": True,
                    "tags": ["detox"],
                    "botActive": False,
                    "customer": {"customerKey": CUSTOMER},
                },
            }
        }
