"""graphql-transport-ws, frame by frame, on the real server."""

from collections.abc import AsyncIterator

import pytest

from app.asgi import create_app
from app.core.actor import Actor
from app.settings import Settings
from app.storage.database import Database
from app.transport.connections import ConnectionLimits
from tests.conftest import CountingIds, ManualClock
from tests.serving import PROTOCOL, Served, serving
from tests.transport.library import ADMIN, READER, SLICES, fill, tick

pytestmark = pytest.mark.anyio

BOOK = '{ book(id: "boo_1") { title } }'
TITLE = {"book": {"title": "The Dispossessed"}}
TICKS = "subscription($over: Int! = 0, $after: String) { ticks(over: $over, after: $after) { number } }"
KEY = {"Authorization": "Bearer admin"}


class Keys:
    def __init__(self) -> None:
        self.known = {"admin": ADMIN, "reader": READER}

    async def actor_of(self, key: str) -> Actor | None:
        return self.known.get(key)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def served(database: Database, database_url: str, clock: ManualClock, keys: Keys) -> AsyncIterator[Served]:
    await database.command(fill)
    settings = Settings(database_url=database_url, allowed_origins=("https://ui.example",), pool_size=4)
    limits = ConnectionLimits(init_seconds=0.3, operations=5, tick_seconds=0.05, message_bytes=20_000)
    app = create_app(
        settings,
        clock=clock,
        ids=CountingIds(),
        slices=SLICES,
        authenticator=lambda _: keys,
        contracts=(),
        limits=limits,
    )
    async with serving(app, settings) as served:
        yield served


async def test_queries_mutations_and_subscriptions_share_a_socket(served: Served, database: Database) -> None:
    async with served.socket(KEY) as socket:
        assert socket.connection.subprotocol == PROTOCOL
        await socket.subscribe("t", TICKS)
        await socket.subscribe("q", BOOK)
        assert await socket.take() == {"id": "q", "type": "next", "payload": {"data": TITLE}}
        assert await socket.take() == {"type": "complete", "id": "q"}
        update = 'mutation { updateBook(input: {id: "boo_1", title: "New"}) { book { title } } }'
        await socket.subscribe("m", update)
        assert await socket.data("m") == {"updateBook": {"book": {"title": "New"}}}
        assert await socket.take() == {"type": "complete", "id": "m"}
        await database.command(tick, 1, 2)
        assert await socket.data("t") == {"ticks": {"number": 1}}
        assert await socket.data("t") == {"ticks": {"number": 2}}
        await socket.send(id="t", type="complete")
        await socket.send(type="ping", payload={"n": 1})
        assert await socket.take() == {"type": "pong", "payload": {"n": 1}}
        await database.command(tick, 3)
        assert await socket.silent()
