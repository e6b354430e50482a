"""Makes spans of answers and deliveries, once they have ended."""

from collections.abc import Mapping
from contextlib import contextmanager
from secrets import randbits
from time import time
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from app.core.trail import Trail
from app.http.watching import Asked, method_of, path_of
from app.outbound import Sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

Value = str | int | float | bool
Attributes = Mapping[str, Value]

_NANOSECONDS = 1_000_000_000


class Ids(IdGenerator):
    """Generates the ids that a trail has already sent to others, and random ones otherwise."""

    def __init__(self) -> None:
        self._told: tuple[int, int] | None = None

    @contextmanager
    def telling(self, trace_id: str, span_id: str) -> "Iterator[None]":
        """The span that starts in the block gets these ids."""
        self._told = int(trace_id, 16), int(span_id, 16)
        try:
            yield
        finally:
            self._told = None

    def generate_trace_id(self) -> int:
        return self._told[0] if self._told is not None else randbits(128) or 1

    def generate_span_id(self) -> int:
        return self._told[1] if self._told is not None else randbits(64) or 1


class Traces:
    """A watcher of answers, and of requests to other servers. It is only called in the loop."""

    def __init__(self, tracer: Tracer, ids: Ids) -> None:
        self._tracer = tracer
        self._ids = ids

    def answered(self, trail: Trail, asked: Asked) -> None:
        """Make a span of the request, one of its operation below it, and one of each statement and command."""
        ended = time()
        began = ended - trail.seconds
        method, path = method_of(asked), path_of(trail, asked)
        about: dict[str, Value] = {"http.request.method": method, "url.path": path}
        if trail.status:
            about["http.response.status_code"] = trail.status
        request = self._told(trail, f"{method} {path}", SpanKind.SERVER, about, began)
        if request is None:
            return
        inside = trace.set_span_in_context(request)
        if trail.operation is not None or trail.kind is not None:
            operation = self._operation(trail, inside, began)
            inside = trace.set_span_in_context(operation)
            operation.end(_nanoseconds(ended))
        for step in trail.steps or ():
            of_step: dict[str, Value] = {"switchboard.rows": step.rows}
            name = step.kind if step.kind == "statement" else f"{step.kind} {step.text}"
            if step.kind == "statement":
                of_step["db.query.text"] = step.text
            span = self._tracer.start_span(name, inside, SpanKind.CLIENT, of_step, start_time=_nanoseconds(step.began))
            span.end(_nanoseconds(step.began + step.seconds))
        request.end(_nanoseconds(ended))

    def sent(self, sent: Sent) -> None:
        """Make a span of a request to another server, such as a delivery."""
        about: dict[str, Value] = {"http.request.method": sent.method, "server.address": sent.host}
        if sent.status:
            about["http.response.status_code"] = sent.status
        span = self._told(sent.trail, f"delivery {sent.method}", SpanKind.CLIENT, about, sent.began)
        if span is None:
            return
        if not sent.status:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_nanoseconds(sent.began + sent.seconds))

    def _told(self, trail: Trail, name: str, kind: SpanKind, about: Attributes, began: float) -> "Span | None":
        """Start the span whose ids were sent to others; None when the trace is not sampled."""
        if trail.trace_id is None or trail.span is None or not trail.is_sampled:
            return None
        with self._ids.telling(trail.trace_id, trail.span):
            return self._tracer.start_span(name, _above(trail), kind, about, start_time=_nanoseconds(began))

    def _operation(self, trail: Trail, inside: "Context", began: float) -> "Span":
        known: dict[str, Value | None] = {
            "graphql.operation.type": trail.kind,
            "graphql.operation.name": trail.operation,
            "switchboard.client": trail.client,
            "user.id": trail.user_id,
            "error.type": trail.code,
        }
        about = {name: value for name, value in known.items() if value is not None}
        span = self._tracer.start_span(
            f"{trail.kind} {trail.operation or ''}".strip(),
            inside,
            attributes=about,
            start_time=_nanoseconds(began),
        )
        if trail.code is not None:
            span.set_status(Status(StatusCode.ERROR, trail.code))
        return span


def _above(trail: Trail) -> "Context":
    """The parent of the trail's span: the caller's span, or none."""
    if trail.parent is None or trail.trace_id is None:
        return trace.set_span_in_context(trace.INVALID_SPAN)
    parent = SpanContext(int(trail.trace_id, 16), int(trail.parent, 16), True, TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(parent))


def _nanoseconds(moment: float) -> int:
    """A time of `time.time` in nanoseconds, as OpenTelemetry takes it."""
    return int(moment * _NANOSECONDS)
