"""The contract's statuses and error body.

Its pages name the statuses and what each is called. The body is ours, because none is documented."""

from types import MappingProxyType

from app.core import codes
from app.rest import Refusal, Reply

STATUSES = MappingProxyType(
    {
        "INVALID_INPUT": 422,
        "INVALID_CURSOR": 422,
        "TOO_LONG": 422,
        "NOT_SUPPORTED": 422,
        "UNREACHABLE": 422,
        "ALREADY_EXISTS": 422,
    }
)

_TYPES = MappingProxyType(
    {
        400: "bad_request",
        401: "unauthorized",
        403: "forbidden",
        404: "not_found",
        405: "method_not_allowed",
        409: "conflict",
        413: "payload_too_large",
        415: "unsupported_media_type",
        422: "record_invalid",
        429: "too_many_requests",
        500: "internal_server_error",
        503: "service_unavailable",
    }
)
_NAMED = MappingProxyType(
    {
        codes.UNKNOWN_PATH: "routing_error",
        "ALREADY_EXISTS": "record_not_unique",
        "PARAMETER_MISSING": "parameter_missing",
    }
)


def refused(refusal: Refusal) -> Reply:
    """`{"error": {"type", "message", "fields"}}`; `fields` only where one of the body is at fault, by its path."""
    error: dict[str, object] = {
        "type": _NAMED.get(refusal.code, _TYPES.get(refusal.status, "bad_request")),
        "message": refusal.message,
    }
    if refusal.path and refusal.status != 404:
        error["fields"] = {".".join(map(str, refusal.path)): refusal.message}
    return Reply(status=refusal.status, body={"error": error}, headers=refusal.headers)
