"""The state of a connection, derived from what is known of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LAGGING = timedelta(minutes=1)
"""How long a delivery may wait before its connection counts as degraded."""


class Fault(StrEnum):
    """Why deliveries of a connection cannot be accepted."""

    SECRET_UNREADABLE = "SECRET_UNREADABLE"


class ReachFault(StrEnum):
    """Why another system was not reached."""

    TOKEN = "TOKEN"
    SILENT = "SILENT"
    ANSWER = "ANSWER"
    HOOK = "HOOK"


class ConnectionState(StrEnum):
    """The state of a connection."""

    CONNECTING = "CONNECTING"
    BACKFILLING = "BACKFILLING"
    CONNECTED = "CONNECTED"
    DEGRADED = "DEGRADED"
    BAD_CREDENTIALS = "BAD_CREDENTIALS"
    STOPPED = "STOPPED"


class ConnectionErrorCode(StrEnum):
    """What is wrong with a connection."""

    SECRET_UNREADABLE = "SECRET_UNREADABLE"
    WRONG_SIGNATURES = "WRONG_SIGNATURES"
    TOKEN_REFUSED = "TOKEN_REFUSED"
    SYSTEM_SILENT = "SYSTEM_SILENT"
    SYSTEM_REFUSES = "SYSTEM_REFUSES"
    HOOK_REFUSED = "HOOK_REFUSED"
    DELIVERIES_PARKED = "DELIVERIES_PARKED"
    DELIVERIES_WAITING = "DELIVERIES_WAITING"
    READS_FAILING = "READS_FAILING"
    MANY_MISSING = "MANY_MISSING"


class ConnectionAction(StrEnum):
    """What a person can do about it."""

    RESTORE_SECRETS_KEY = "RESTORE_SECRETS_KEY"
    CORRECT_SECRET = "CORRECT_SECRET"
    CORRECT_TOKEN = "CORRECT_TOKEN"
    CHECK_SYSTEM = "CHECK_SYSTEM"
    ALLOW_HOOK = "ALLOW_HOOK"
    REPLAY_OR_DROP_PARKED = "REPLAY_OR_DROP_PARKED"
    CHECK_OR_ALLOW_MISSING = "CHECK_OR_ALLOW_MISSING"
    READ_SERVER_LOG = "READ_SERVER_LOG"
    RETRY_READS = "RETRY_READS"


_ERRORS = {
    ConnectionErrorCode.SECRET_UNREADABLE: (
        ConnectionAction.RESTORE_SECRETS_KEY,
        "The server cannot read the connection's secrets, so deliveries are refused with 503.",
    ),
    ConnectionErrorCode.WRONG_SIGNATURES: (
        ConnectionAction.CORRECT_SECRET,
        "The latest delivery was not signed with a secret of the connection.",
    ),
    ConnectionErrorCode.TOKEN_REFUSED: (
        ConnectionAction.CORRECT_TOKEN,
        "The other system does not take the connection's token.",
    ),
    ConnectionErrorCode.SYSTEM_SILENT: (
        ConnectionAction.CHECK_SYSTEM,
        "The other system cannot be reached, or answers nothing that can be read; it is tried again by itself.",
    ),
    ConnectionErrorCode.SYSTEM_REFUSES: (
        ConnectionAction.CHECK_SYSTEM,
        "The other system refuses to list what it has: the address may be wrong.",
    ),
    ConnectionErrorCode.HOOK_REFUSED: (
        ConnectionAction.ALLOW_HOOK,
        "The other system cannot be made to send deliveries of what changes: it is read by polls alone.",
    ),
    ConnectionErrorCode.READS_FAILING: (
        ConnectionAction.RETRY_READS,
        "Something that changed in the other system could not be taken in after several tries.",
    ),
    ConnectionErrorCode.MANY_MISSING: (
        ConnectionAction.CHECK_OR_ALLOW_MISSING,
        "Much of what the other system had is there no more, all at once; nothing of it was deleted here.",
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
    ConnectionErrorCode.TOKEN_REFUSED: ConnectionState.BAD_CREDENTIALS,
    ConnectionErrorCode.SYSTEM_SILENT: ConnectionState.DEGRADED,
    ConnectionErrorCode.SYSTEM_REFUSES: ConnectionState.DEGRADED,
    ConnectionErrorCode.HOOK_REFUSED: ConnectionState.DEGRADED,
    ConnectionErrorCode.READS_FAILING: ConnectionState.DEGRADED,
    ConnectionErrorCode.MANY_MISSING: ConnectionState.DEGRADED,
    ConnectionErrorCode.SECRET_UNREADABLE: ConnectionState.BAD_CREDENTIALS,
    ConnectionErrorCode.WRONG_SIGNATURES: ConnectionState.BAD_CREDENTIALS,
    ConnectionErrorCode.DELIVERIES_PARKED: ConnectionState.DEGRADED,
    ConnectionErrorCode.DELIVERIES_WAITING: ConnectionState.DEGRADED,
}


_REACH = {
    ReachFault.TOKEN: ConnectionErrorCode.TOKEN_REFUSED,
    ReachFault.SILENT: ConnectionErrorCode.SYSTEM_SILENT,
    ReachFault.ANSWER: ConnectionErrorCode.SYSTEM_REFUSES,
    ReachFault.HOOK: ConnectionErrorCode.HOOK_REFUSED,
}

MANY_TRIES = 4
"""After how many tries an item that cannot be read or applied counts as failing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts that decide the state. `first_due` is when the first of the pending deliveries was to be applied.

    The other fields are about a system that is read: its `address`; why it was not reached; when it was reached, and
    when all of it had been read; how much was suddenly missing there; and how much still fails after many tries."""

    paused: bool
    fault: str | None
    last_delivery_at: datetime | None
    last_refused_at: datetime | None
    parked: int
    first_due: datetime | None
    address: str | None = None
    reach_fault: str | None = None
    polled_at: datetime | None = None
    walked_at: datetime | None = None
    missing: int | None = None
    failing: int = 0

    def state(self, now: datetime) -> ConnectionState:
        """The state of the connection."""
        if self.paused:
            return ConnectionState.STOPPED
        error = self.error(now)
        if error is not None:
            return _STATES[error]
        if self.address is None:
            return ConnectionState.CONNECTING if self.last_delivery_at is None else ConnectionState.CONNECTED
        if self.polled_at is None:
            return ConnectionState.CONNECTING
        return ConnectionState.BACKFILLING if self.walked_at is None else ConnectionState.CONNECTED

    def error(self, now: datetime) -> ConnectionErrorCode | None:
        """The most serious fault. None without a fault, and while the connection is paused."""
        if self.paused:
            return None
        if self.fault is not None:
            return ConnectionErrorCode.SECRET_UNREADABLE
        if self.last_refused_at is not None and (
            self.last_delivery_at is None or self.last_refused_at > self.last_delivery_at
        ):
            return ConnectionErrorCode.WRONG_SIGNATURES
        if self.reach_fault is not None:
            return reach_error(self.reach_fault)
        if self.missing is not None:
            return ConnectionErrorCode.MANY_MISSING
        if self.parked:
            return ConnectionErrorCode.DELIVERIES_PARKED
        if self.first_due is not None and now - self.first_due > LAGGING:
            return ConnectionErrorCode.DELIVERIES_WAITING
        return ConnectionErrorCode.READS_FAILING if self.failing else None


def reach_error(fault: str) -> ConnectionErrorCode:
    """What is wrong with a connection whose system was not reached for this reason."""
    return _REACH[ReachFault(fault)]


def told(error: ConnectionErrorCode) -> tuple[ConnectionAction, str]:
    """What can be done about the error, and a sentence that explains it."""
    return _ERRORS[error]
