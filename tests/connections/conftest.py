"""A connection of an HTTP source, and deliveries that are signed as a sender signs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from app.connections.model import ConnectedSystem, NewConnection
from app.connections.repository import ConnectedSystemRepository
from app.connections.runner import Runner
from app.connections.service import Verdict, accept, create_connection
from app.connections.tables import inbox
from app.core.actor import Actor
from app.registry import CONNECTORS, KINDS
from app.settings import Settings
from app.storage.database import Database, Work
from tests.conftest import ManualClock
from tests.destinations.conftest import app, receiver
from tests.kinds.conftest import store_users

__all__ = ["app", "receiver"]

KEYS = ("0" * 43 + "=", "1" * 42 + "8=")
"""Two keys that seal secrets."""

NOBODY = Actor(user_id=0, name="Nobody")
ADA = Actor(user_id=1, name="Ada", is_admin=True)
RULES: Mapping[str, Any] = {kind.name: kind.rules for kind in KINDS}


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    return RULES


@pytest.fixture
def settings() -> Settings:
    return Settings.model_validate({"secrets_key": KEYS[0]})


@dataclass
class Source:
    """A connection, and what its sender knows of it."""

    database: Database
    clock: ManualClock
    id: int
    token: str
    secret: str

    @property
    def ref(self) -> str:
        return f"con_{self.id}"

    def signed(self, body: str, key: str = "evt-1", secret: str | None = None) -> dict[str, str]:
        return signed(self.secret if secret is None else secret, body, key)

    async def offer(self, body: object, key: str = "evt-1", **more: Any) -> Verdict:
        """Hand a delivery in, signed with the connection's secret unless `headers` or `secret` are given."""
        text = body if isinstance(body, str) else orjson.dumps(body).decode()
        headers = more.get("headers") or self.signed(text, key, more.get("secret"))
        limits = {"most_open": more["most_open"]} if "most_open" in more else {}
        token = more.get("token", self.token)
        return await self.database.command(accept, NOBODY, CONNECTORS, self.ref, token, headers, text, **limits)

    async def deliver(self, body: object, key: str = "evt-1") -> None:
        """Hand a delivery in, and apply what is due."""
        assert await self.offer(body, key) is Verdict.KEPT
        await self.apply()

    async def apply(self) -> None:
        """Apply what is due, as a process without a name."""
        while await Runner(self.database, CONNECTORS, self.clock, "tests").step():
            pass

    async def kept(self) -> list[Any]:
        """Every delivery: key, state, whether its body is there, attempts and reason."""

        def read(work: Work) -> list[Any]:
            columns = (inbox.c.event_key, inbox.c.state, inbox.c.body.is_not(None), inbox.c.attempts, inbox.c.reason)
            return [tuple(row) for row in work.connection.execute(sa.select(*columns).order_by(inbox.c.id))]

        return await self.database.command(read)

    async def system(self) -> ConnectedSystem:
        found = await self.database.command(lambda work: work.use(ConnectedSystemRepository).get(self.id))
        assert found is not None
        return found


def signed(secret: str, body: str, key: str = "evt-1") -> dict[str, str]:
    """The headers with which a sender signs the body now."""
    at = datetime.now(UTC)
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(key, at, body),
    }


async def connect(database: Database, clock: ManualClock, name: str = "Shop", **settings: object) -> Source:
    """A new connection of an HTTP source."""
    new = NewConnection(system="HTTP", name=name, settings=settings)
    made = await database.command(create_connection, ADA, CONNECTORS, new)
    assert made.secret is not None
    return Source(database, clock, made.system.id, made.system.token, made.secret)


@pytest.fixture
async def source(database: Database, clock: ManualClock) -> Source:
    """The connection `Shop`, beside the users of the kinds' tests."""
    await database.command(store_users)
    return await connect(database, clock)


def hello(key: str = "m-1", text: str = "Hello?", **more: object) -> dict[str, object]:
    """A delivery in which Ana writes."""
    message = {"key": key, "author": "CUSTOMER", "sent_at": "2026-01-05T08:59:00Z", "text": text, **more}
    return {"customer": {"key": "c-17", "name": "Ana"}, "messages": [message]}
