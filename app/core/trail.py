"""What is known of the current request, for logs, metrics and traces."""

import re
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from secrets import token_hex
from typing import Any, NamedTuple

CLIENT_NAMES = (b"x-client-name", b"apollographql-client-name", b"graphql-client-name")
"""The headers in which clients name themselves. The first one present counts."""

_CLIENT = re.compile(r"[ -~]{1,64}")
_TRACEPARENT = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 1


class Step(NamedTuple):
    """A statement or command that a request waited for: its name, its number of rows, when it began by `time.time`, and
    how many seconds it took."""

    kind: str
    text: str
    rows: int
    began: float
    seconds: float


class Trail:
    """One request, or one operation of a WebSocket. It is filled in as more becomes known.

    `parent` is the caller's span, if it sent one by W3C Trace Context. `is_sampled` is the caller's flag that the trace
    is wanted. Steps are recorded where `steps` is a list."""

    __slots__ = (
        "client",
        "code",
        "is_sampled",
        "kind",
        "operation",
        "parent",
        "request_id",
        "seconds",
        "span",
        "status",
        "steps",
        "trace_id",
        "transport",
        "user_id",
    )

    def __init__(self, request_id: str = "", *, noting: bool = False) -> None:
        self.request_id = request_id
        self.operation: str | None = None
        self.kind: str | None = None
        self.client: str | None = None
        self.user_id: int | None = None
        self.code: str | None = None
        """The code of the first error in the answer."""
        self.trace_id: str | None = None
        self.span: str | None = None
        self.parent: str | None = None
        self.is_sampled = True
        self.steps: list[Step] | None = [] if noting else None
        self.transport = ""
        """How it was asked for. It is set at the end, as are the status and the seconds."""
        self.status = 0
        """That of HTTP. 0 if the client left before there was one, and for operations of a WebSocket."""
        self.seconds = 0.0
        """How long it took."""

    def trace(self, traceparent: bytes | None) -> None:
        """Join the caller's trace, or begin a new one."""
        found = None if traceparent is None else _TRACEPARENT.fullmatch(traceparent)
        if found is None:
            self.trace_id = token_hex(16)
        else:
            self.trace_id, self.parent = found[1].decode(), found[2].decode()
            self.is_sampled = bool(int(found[3], 16) & _SAMPLED)
        self.span = token_hex(8)

    @property
    def traceparent(self) -> str | None:
        """The header with which another server can join the trace; None without a trace."""
        if self.trace_id is None:
            return None
        return f"00-{self.trace_id}-{self.span}-{'01' if self.is_sampled else '00'}"

    def refused(self, code: str) -> None:
        """Record that an error is part of the answer."""
        if self.code is None:
            self.code = code


_CURRENT: ContextVar[Trail | None] = ContextVar("trail", default=None)

current = _CURRENT.get
"""The trail of the running task; None in the server's own work, where no request is answered."""

follow = _CURRENT.set
"""Make this the trail of the running task."""


def client_named(given: Mapping[bytes, bytes]) -> str | None:
    """The client's name from the headers. None unless it has at most 64 printable ASCII characters."""
    for name in CLIENT_NAMES:
        value = given.get(name)
        if value is not None:
            text = value.decode("latin-1")
            return text if _CLIENT.fullmatch(text) else None
    return None


def with_trail(_logger: object, _name: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog that adds what is known of the request to an entry."""
    trail = current()
    if trail is not None:
        for name in ("request_id", "operation", "client", "user_id", "trace_id"):
            value = getattr(trail, name)
            if value is not None and name not in entry:
                entry[name] = value
    return entry
