"""Whether the process is up (`/healthz`) and whether it can do its work (`/readyz`)."""

import asyncio
from collections.abc import Generator, Sequence

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.core.fairness import SERVER
from app.storage.database import Query, Row
from app.transport.services import services_of

log = structlog.get_logger(__name__)

_PATIENCE = 2.0
_REVISION = Query("SELECT version_num FROM alembic_version")


async def healthz(_request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "up"})


async def readyz(request: Request) -> JSONResponse:
    """200 when the database answers, is migrated and its keys can be checked, 503 otherwise."""
    services = services_of(request.scope)
    fault = None
    try:
        async with asyncio.timeout(_PATIENCE):
            revision = await services.database.plan(_revision, snapshot=False, caller=SERVER)
            fault = await services.tokens.fault()
    except Exception as error:
        log.warning("not ready", exc_info=error)
        revision = None
    if revision is None:
        return JSONResponse({"status": "unavailable"}, 503)
    if fault is not None:
        log.warning("not ready", reason=fault)
        return JSONResponse({"status": "unavailable", "reason": fault}, 503)
    return JSONResponse({"status": "ready", "revision": revision})


def _revision() -> Generator[Query, Sequence[Row], str | None]:
    rows = yield _REVISION
    return str(rows[0][0]) if rows else None
