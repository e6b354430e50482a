"""The model of an open socket or stream of a user."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Transport(StrEnum):
    """How a session is connected."""

    WEB_SOCKET = "WEB_SOCKET"
    EVENT_STREAM = "EVENT_STREAM"


class Credential(StrEnum):
    """The kind of credential that opened a session."""

    API_KEY = "API_KEY"
    ACCESS_TOKEN = "ACCESS_TOKEN"
    TICKET = "TICKET"


class OpenSession(NamedTuple):
    """An open socket or stream. `id` is a random number. `key_id` is the API key of its credential, and `ticket_id` the
    ticket, if it has one."""

    id: int
    transport: Transport
    credential: Credential
    key_id: int | None
    client: str | None
    address: str | None
    began_at: datetime
    ticket_id: int | None = None
