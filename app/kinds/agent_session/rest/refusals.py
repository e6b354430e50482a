"""The contract's error bodies and error codes."""

from types import MappingProxyType

from app.core.errors import Conflict, DomainError, InvalidInput
from app.rest import Refusal, Reply


def _codes(root: type[DomainError]) -> list[str]:
    return [root.code, *(code for each in root.__subclasses__() for code in _codes(each))]


# Its clients repeat a 409 by themselves, and a conflict would only repeat too.
STATUSES = MappingProxyType(dict.fromkeys((*_codes(Conflict), *_codes(InvalidInput)), 400))

_BY_STATUS = MappingProxyType(
    {
        401: "unauthorized",
        403: "forbidden",
        429: "rate_limit_exceeded",
        500: "internal_error",
        503: "unavailable",
    }
)
_NOT_FOUND = MappingProxyType({"agent_key": "agent_not_found", "event_id": "event_not_found"})


def refused(refusal: Refusal) -> Reply:
    """`{"messages", "request_id", "error_code"}`, with `id` for what is not there, with `field_errors` for a request
    that is at fault."""
    body: dict[str, object] = {"messages": [refusal.message], "request_id": refusal.request_id}
    place = str(refusal.path[0]) if refusal.path else ""
    if refusal.status == 404 and refusal.error is not None:
        name = place if place in refusal.parameters else "session_key"
        if name in refusal.parameters:
            body = {"id": refusal.parameters[name], **body}
        body["error_code"] = _NOT_FOUND.get(place, "session_not_found")
    elif refusal.status in _BY_STATUS:
        body["error_code"] = _BY_STATUS[refusal.status]
    else:
        # No request of the contract has the graph's `id`: then the path names what is at fault.
        fields = {".".join(map(str, refusal.path)): refusal.message} if place not in ("", "id") else {}
        body = {"field_errors": fields, **body}
        body["error_code"] = "invalid_metadata" if place == "metadata" else "invalid_request"
    return Reply(status=refusal.status, body=body, headers=refusal.headers)
