"""Cross-origin requests: allowed origins, methods and headers (CORS)."""

from collections.abc import Sequence

import structlog
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.rest.headers import header_of

log = structlog.get_logger(__name__)

ORIGINS = "SWITCHBOARD_ALLOWED_ORIGINS"
HEADERS = "SWITCHBOARD_ALLOWED_HEADERS"

SENT = (
    "Accept",
    "Accept-Language",
    "Authorization",
    "Cache-Control",
    "Content-Encoding",
    "Content-Language",
    "Content-Type",
    "Idempotency-Key",
    "If-Unmodified-Since",
    "Last-Event-ID",
    "SO-AppToken",
    "SO-Culture",
    "SO-Language",
    "SO-TimeZone",
    "X-API-Key",
    "X-Request-ID",
    "X-Requested-With",
    # Of tracing.
    "B3",
    "Baggage",
    "NewRelic",
    "Sentry-Trace",
    "Traceparent",
    "Tracestate",
    "X-B3-Flags",
    "X-B3-ParentSpanId",
    "X-B3-Sampled",
    "X-B3-SpanId",
    "X-B3-TraceId",
    "X-Datadog-Origin",
    "X-Datadog-Parent-Id",
    "X-Datadog-Sampling-Priority",
    "X-Datadog-Tags",
    "X-Datadog-Trace-Id",
    # Of clients that name themselves and their operations.
    "Apollo-Require-Preflight",
    "ApolloGraphQL-Client-Name",
    "ApolloGraphQL-Client-Version",
    "GraphQL-Client-Name",
    "GraphQL-Client-Version",
    "X-Client-Name",
    "X-Apollo-Operation-Id",
    "X-Apollo-Operation-Name",
    "X-GraphQL-Client-Name",
    "X-GraphQL-Client-Version",
)
"""The request headers that clients of the five APIs send."""

READ = ("Allow", "Retry-After", "WWW-Authenticate", "X-Request-ID")
"""The headers of answers that pages may read."""

_LONGEST_ORIGIN = 60


def refused_origin(origin: str) -> str:
    """Log that the origin is not allowed, and return what its page is told."""
    shown = origin[:_LONGEST_ORIGIN]
    log.warning("a page of an origin that is not allowed was refused", origin=shown, setting=ORIGINS)
    return f"Origin {shown} is not in {ORIGINS}; another port is another origin"


class Cors(CORSMiddleware):
    """CORS without cookies; a refused preflight says which setting allows what was asked."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str], headers: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=(*SENT, *headers),
            expose_headers=READ,
            allow_private_network=True,  # a server of a house may be asked by a page from outside that is allowed
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if header_of(scope, b"origin") is None:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        origin = request_headers["origin"]
        if not self.is_allowed_origin(origin):
            text = f"{refused_origin(origin)}."
        else:
            text = f"A method or a header of the request is not allowed; {HEADERS} adds headers."
        # Those of the first answer but for its length.
        headers = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        return PlainTextResponse(text, answer.status_code, headers)
