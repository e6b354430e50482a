"""The application as clients of the REST contracts see it: within the process for most tests, or over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette

from app.asgi import CONTRACTS, create_app
from app.core.actor import Actor
from app.core.ids import Ids
from app.http.services import Services
from app.rest import Contract, Refusal, Reply
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import CountingIds, ManualClock
from tests.kinds.conftest import ADA, BO, CY, DEE
from tests.kinds.described import Described
from tests.serving import PATIENCE
from tests.sharing import share_what_is_compiled, shared_plans

ACTORS: Mapping[str, Actor] = {actor.name.lower(): actor for actor in (ADA, BO, CY, DEE)}
"""Who is let in, by a key that is their name in small letters."""


class Names:
    """Lets people in by their names."""

    def __init__(self, people: Mapping[str, Actor] | None = None) -> None:
        self._people = people

    async def actor_of(self, key: str) -> Actor | None:
        return (ACTORS if self._people is None else self._people).get(key)


@dataclass
class House:
    """The application with its database, for set-up and for looking into.

    `refusals` are those that contracts have turned into answers, before they did."""

    app: Starlette
    database: Database
    clock: ManualClock
    state: Mapping[str, Any]
    refusals: list[Refusal]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app({**scope, "state": dict(self.state)}, receive, send)

    def client(self, **headers: str) -> httpx2.AsyncClient:
        """A client within the process, by default of Bo, who may read and write every kind."""
        given = {"authorization": "Bearer bo", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(self), base_url="http://test", headers=given)

    async def told(self, after: int = 0) -> list[tuple[str, Any, Any]]:
        """Topic, data and actor of every event but the first `after`."""
        rows = await self.database.command(_events)
        return rows[after:]


@dataclass
class Untouched:
    """A house that no request may change, which is looked at after each; so many tests share one.

    What was seen after one request is what the next has to leave: of many tests only those fail that change something.
    """

    client: httpx2.AsyncClient
    look: Callable[[], Awaitable[Any]]
    seen: Any

    @classmethod
    async def by(cls, client: httpx2.AsyncClient, look: Callable[[], Awaitable[Any]]) -> "Untouched":
        return cls(client, look, await look())

    async def request(self, method: str, path: str, **request: Any) -> httpx2.Response:
        response = await self.client.request(method, path, **request)
        before, self.seen = self.seen, await self.look()
        assert self.seen == before
        return response


@asynccontextmanager
async def housed(
    database_url: str,
    clock: ManualClock,
    ids: Ids | None = None,
    *,
    by_names: bool = True,
    people: Mapping[str, Actor] | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    """The application with everybody of `people`, or of `ACTORS`, let in by name, or who has a real key."""
    ready = Settings(database_url=database_url, **settings)
    made = CountingIds() if ids is None else ids
    refusals: list[Refusal] = []
    described = Described()
    contracts = [described.contract(replace(contract, refused=_noting(refusals, contract))) for contract in CONTRACTS]
    app = create_app(
        ready, contracts=contracts, clock=clock, ids=made, authenticator=(lambda _: Names(people)) if by_names else None
    )
    async with app.router.lifespan_context(app) as state:
        found = dict(state or {})
        services: Services = found["services"]
        services.reads.plans = shared_plans(services.database.dialect, "REST")
        share_what_is_compiled(services.operations, services.database.dialect)
        yield House(app, services.database, clock, found, refusals)
    assert not described.differences, "\n".join(described.differences)


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[str]:
    """A real server in front of the house; its address."""
    config = uvicorn.Config(house, port=0, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    try:
        async with asyncio.timeout(PATIENCE):
            while not server.started:
                assert not task.done()
                await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


def _noting(refusals: list[Refusal], contract: Contract) -> Callable[[Refusal], Reply]:
    def refused(refusal: Refusal) -> Reply:
        refusals.append(refusal)
        return contract.refused(refusal)

    return refused


def _events(work: Any) -> list[tuple[str, Any, Any]]:
    import sqlalchemy as sa

    from app.storage.event_log import event_log

    rows = work.connection.execute(
        sa.select(event_log.c.topic, event_log.c.data, event_log.c.actor_id).order_by(
            event_log.c.at, event_log.c.position
        )
    )
    return [tuple(row) for row in rows]
