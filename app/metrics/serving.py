"""The HTTP server of `/metrics`."""

import asyncio
import errno
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.core.clock import Clock
from app.core.errors import DomainError
from app.core.fairness import SERVER
from app.http.config import Config
from app.http.cycle import send_whole
from app.http.http_protocol import HttpProtocol
from app.http.services import Services
from app.metrics.counts import Counts
from app.metrics.state import Seen, look
from app.rest.headers import header_of
from app.settings import Settings, SettingsError

log = structlog.get_logger(__name__)

PATIENCE = 2.0
"""Seconds that the database has for its part of a scrape."""

KEPT = 5.0
"""Seconds for which the database's answer is cached, however often somebody scrapes."""

AGAIN = 0.5
"""Seconds after which a worker checks again whether a port has become free."""

TEXT = b"text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def measuring(
    settings: Settings, services: Services, counts: Counts | None, clock: Clock, *, again: float = AGAIN
) -> AsyncIterator[None]:
    """Serve the metrics during the block, if the settings name a port.

    Each of several workers takes the first free port from that one on. A worker that replaces another waits until the
    other has ended. Raises SettingsError for a single process whose port is in use."""
    if settings.metrics_port is None or counts is None:
        yield
        return
    served = _Metrics(settings, services, counts, clock)
    config = Config(served, watched=False, log_config=None, access_log=False, lifespan="off", server_header=False)
    config.load()
    state = ServerState()
    protocol = partial(HttpProtocol, _uncounted, config=config, server_state=state, app_state={})
    server = await _listening(settings, protocol)
    if server is None and settings.workers == 1:
        raise SettingsError(f"SWITCHBOARD_METRICS_PORT: port {settings.metrics_port} is in use.")
    servers = [] if server is None else [server]
    waiting = asyncio.create_task(_until_free(settings, protocol, servers, again))
    try:
        yield
    finally:
        waiting.cancel()
        await asyncio.wait([waiting])
        for each in servers:
            each.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


def _uncounted(_was_answered: bool) -> None:
    """A connection has closed. On this port, connections are not counted by address."""


async def _until_free(
    settings: Settings, protocol: "partial[HttpProtocol]", servers: list[asyncio.Server], again: float
) -> None:
    while not servers:
        await asyncio.sleep(again)
        server = await _listening(settings, protocol)
        if server is not None:
            servers.append(server)


async def _listening(settings: Settings, protocol: "partial[HttpProtocol]") -> asyncio.Server | None:
    """A server at the first free port; None when none is free. Raises SettingsError for an address of another
    machine."""
    assert settings.metrics_port is not None
    loop, first = asyncio.get_running_loop(), settings.metrics_port
    for port in range(first, first + (settings.workers if first else 1)):
        try:
            server = await loop.create_server(protocol, settings.metrics_host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SettingsError(
                    f"SWITCHBOARD_METRICS_HOST: cannot listen at {settings.metrics_host}: {error.strerror}."
                ) from None
            continue
        log.info("metrics are served", host=settings.metrics_host, port=server.sockets[0].getsockname()[1])
        return server
    return None


class _Metrics:
    """A plain ASGI application."""

    def __init__(self, settings: Settings, services: Services, counts: Counts, clock: Clock) -> None:
        # Imported here, so that a process without metrics does not load the library.
        from prometheus_client import CollectorRegistry, ProcessCollector

        self._key = None if settings.metrics_key is None else settings.metrics_key.get_secret_value()
        self._services = services
        self._counts = counts
        self._clock = clock
        self._processes = CollectorRegistry()
        ProcessCollector(registry=self._processes)
        self._seen: Seen | None = None
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
        elif not self._lets_in(scope):
            await self._answer(scope, send, 401, b"Send the key as Authorization: Bearer <key>.\n")
        elif scope["path"] != "/metrics" or scope["method"] not in ("GET", "HEAD"):
            await self._answer(scope, send, 404, b"There is /metrics here, for GET.\n")
        else:
            await self._answer(scope, send, 200, await self._text())

    async def _answer(self, scope: Scope, send: Send, status: int, body: bytes) -> None:
        length = (b"content-length", b"%d" % len(body))
        more = [(b"www-authenticate", b"Bearer")] if status == 401 else []
        await send_whole(scope, send, (status, [(b"content-type", TEXT), length, *more], body))

    def _lets_in(self, scope: Scope) -> bool:
        if self._key is None:
            return True
        given = header_of(scope, b"authorization") or b""
        return hmac.compare_digest(given, b"Bearer " + self._key.encode())

    async def _text(self) -> bytes:
        from prometheus_client import CollectorRegistry, generate_latest

        from app.metrics.families import families

        await self._look()
        made = list(families(self._services, self._counts, self._seen))

        class Collected:
            def collect(self) -> object:
                return made

        registry = CollectorRegistry()
        registry.register(Collected())  # type: ignore[arg-type]
        return generate_latest(registry) + generate_latest(self._processes)

    async def _look(self) -> None:
        """Query the database once for all scrapes that run at the same time."""
        time = asyncio.get_running_loop().time
        if time() - self._looked_at < KEPT:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask())
        await asyncio.wait([self._looking], timeout=PATIENCE)
        if not self._looking.done():
            self._seen = None

    async def _ask(self) -> None:
        now = self._clock()
        try:
            database = self._services.database
            self._seen = await database.plan(lambda: look(database.dialect.name, now), snapshot=False, caller=SERVER)
            self._looked_at = asyncio.get_running_loop().time()
        except DomainError:
            self._seen = None
        except Exception:
            self._seen = None
            log.exception("what the database knows cannot be measured")
