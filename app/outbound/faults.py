"""The reasons for which a request to another server has no answer."""

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
    """A request got no complete answer. The message is for people and names neither the URL's path nor what was sent.

    A request that is not `may_have_arrived` had no effect and is safe to send again."""

    def __init__(self, code: OutboundCode, message: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.may_have_arrived = may_have_arrived
