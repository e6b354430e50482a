"""Makes spans of answers and deliveries, once they have ended."""

from collections.abc import Mapping
from contextlib import contextmanager
from secrets import randbits
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from app.core.trail import Trail
from app.http.watching import Answered
from app.outbound import Sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

Value = str | int | float | bool
Attributes = Mapping[str, Value]

_NANOSECONDS = 1_000_000_000


class Ids(IdGenerator):
    """Gives out the ids that a trail has already told others, and random ones otherwise."""

    def __init__(self) -> None:
        self._told: tuple[int, int] | None = None

    @contextmanager
    def telling(self, trace_id: str, span_id: str) -> "Iterator[None]":
        """The span that is begun in the block has these."""
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
    """A watcher of answers, and of requests to other servers. It is called in the loop alone."""

    def __init__(self, tracer: Tracer, ids: Ids) -> None:
        self._tracer = tracer
        self._ids = ids

    def answered(self, answered: Answered) -> None:
        """Make a span of the request, one of its operation below it, and one of each statement and command."""
        trail = answered.trail
        if trail.trace_id is None or trail.span is None or not trail.is_sampled:
            return
        about: dict[str, Value] = {"http.request.method": answered.method, "url.path": answered.path}
        if answered.status:
            about["http.response.status_code"] = answered.status
        request = self._request(answered, about)
        inside = trace.set_span_in_context(request)
        if trail.operation is not None or trail.kind is not None:
            operation = self._operation(answered, inside)
            inside = trace.set_span_in_context(operation)
            operation.end(_end(answered))
        for step in trail.steps or ():
            of_step: dict[str, Value] = {"switchboard.rows": step.rows}
            name = step.kind if step.kind == "statement" else f"{step.kind} {step.text}"
            if step.kind == "statement":
                of_step["db.query.text"] = step.text
            span = self._tracer.start_span(
                name, inside, SpanKind.CLIENT, of_step, start_time=int(step.began * _NANOSECONDS)
            )
            span.end(int((step.began + step.seconds) * _NANOSECONDS))
        request.end(_end(answered))

    def sent(self, sent: Sent) -> None:
        """Make a span of a request to another server, such as a delivery."""
        trail = sent.trail
        if trail.trace_id is None or trail.span is None or not trail.is_sampled:
            return
        about: dict[str, Value] = {"http.request.method": sent.method, "server.address": sent.host}
        if sent.status:
            about["http.response.status_code"] = sent.status
        with self._ids.telling(trail.trace_id, trail.span):
            span = self._tracer.start_span(
                f"delivery {sent.method}",
                _above(trail),
                SpanKind.CLIENT,
                about,
                start_time=int(sent.began * _NANOSECONDS),
            )
        if not sent.status:
            span.set_status(Status(StatusCode.ERROR))
        span.end(int((sent.began + sent.seconds) * _NANOSECONDS))

    def _request(self, answered: Answered, about: Attributes) -> "Span":
        trail = answered.trail
        assert trail.trace_id is not None
        assert trail.span is not None
        with self._ids.telling(trail.trace_id, trail.span):
            return self._tracer.start_span(
                f"{answered.method} {answered.path}",
                _above(trail),
                SpanKind.SERVER,
                about,
                start_time=int(answered.began * _NANOSECONDS),
            )

    def _operation(self, answered: Answered, inside: "Context") -> "Span":
        trail = answered.trail
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
            start_time=int(answered.began * _NANOSECONDS),
        )
        if trail.code is not None:
            span.set_status(Status(StatusCode.ERROR, trail.code))
        return span


def _above(trail: Trail) -> "Context":
    """Where the trail's span hangs: below the caller's, or nowhere."""
    if trail.parent is None or trail.trace_id is None:
        return trace.set_span_in_context(trace.INVALID_SPAN)
    parent = SpanContext(int(trail.trace_id, 16), int(trail.parent, 16), True, TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(parent))


def _end(answered: Answered) -> int:
    return int((answered.began + answered.seconds) * _NANOSECONDS)
