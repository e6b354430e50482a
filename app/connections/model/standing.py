"""How a connection stands, from what is known of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LAGGING = timedelta(minutes=1)
"""How long a delivery may wait before its connection counts as degraded."""


class Fault(StrEnum):
    """Why deliveries of a connection cannot be taken."""

    SECRET_UNREADABLE = "SECRET_UNREADABLE"


class ConnectionState(StrEnum):
    """How a connection stands."""

    CONNECTING = "CONNECTING"
    CONNECTED = "CONNECTED"
    DEGRADED = "DEGRADED"
    BAD_CREDENTIALS = "BAD_CREDENTIALS"
    STOPPED = "STOPPED"


class ConnectionErrorCode(StrEnum):
    """What is wrong with a connection."""

    SECRET_UNREADABLE = "SECRET_UNREADABLE"
    WRONG_SIGNATURES = "WRONG_SIGNATURES"
    DELIVERIES_PARKED = "DELIVERIES_PARKED"
    DELIVERIES_WAITING = "DELIVERIES_WAITING"


class ConnectionAction(StrEnum):
    """What a person can do about it."""

    RESTORE_SECRETS_KEY = "RESTORE_SECRETS_KEY"
    CORRECT_SECRET = "CORRECT_SECRET"
    REPLAY_OR_DROP_PARKED = "REPLAY_OR_DROP_PARKED"
    READ_SERVER_LOG = "READ_SERVER_LOG"


_ERRORS = {
    ConnectionErrorCode.SECRET_UNREADABLE: (
        ConnectionAction.RESTORE_SECRETS_KEY,
        "The server cannot read the connection's secrets, so deliveries are refused with 503.",
    ),
    ConnectionErrorCode.WRONG_SIGNATURES: (
        ConnectionAction.CORRECT_SECRET,
        "The latest delivery was not signed with a secret of the connection.",
    ),
    ConnectionErrorCode.DELIVERIES_PARKED: (
        ConnectionAction.REPLAY_OR_DROP_PARKED,
        "Deliveries could not be applied and are parked.",
    ),
    ConnectionErrorCode.DELIVERIES_WAITING: (
        ConnectionAction.READ_SERVER_LOG,
        "Deliveries have waited for more than a minute.",
    ),
}
_STATES = {
    ConnectionErrorCode.SECRET_UNREADABLE: ConnectionState.BAD_CREDENTIALS,
    ConnectionErrorCode.WRONG_SIGNATURES: ConnectionState.BAD_CREDENTIALS,
    ConnectionErrorCode.DELIVERIES_PARKED: ConnectionState.DEGRADED,
    ConnectionErrorCode.DELIVERIES_WAITING: ConnectionState.DEGRADED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the state follows from; `first_due` is when the first of the pending deliveries was to be applied."""

    paused: bool
    fault: str | None
    last_delivery_at: datetime | None
    last_refused_at: datetime | None
    parked: int
    first_due: datetime | None

    def state(self, now: datetime) -> ConnectionState:
        """The state of the connection."""
        if self.paused:
            return ConnectionState.STOPPED
        error = self.error(now)
        if error is not None:
            return _STATES[error]
        return ConnectionState.CONNECTING if self.last_delivery_at is None else ConnectionState.CONNECTED

    def error(self, now: datetime) -> ConnectionErrorCode | None:
        """The gravest thing that is wrong; None when nothing is, and while the connection is paused."""
        if self.paused:
            return None
        if self.fault is not None:
            return ConnectionErrorCode.SECRET_UNREADABLE
        if self.last_refused_at is not None and (
            self.last_delivery_at is None or self.last_refused_at > self.last_delivery_at
        ):
            return ConnectionErrorCode.WRONG_SIGNATURES
        if self.parked:
            return ConnectionErrorCode.DELIVERIES_PARKED
        if self.first_due is not None and now - self.first_due > LAGGING:
            return ConnectionErrorCode.DELIVERIES_WAITING
        return None


def told(error: ConnectionErrorCode) -> tuple[ConnectionAction, str]:
    """What can be done about the error, and what it is in a sentence."""
    return _ERRORS[error]
