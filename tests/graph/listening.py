"""Subscriptions to the product's graph in the test's own loop, without a server between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from app.core.actor import Actor
from app.core.credentials import KnownKeys
from app.execution.outcome import GraphQLRequest, Outcome, Refused
from app.graph.context import Context
from app.live.connections import ConnectionLimits
from app.live.items import Subscriber
from app.live.lifespan import Live, live
from app.schema import SLICES
from tests.graph.running import ADMIN, SCHEMA, Graph
from tests.leases import LEASES
from tests.serving import PATIENCE

STREAMS = {name: stream for slice_ in SLICES for name, stream in slice_.streams.items()}


class _NoKeys:
    async def actor_of(self, _key: str) -> Actor | None:
        return None


class Listener:
    """One subscription."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._next: asyncio.Task[Any] | None = None
        self.cursor: str | None = None

    async def next(self) -> Any:
        """The value of the subscription's field in the next item."""
        async with asyncio.timeout(PATIENCE):
            found = await (self._next or self._subscriber.next())
        self._next = None
        self.cursor = found.cursor
        answer = orjson.loads(found.text)
        assert "errors" not in answer, answer
        (value,) = answer["data"].values()
        return value

    async def silent(self, seconds: float = 0.05) -> bool:
        """Whether nothing comes for a while."""
        if self._next is None:
            self._next = asyncio.create_task(self._subscriber.next())
        done, _ = await asyncio.wait([self._next], timeout=seconds)
        return not done

    def close(self) -> None:
        if self._next is not None:
            self._next.cancel()
        self._subscriber.close()


class Ears:
    """Who listens to a graph."""

    def __init__(self, graph: Graph, found: Live) -> None:
        self.graph = graph
        self.live = found
        self._opened: list[Listener | Subscriber] = []

    async def listen(self, query: str, actor: Actor = ADMIN, /, **variables: object) -> Listener:
        listener = Listener(await self.open(query, actor, **variables))
        self._opened.append(listener)
        return listener

    async def open(self, query: str, actor: Actor = ADMIN, /, **variables: object) -> Subscriber:
        """A subscription as the transports have it; it is closed with the others."""
        context = Context(self.graph.database, actor, self.graph.settings, self.graph.clock)
        request = GraphQLRequest(query, variables=variables)
        found = await self.graph.operations.find(request, context)
        if isinstance(found, Outcome):
            raise Refused(orjson.loads(found.body)["errors"], found.phase)
        subscriber = await self.live.subscriptions.open(found, request, context)
        self._opened.append(subscriber)
        return subscriber

    async def refused(self, query: str, actor: Actor = ADMIN, /, **variables: object) -> list[Any]:
        """The code and the argument at fault of each error with which a subscription is refused."""
        try:
            await self.listen(query, actor, **variables)
        except Refused as refused:
            extensions: list[Any] = [entry["extensions"] for entry in refused.entries]
            return [(each["code"], *each.get("argument", ())) for each in extensions]
        raise AssertionError("it was not refused")

    def close(self) -> None:
        for each in reversed(self._opened):
            each.close()


@asynccontextmanager
async def ears(graph: Graph, url: str) -> AsyncIterator[Ears]:
    keys = KnownKeys(_NoKeys())
    settings = graph.settings.model_copy(update={"database_url": url})
    limits = ConnectionLimits()
    async with (
        live(SCHEMA, STREAMS, graph.operations, graph.database, keys, settings, graph.clock, limits, LEASES) as found,
        found.feed.held(),
    ):
        opened = Ears(graph, found)
        yield opened
        opened.close()
