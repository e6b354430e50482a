"""An application that delivers, in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import httpx2
import orjson
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr
from starlette.types import ASGIApp

from app.asgi import create_app
from app.core.actor import Actor
from app.core.clock import Clock, utc_now
from app.destinations.model.retries import Retries
from app.destinations.tables import alert
from app.directory.service import update_user
from app.dispatcher import DispatchLimits
from app.execution.outcome import GraphQLRequest, Outcome
from app.http.services import Services
from app.settings import Settings
from app.storage.database import Work
from app.storage.event_log.tables import event_log, lane
from tests.conftest import ManualClock
from tests.graph.running import Graph, mutation_text
from tests.interactions.conftest import House
from tests.kinds.conftest import ADA, store_customer
from tests.kinds.conversation.conftest import furnish
from tests.serving import PATIENCE
from tests.sharing import share_what_is_compiled

KEY = Fernet.generate_key().decode()
SOON = DispatchLimits(
    beat_seconds=0.05,
    rest_seconds=0.2,
    lease=timedelta(seconds=20),
    retries=Retries(first=timedelta(milliseconds=20), longest=timedelta(milliseconds=40)),
)
ALERTS = """subscription($levels: [AttentionLevel!]) { attentionChanged(filter: { levels: $levels }) {
  cursor id change topic interactionId interaction { id customer { name } } } }"""
CHANGES = "subscription { interactionChanged { cursor id topic interactionId version } }"


@dataclass(frozen=True, slots=True)
class Running:
    """One process's application, and the people and customers of its database."""

    services: Services
    house: House
    app: ASGIApp

    def client(self) -> httpx2.AsyncClient:
        """A client within the process that says nothing of who it is."""

        async def ask(scope: Any, receive: Any, send: Any) -> None:
            await self.app({**scope, "state": {"services": self.services}}, receive, send)

        return httpx2.AsyncClient(transport=httpx2.ASGITransport(ask), base_url="http://test")

    async def answer(self, document: str, actor: Actor = ADA, /, **variables: object) -> dict[str, Any]:
        """The whole answer, errors and all."""
        context = self.services.context(actor, "")
        outcome = await self.services.ask(GraphQLRequest(document, variables=variables), context)
        assert isinstance(outcome, Outcome)
        found: dict[str, Any] = orjson.loads(outcome.body)
        return found

    async def read(self, document: str, actor: Actor = ADA, /, **variables: object) -> dict[str, Any]:
        found = await self.answer(document, actor, **variables)
        assert "errors" not in found, found["errors"]
        data: dict[str, Any] = found["data"]
        return data

    async def attempt(
        self, mutation: str, given: Mapping[str, Any], gives: str = "", actor: Actor = ADA
    ) -> dict[str, Any]:
        """The payload of a mutation, refused or not."""
        found = await self.answer(mutation_text(mutation, gives), actor, input=given)
        assert "errors" not in found, found["errors"]
        payload: dict[str, Any] = found["data"][mutation]
        return payload

    async def do(self, mutation: str, given: Mapping[str, Any], gives: str = "", actor: Actor = ADA) -> dict[str, Any]:
        payload = await self.attempt(mutation, given, gives, actor)
        assert payload["errors"] == [], payload["errors"]
        return payload

    async def destination(self, url: str, document: str = CHANGES, actor: Actor = ADA, **given: Any) -> tuple[str, str]:
        """The id and the secret of a new destination."""
        made = await self.do(
            "createDestination",
            {"name": "Pager", "address": url, "document": document, **given},
            "destination { id } secret",
            actor,
        )
        return made["destination"]["id"], made["secret"]

    async def state(self, ref: str, fields: str = "state reason") -> dict[str, Any]:
        found: dict[str, Any] = (await self.read(f"query($id: ID!) {{ destination(id: $id) {{ {fields} }} }}", id=ref))[
            "destination"
        ]
        return found

    async def permit(self, user: int, *permissions: str) -> None:
        """Let the user hold these permissions and no other."""
        await self.services.database.command(update_user, ADA, f"usr_{user}", {"permissions": list(permissions)})

    async def until(self, ref: str, **wanted: object) -> None:
        """Wait until the destination is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if await self.state(ref, " ".join(wanted)) == wanted:
                    return
                await asyncio.sleep(0.01)

    async def deliveries(self, ref: str, fields: str) -> list[dict[str, Any]]:
        """The deliveries to a destination, the oldest first."""
        document = f"query($id: ID!) {{ deliveries(destinationId: $id, first: 100) {{ nodes {{ {fields} }} }} }}"
        found: list[dict[str, Any]] = (await self.read(document, id=ref))["deliveries"]["nodes"]
        return found[::-1]

    async def followed(self, count: int) -> None:
        """Wait until policies follow so many alerts, for their minutes count from then."""

        def alerts(work: Work) -> int:
            return work.connection.execute(sa.select(sa.func.count()).select_from(alert)).scalar_one()

        async with asyncio.timeout(PATIENCE):
            while await self.services.database.command(alerts) < count:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.02)

    async def delivered(self, ref: str, fields: str, wanted: list[dict[str, Any]]) -> None:
        """Wait until the deliveries to a destination are these, for they are noted after the receiver has answered."""
        found = None
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while (found := await self.deliveries(ref, fields)) != wanted:  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(0.01)
        assert found == wanted


def _sam(work: Work) -> int:
    return store_customer(work, customer_key="sam", system="SESSION", name="Sam", phone_number="+4733333333")


def lose_the_log(work: Work) -> None:
    """Forget all events, as their retention would."""
    work.connection.execute(sa.delete(event_log))
    work.connection.execute(sa.update(lane).values(oldest=lane.c.head + 1))


@asynccontextmanager
async def running(
    database_url: str,
    house: House | None = None,
    *,
    clock: Clock = utc_now,
    limits: DispatchLimits = SOON,
    **given: Any,
) -> AsyncIterator[Running]:
    """The application over a migrated database, with people and customers unless they are there."""
    chosen: dict[str, Any] = {
        "database_url": database_url,
        "secrets_key": (SecretStr(KEY),),
        "outbound_networks": (ip_network("127.0.0.1/32"),),
        "compile_seconds": 0,
        **given,
    }
    settings = Settings(**chosen)
    app = create_app(settings, clock=clock, dispatch_limits=limits)
    async with app.router.lifespan_context(app) as state:
        assert state is not None
        services: Services = state["services"]
        share_what_is_compiled(services.operations, services.database.dialect)
        graph = Graph(services.database, services.operations, settings, ManualClock())
        if house is None:
            desk = await services.database.command(furnish)
            sam = await services.database.command(_sam)
            found = House(graph, desk, sam)
        else:
            found = House(graph, house.desk, house.sam)
        yield Running(services, found, app)
