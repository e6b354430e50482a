"""The composition root: `create_app(settings)` builds everything; nothing is global."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from app.core.clock import Clock, utc_now
from app.core.ids import Ids, TimeOrderedIds
from app.directory.authenticator import KeyAuthenticator
from app.registry import KINDS, PERMISSIONS
from app.schema import SLICES, build_catalogue, build_schema
from app.selection.compiler import Compiler
from app.settings import Settings
from app.storage.database import Database, open_database
from app.transport.auth import Authenticator, KnownKeys
from app.transport.health import healthz, readyz
from app.transport.http import GraphQLOverHttp
from app.transport.operation import Operations
from app.transport.request_id import RequestId
from app.transport.services import Services
from app.transport.slice import Slice

_HEADERS = ("Authorization", "Content-Type", "X-API-Key", "X-Request-ID", "Last-Event-ID")


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    ids: Ids | None = None,
    slices: Sequence[Slice] = SLICES,
    authenticator: Callable[[Database], Authenticator] | None = None,
) -> Starlette:
    """The application over a migrated database. It opens what it needs when it starts and closes it when it stops."""
    new_ids = TimeOrderedIds() if ids is None else ids
    rules: Mapping[str, Any] = {kind.rules.name: kind.rules for kind in KINDS}

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Services]]:
        schema = build_schema(slices)
        catalogue = build_catalogue(schema, slices)
        database = await open_database(settings.database_url, clock=clock, ids=new_ids, settings=settings, kinds=rules)
        try:
            found = (
                KeyAuthenticator(database, settings, clock, PERMISSIONS)
                if authenticator is None
                else authenticator(database)
            )
            keys = KnownKeys(found)
            operations = Operations(schema, Compiler(catalogue, database.dialect), database, settings, clock)
            yield {"services": Services(database, operations, keys, settings, clock)}
        finally:
            await database.close()

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/graphql", GraphQLOverHttp(max_body_bytes=settings.max_body_bytes)),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ],
        middleware=[Middleware(RequestId, ids=new_ids), *_cors(settings)],
    )


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=_HEADERS,
            expose_headers=("X-Request-ID",),
            max_age=600,
        )
    ]
