"""Logs access and slow operations."""

from collections.abc import Callable, Mapping, Sequence
from random import random
from typing import Any, NamedTuple

import structlog

from app.core.log_limit import ACCESS_LOG
from app.core.trail import Trail
from app.settings import Settings

_access = structlog.get_logger(ACCESS_LOG)
_log = structlog.get_logger(__name__)

MOST_STEPS = 50
"""Statements of a slow operation that are logged."""


class Noting(NamedTuple):
    """What is noted of each request: its steps, and its trace, of which so large a share is wanted."""

    steps: bool = False
    traces: bool = False
    share: float = 1.0

    @staticmethod
    def of(settings: Settings) -> "Noting":
        """What the settings ask for."""
        return Noting(settings.notes_steps, settings.traces_url is not None, settings.traces_share)

    def trail(self, request_id: str, traceparent: bytes | None = None) -> Trail:
        """The trail of a new request, which takes part in its caller's trace."""
        trail = Trail(request_id, noting=self.steps)
        if self.traces:
            trail.trace(traceparent)
            if trail.parent is None:
                trail.is_sampled = random() < self.share
        return trail


Asked = Mapping[str, Any]
"""The scope of a request, or that of a WebSocket's operation."""

Watcher = Callable[[Trail, Asked], None]
"""Called with each answer as it ends."""


def method_of(asked: Asked) -> str:
    """The method of HTTP; that of a WebSocket's handshake."""
    method: str = asked.get("method", "GET")
    return method


def path_of(trail: Trail, asked: Asked) -> str:
    """Its path. What is in that of a contract may be somebody's telephone number, or hard to guess: it is that of the
    operation."""
    if trail.transport == "rest" and trail.operation is not None:
        return trail.operation.partition(" ")[2]
    path: str = asked["path"]
    return path


def _address(trail: Trail, asked: Asked) -> str:
    """Who asked; empty for an operation of a WebSocket."""
    client = None if trail.transport == "websocket" else asked.get("client")
    return "" if client is None else str(client[0])


def watchers_of(settings: Settings) -> Sequence[Watcher]:
    """Those that the settings ask for."""
    found: list[Watcher] = []
    if settings.access_log:
        found.append(access_line)
    if settings.slow_log is not None:
        found.append(SlowOperations(settings.slow_log.total_seconds()))
    return found


def access_line(trail: Trail, asked: Asked) -> None:
    """Log an entry; the request's id, operation, client and user are added to it as to every other."""
    details: dict[str, object] = {} if trail.code is None else {"code": trail.code}
    _access.info(
        "answered",
        transport=trail.transport,
        method=method_of(asked),
        path=path_of(trail, asked),
        status=trail.status,
        ms=round(trail.seconds * 1_000, 1),
        address=_address(trail, asked),
        **details,
    )


class SlowOperations:
    """Logs each operation that took longer than `most` seconds, with its statements. Those hold no value of a client:
    arguments of statements are not part of their text. A subscription takes as long as its client likes."""

    def __init__(self, most: float) -> None:
        self._most = most

    def __call__(self, trail: Trail, _asked: Asked) -> None:
        if trail.seconds < self._most or trail.operation is None or trail.kind == "subscription":
            return
        steps = trail.steps or ()
        _log.warning(
            "slow operation",
            transport=trail.transport,
            status=trail.status,
            ms=round(trail.seconds * 1_000, 1),
            steps=len(steps),
            plan=[
                {"kind": each.kind, "ms": round(each.seconds * 1_000, 1), "rows": each.rows, "text": each.text}
                for each in steps[:MOST_STEPS]
            ],
        )
