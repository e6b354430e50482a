"""The composition root: `create_app(settings)` builds everything; nothing is global."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from app.budgets.store import Store, opened
from app.connections import rest as connections
from app.connections.keeping import keeping
from app.connections.runner import applying
from app.console import pages as console
from app.core.clock import Clock, utc_now
from app.core.credentials import Authenticator, KnownKeys
from app.core.ids import Ids, TimeOrderedIds
from app.core.issuers import unknown_permissions
from app.directory.authenticator import KeyAuthenticator
from app.directory.model.refusal import Refusals
from app.directory.people import PersonAuthenticator
from app.directory.refusing import refusing
from app.directory.service import note_sessions
from app.directory.ticketing import StreamTickets
from app.dispatcher import DispatchLimits, dispatching, following
from app.execution.operation import Operations
from app.execution.persisted import Persisted
from app.execution.trusted import read_trusted
from app.graph.context import Outside
from app.graph.slice import Slice
from app.http.compression import Compression, turns_of_large
from app.http.contracts import ContractRoute
from app.http.cors import Cors
from app.http.graphql_http import GraphQLOverHttp
from app.http.handshake import GraphQLOverWebSocket
from app.http.health import Readiness, healthz
from app.http.in_flight import InFlight
from app.http.pace import BUSY, BUSY_BESIDE_READERS
from app.http.pages.site import Site
from app.http.rate_limit import Limiter
from app.http.request_id import RequestId
from app.http.services import Services
from app.http.shortcut import Application, Shortcut
from app.http.watching import Noting, Watcher, watchers_of
from app.interactions.service.watching import watch
from app.live.checking import Checking
from app.live.connections import ConnectionLimits
from app.live.lifespan import LeasesOf, live
from app.metrics import Counts, measuring
from app.openid import tokens_of
from app.outbound import OutboundClient
from app.registry import CONNECTORS, KINDS, PERMISSIONS
from app.rest import Contract
from app.rest.contract import with_contracts
from app.rest.reading import Reads
from app.scheduler import scheduling
from app.schema import SLICES, build_catalogue, build_schema
from app.selection.compiler import Compiler
from app.settings import Settings, SettingsError
from app.storage.database import Database, open_database
from app.tracing import tracing

CONTRACTS = tuple(kind.contract for kind in KINDS if kind.contract is not None)
"""The REST contracts of the kinds that have one."""


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    ids: Ids | None = None,
    slices: tuple[Slice, ...] = SLICES,
    authenticator: Callable[[Database], Authenticator] | None = None,
    contracts: Sequence[Contract] = CONTRACTS,
    limits: ConnectionLimits | None = None,
    dispatch_limits: DispatchLimits | None = None,
    sharing: Callable[[Settings], AbstractAsyncContextManager[Store | None]] = opened,
) -> Starlette:
    """The application over a migrated database. It opens what it needs on start, and closes it on stop.

    Raises SettingsError for unknown permissions in the settings, and for documents that cannot be read."""
    _require_known_permissions(settings)
    taken = asyncio.Event()
    new_ids = TimeOrderedIds() if ids is None else ids
    rest: list[BaseRoute] = [
        ContractRoute(contract) for contract in (*contracts, connections.contract(CONNECTORS, taken))
    ]
    held_to = ConnectionLimits.of(settings) if limits is None else limits
    site = Site(
        Path(settings.graphiql_folder), [(contract.name, contract.base) for contract in contracts], settings.issuers
    )
    persisted = Persisted(read_trusted(settings), only_trusted=settings.documents_only)
    streams = {name: stream for slice_ in slices for name, stream in slice_.streams.items()}
    rules: Mapping[str, Any] = {kind.rules.name: kind.rules for kind in KINDS}

    turns = turns_of_large()
    compression = [Middleware(Compression, turns=turns)] if settings.compression else []
    cors = Middleware(Cors, origins=settings.allowed_origins, headers=settings.allowed_headers)
    graphql = GraphQLOverHttp(page=site.graphql)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Services]]:
        schema = build_schema(slices)
        catalogue = with_contracts(build_catalogue(schema, slices), contracts)
        counts = None if settings.metrics_port is None else Counts()
        client = OutboundClient(settings.outbound_networks)
        watchers: list[Watcher] = [*watchers_of(settings), *(() if counts is None else (counts,))]
        database = await open_database(
            settings.database_url,
            clock=clock,
            ids=new_ids,
            settings=settings,
            kinds=rules,
            read_urls=settings.read_url,
        )
        try:
            refusals = Refusals()
            issuer = KeyAuthenticator(database, settings, clock, PERMISSIONS, refusals)
            compiler = Compiler(catalogue, database.dialect)
            async with AsyncExitStack() as running:
                store = await running.enter_async_context(sharing(settings))
                operations = Operations(schema, compiler, database, settings, clock, persisted, store)
                running.enter_context(closing(operations))
                reads = Reads(compiler, database, operations.costs.budget)
                tokens = await running.enter_async_context(tokens_of(settings.issuers, clock))
                if (traces := running.enter_context(tracing(settings))) is not None:
                    watchers.append(traces.answered)
                    client.watch = traces.sent
                people = PersonAuthenticator(tokens, issuer, database, clock, PERMISSIONS, refusals)
                keys = KnownKeys(people if authenticator is None else authenticator(database), clock=clock)
                leases = LeasesOf(watch, note_sessions)
                found = await running.enter_async_context(
                    live(schema, streams, operations, database, keys, settings, clock, held_to, leases)
                )
                refused = await running.enter_async_context(refusing(database, refusals))
                await running.enter_async_context(scheduling(database, clock))
                await running.enter_async_context(applying(database, CONNECTORS, clock, taken))
                await running.enter_async_context(keeping(database, CONNECTORS, found.feed, client, clock))
                await running.enter_async_context(
                    dispatching(database, found.feed, found.subscriptions, client, settings, clock, dispatch_limits)
                )
                await running.enter_async_context(following(database, found.feed))
                checking = Checking(found.subscriptions, database, settings, clock)
                services = Services(
                    database,
                    operations,
                    keys,
                    issuer,
                    StreamTickets(database, clock, PERMISSIONS),
                    Limiter(settings.rate_limit, store),
                    InFlight(settings.max_requests_at_once, BUSY_BESIDE_READERS if settings.on_sqlite else BUSY),
                    reads,
                    settings,
                    clock,
                    found.subscriptions,
                    found.connections,
                    Outside(client, checking.require_durable),
                    watchers,
                    store,
                    refused.forbidden,
                )
                await running.enter_async_context(measuring(settings, services, counts, clock))
                yield {"services": services}
        finally:
            await client.aclose()
            await database.close()

    def in_front(app: ASGIApp, others: frozenset[bytes]) -> ASGIApp:
        compressing = Compression(app, turns) if settings.compression else None
        return Shortcut(app, "/graphql", graphql, new_ids, compressing, Noting.of(settings), others)

    return Application(
        in_front,
        lifespan=lifespan,
        routes=[
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", GraphQLOverWebSocket(allowed_origins=settings.allowed_origins)),
            Route("/healthz", healthz),
            Route("/readyz", Readiness(held_to.ready_seconds).readyz),
            *rest,
            *site.routes,
            *console.routes(settings.issuers, settings.vapid),
        ],
        middleware=[
            Middleware(RequestId, ids=new_ids, noting=Noting.of(settings)),
            cors,
            *compression,
        ],
    )


def _require_known_permissions(settings: Settings) -> None:
    faults = [
        f"SWITCHBOARD_ISSUERS: the group {group} of {issuer} has a permission that does not exist: {permission}."
        for issuer, group, permission in unknown_permissions(settings.issuers, PERMISSIONS)
    ]
    if faults:
        raise SettingsError("\n".join(faults))
