"""The contract's error body, with both spellings of the message."""

from types import MappingProxyType

from app.core import codes
from app.rest import Refusal, Reply

SOURCE = "Switchboard"

_TYPES = MappingProxyType(
    {
        400: "ArgumentException",
        401: "SoAuthenticationException",
        403: "SoAccessDeniedException",
        404: "SoNotFoundException",
        405: "HttpMethodNotAllowedException",
        406: "HttpNotAcceptableException",
        409: "SoConflictException",
        412: "SoPreconditionFailedException",
        413: "HttpPayloadTooLargeException",
        415: "HttpUnsupportedMediaTypeException",
        429: "SoTooManyRequestsException",
        500: "SoInternalException",
        503: "SoUnavailableException",
    }
)


def refused(refusal: Refusal) -> Reply:
    """`{"Error", "ErrorType", "ErrorMessage", "Message", "ErrorSource", "ErrorCode"}`; the code is the graph's own."""
    message = refusal.message
    name = next((part for part in reversed(refusal.path) if isinstance(part, str)), "")
    if refusal.path and refusal.path[0] in ("content", "contents"):
        message = f"Message: {message}"
    elif name:
        # The services name fields as they are stored.
        message = message.replace(name, pascal(name))
    body = {
        "Error": True,
        "ErrorType": "HttpNotFoundException" if refusal.code == codes.UNKNOWN_PATH else _TYPES[refusal.status],
        "ErrorMessage": message,
        "Message": message,
        "ErrorSource": SOURCE,
        "ErrorCode": refusal.code,
    }
    return Reply(status=refusal.status, body=body, headers=refusal.headers)


def pascal(name: str) -> str:
    """The contract's name of a field: `CustomerAlias` for `customer_alias`."""
    return "".join(part.capitalize() for part in name.split("_"))
