"""The faults that end a connection or the listener."""

from collections.abc import Mapping, Sequence
from typing import Any

LOST = frozenset({"CURSOR_EXPIRED", "INVALID_CURSOR"})
"""The codes by which a server says that it cannot continue from a cursor."""

PASSING = frozenset({"INTERNAL", "OUTCOME_UNKNOWN", "RATE_LIMITED", "TIMEOUT", "UNAVAILABLE"})
"""The codes of faults that a retry may resolve."""


class Broken(Exception):
    """The connection was lost or the server is busy: reconnect after a pause."""


class Lost(Exception):
    """The server cannot resume from the cursor: query the state again."""


class Refused(Exception):
    """The server refuses for good; a retry is useless."""


def fault_of(errors: Sequence[Mapping[str, Any]]) -> Exception:
    """The fault that a list of GraphQL errors stands for."""
    codes = {(error.get("extensions") or {}).get("code") for error in errors}
    message = "; ".join(str(error.get("message")) for error in errors) or "The server says no reason."
    if codes & LOST:
        return Lost(message)
    return Broken(message) if codes and codes <= PASSING else Refused(message)
