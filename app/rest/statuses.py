"""The HTTP status of each error code; docs/errors.md shows it."""

from collections.abc import Mapping
from types import MappingProxyType

STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "UNAUTHENTICATED": 401,
        "FORBIDDEN": 403,
        "NOT_FOUND": 404,
        "INVALID_INPUT": 400,
        "INVALID_CURSOR": 400,
        "TOO_LONG": 400,
        "TOO_COMPLEX": 400,
        "CONFLICT": 409,
        "INVALID_TRANSITION": 409,
        "ALREADY_CLAIMED": 409,
        "VERSION_CONFLICT": 409,
        "NEWER_MESSAGE": 409,
        "NOT_CLEARABLE": 409,
        "KEY_REUSED": 409,
        "ALREADY_EXISTS": 409,
        "ALREADY_RECEIVED": 409,
        "TOO_MANY": 409,
        "NO_SECRETS_KEY": 409,
        "DISABLED": 409,
        "UNREACHABLE": 409,
        "NOT_SUPPORTED": 400,
        "CURSOR_EXPIRED": 410,
        "RATE_LIMITED": 429,
        "TIMEOUT": 503,
        "UNAVAILABLE": 503,
        "OUTCOME_UNKNOWN": 500,
        "INTERNAL": 500,
    }
)
