"""What is told of a socket or stream that a user has open."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Transport(StrEnum):
    """How a session is open."""

    WEB_SOCKET = "WEB_SOCKET"
    EVENT_STREAM = "EVENT_STREAM"


class Credential(StrEnum):
    """What a session was let in by."""

    API_KEY = "API_KEY"
    ACCESS_TOKEN = "ACCESS_TOKEN"
    TICKET = "TICKET"


class OpenSession(NamedTuple):
    """An open socket or stream. `id` is a random number, `key_id` the API key of its credential, where it has one."""

    id: int
    transport: Transport
    credential: Credential
    key_id: int | None
    client: str | None
    address: str | None
    began_at: datetime
