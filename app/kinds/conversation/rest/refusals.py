"""The contract's refusals, in the format of Laravel's errors."""

import re
from collections.abc import Sequence
from types import MappingProxyType

from app.rest import Refusal, Reply

STATUSES = MappingProxyType(
    {
        "INVALID_INPUT": 422,
        "INVALID_CURSOR": 422,
        "TOO_LONG": 422,
        "NOT_SUPPORTED": 422,
        "UNREACHABLE": 422,
    }
)

_MESSAGES = MappingProxyType({401: "Unauthenticated.", 429: "Too Many Attempts.", 500: "Server Error"})
_OF_FILES = MappingProxyType(
    {"uuid": "internal_uuid", "mime_type": "mime_type", "size": "size", "public_download_url": "url"}
)
_PREFIX = re.compile(r"\b[a-z]{3}_(?=[0-9]+\b)")
_WITH_FILE = ("image", "video", "audio", "document")


def refused(refusal: Refusal) -> Reply:
    """`{"message"}`, with `errors` by field where the request's content is at fault."""
    # The contract names things by number only.
    message = _PREFIX.sub("", _MESSAGES.get(refusal.status, refusal.message))
    body: dict[str, object] = {"message": message}
    if refusal.status == 422 and refusal.path:
        body["errors"] = {_field(refusal.path): [message]}
    return Reply(status=refusal.status, body=body, headers=refusal.headers)


def _field(path: Sequence[str | int]) -> str:
    """The path in the request's own names. A request sends beside the content what is stored inside a file's
    content."""
    head, *rest = path
    if head == "content" and rest:
        path = rest
        if rest[0] in _WITH_FILE and len(rest) == 2 and rest[1] in _OF_FILES:
            path = ("file", _OF_FILES[str(rest[1])])
    return ".".join(map(str, path))
