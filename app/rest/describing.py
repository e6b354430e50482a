"""The descriptions of contracts and operations for OpenAPI."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from app.rest.parameters import Parameter

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a successful request. `shape` is the type of its body, such as a TypedDict; None without a body."""

    status: int
    what: str
    shape: Any = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The body of a request: its shape in each media type."""

    shapes: Mapping[str, Any]
    required: bool = True


def sent(shape: Any, *types: str, required: bool = True) -> Sent:
    """A body of one shape in any of these media types; application/json when none is named."""
    return Sent(dict.fromkeys(types or (JSON_TYPE,), shape), required)


@dataclass(frozen=True, slots=True)
class About:
    """The name, parameters and answers of an operation. `refuses` are statuses beside those of every operation of the
    contract; `otherwise` are those of its own refusals that have another shape."""

    id: str
    summary: str
    _: KW_ONLY
    answer: Answer
    parameters: tuple[Parameter, ...] = ()
    body: Sent | None = None
    refuses: tuple[int, ...] = ()
    otherwise: tuple[Answer, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers whose shape is the operation's own."""
        return (self.answer, *self.otherwise)


class Refused(NamedTuple):
    """A status of a refusal: its name among the document's responses, and its meaning."""

    name: str
    what: str
    headers: Mapping[str, Any] = MappingProxyType({})


_PAUSE = {
    "Retry-After": {
        "description": "Seconds after which one more request is taken.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_SCHEMES = {"WWW-Authenticate": {"description": "The schemes that are taken.", "schema": {"type": "string"}}}

REFUSED: Mapping[int, Refused] = MappingProxyType(
    {
        400: Refused("BadRequest", "The request cannot be read."),
        401: Refused("Unauthorized", "No valid credentials.", _SCHEMES),
        403: Refused("Forbidden", "A permission is missing."),
        404: Refused("NotFound", "There is no such thing."),
        406: Refused("NotAcceptable", "The answer cannot be given in the type that was asked for."),
        409: Refused("Conflict", "It is not in a state for this."),
        412: Refused("PreconditionFailed", "It has changed since."),
        413: Refused("TooLarge", "The body is too large."),
        415: Refused("UnsupportedMediaType", "The body is of a type that is not taken."),
        422: Refused("Unprocessable", "A value breaks a rule."),
        429: Refused("TooManyRequests", "Too many requests.", _PAUSE),
        503: Refused("Unavailable", "It cannot be done now; repeat after a pause.", _PAUSE),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A contract in words. Paths are told below `server`.

    `error` is the shape of the body of a refusal, `errors` are those of statuses that have another. Every operation
    that needs a key refuses with the statuses `always`, every one that takes a body with those `with_body`.
    `security` are ways to a key that no header of a request shows."""

    title: str
    version: str
    what: str
    error: Any
    errors: Mapping[int, Any] = field(default_factory=dict)
    always: tuple[int, ...] = (400, 401, 403, 429, 503)
    with_body: tuple[int, ...] = (413, 415)
    answered_in: tuple[str, ...] = (JSON_TYPE,)
    server: str = "/"
    security: Mapping[str, Any] = field(default_factory=dict)
