"""Liveness (`/healthz`) and readiness (`/readyz`) of the process."""

import asyncio
from collections.abc import Generator, Sequence
from typing import NamedTuple

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.core.errors import Unavailable
from app.core.fairness import SERVER
from app.feed import NOT_READABLE
from app.http.services import Services, services_of
from app.storage.database import Query, Row

log = structlog.get_logger(__name__)

_NOT_KEPT = {"cache-control": "no-store"}
_REVISION = Query("SELECT version_num FROM alembic_version")


async def healthz(_request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "up"}, headers=_NOT_KEPT)


class _Found(NamedTuple):
    """The revision of the database, and why the process cannot do its work."""

    revision: str | None
    fault: str | None


class Readiness:
    """Asks the database once for all who want to know at the same time, however long it takes to answer. Each of them
    waits for `patience` seconds."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._asking: asyncio.Task[_Found] | None = None

    async def readyz(self, request: Request) -> JSONResponse:
        """200 when the database answers, is migrated and its keys can be checked; otherwise 503 with the reason.

        Replicas that are not used, and a shared store that does not answer, are named as `degraded`: the primary, and
        each process for itself, does their work."""
        services = services_of(request.scope)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(_ask(services))
        await asyncio.wait([self._asking], timeout=self._patience)
        found = self._asking.result() if self._asking.done() else _Found(None, "The database does not answer.")
        fault = NOT_READABLE if found.fault is None and services.connections.feed.is_silent else found.fault
        if fault is None:
            return JSONResponse(
                {"status": "ready", "revision": found.revision, **_degraded(services)}, headers=_NOT_KEPT
            )
        log.warning("not ready", reason=fault)
        return JSONResponse({"status": "unavailable", "reason": fault}, 503, headers=_NOT_KEPT)


def _degraded(services: Services) -> dict[str, object]:
    replicas, store = services.database.replicas, services.store
    found: list[dict[str, object]] = []
    if replicas is not None:
        found += [{"replica": number, "reason": reason} for number, reason in replicas.left.items()]
    if store is not None and store.fault is not None:
        found.append({"sharedStore": "left", "reason": store.fault})
    return {"degraded": found} if found else {}


async def _ask(services: Services) -> _Found:
    try:
        revision = await services.database.plan(_revision, snapshot=False, caller=SERVER)
        if revision is None:
            return _Found(None, "The database is not migrated.")
        return _Found(revision, await services.tokens.fault())
    except Unavailable as error:
        return _Found(None, error.message)
    except Exception as error:
        log.warning("the database cannot be read", exc_info=error)
        return _Found(None, "The database cannot be read.")


def _revision() -> Generator[Query, Sequence[Row], str | None]:
    rows = yield _REVISION
    return str(rows[0][0]) if rows else None
