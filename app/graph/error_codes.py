"""The codes of refusals as an enum of the graph."""

from collections.abc import Mapping
from enum import Enum

from app.graph.enums import described

CODES: Mapping[str, str] = {
    "UNAUTHENTICATED": "The credentials are unknown, revoked or expired.",
    "FORBIDDEN": "The caller lacks the permission that the message names.",
    "NOT_FOUND": "The object does not exist, or the caller may not see it.",
    "INVALID_INPUT": "A value breaks a rule.",
    "INVALID_CURSOR": "The cursor is not one of this server's.",
    "TOO_LONG": "A text or a list is over its limit.",
    "TOO_COMPLEX": "The JSON of the request is over a limit.",
    "CONFLICT": "The state of the object does not allow the mutation.",
    "INVALID_TRANSITION": "The interaction cannot change from its state to the requested one.",
    "ALREADY_CLAIMED": "Another user holds the interaction.",
    "VERSION_CONFLICT": "The object has changed since it was read.",
    "NEWER_MESSAGE": "A message arrived after the latest one that the caller has seen.",
    "NOT_CLEARABLE": "The attention has reasons that clearing cannot end.",
    "KEY_REUSED": "The idempotency key was used before for another request.",
    "ALREADY_EXISTS": "A key that must be unique is taken.",
    "ALREADY_RECEIVED": "A message with this key was recorded before.",
    "TOO_MANY": "A set with a size limit is full.",
    "NO_SECRETS_KEY": "The server has no key to seal secrets of other systems.",
    "DISABLED": "The interaction accepts no new messages.",
    "UNREACHABLE": "The customer cannot be written to.",
    "NOT_SUPPORTED": "The kind of the interaction does not have the mutation.",
    "CURSOR_EXPIRED": "The cursor is older than events are kept.",
    "RATE_LIMITED": "The caller has used up its share; nothing was done.",
    "TIMEOUT": "The database stopped the work, which took too long.",
    "UNAVAILABLE": "The database cannot do it now; nothing was changed.",
    "OUTCOME_UNKNOWN": "The connection ended during the commit: either everything was done, or nothing.",
}
"""What each code of a DomainError means."""


class ErrorCode(Enum):
    """The codes of all refusals."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    INVALID_INPUT = "INVALID_INPUT"
    INVALID_CURSOR = "INVALID_CURSOR"
    TOO_LONG = "TOO_LONG"
    TOO_COMPLEX = "TOO_COMPLEX"
    CONFLICT = "CONFLICT"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    ALREADY_CLAIMED = "ALREADY_CLAIMED"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    NEWER_MESSAGE = "NEWER_MESSAGE"
    NOT_CLEARABLE = "NOT_CLEARABLE"
    KEY_REUSED = "KEY_REUSED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    ALREADY_RECEIVED = "ALREADY_RECEIVED"
    TOO_MANY = "TOO_MANY"
    NO_SECRETS_KEY = "NO_SECRETS_KEY"
    DISABLED = "DISABLED"
    UNREACHABLE = "UNREACHABLE"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    RATE_LIMITED = "RATE_LIMITED"
    TIMEOUT = "TIMEOUT"
    UNAVAILABLE = "UNAVAILABLE"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


described(
    ErrorCode,
    "The code of a refusal. A code never changes its meaning; new codes may be added. `extensions.code` of the "
    "response's `errors` has these codes, and codes for invalid requests.",
    CODES,
)
