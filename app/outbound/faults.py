"""Why a request to another server has no answer."""

from enum import StrEnum


class OutboundCode(StrEnum):
    """The stable code of an OutboundFault."""

    INVALID_URL = "INVALID_URL"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    UNRESOLVED = "UNRESOLVED"
    CONNECTION = "CONNECTION"
    CERTIFICATE = "CERTIFICATE"
    TIMEOUT = "TIMEOUT"
    PROTOCOL = "PROTOCOL"
    TOO_LARGE = "TOO_LARGE"


class OutboundFault(Exception):
    """A request without a whole answer: its code, a sentence for a person, and whether the request may have arrived.

    Only a request that `may_have_arrived` can have had an effect; any other can be sent again without doubt. The
    sentence names neither the URL's path nor anything that was sent."""

    def __init__(self, code: OutboundCode, message: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.may_have_arrived = may_have_arrived
