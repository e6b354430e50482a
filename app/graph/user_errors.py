"""Turns refusals into rows of a mutation payload's `errors`."""

from collections.abc import Iterable

from app.core.errors import AlreadyClaimed, AlreadyReceived, DomainError, NewerMessage, NotClearable, VersionConflict
from app.core.trail import current
from app.graph.strawberry_adapter.declaring import graph_name


def graph_path(path: Iterable[str | int]) -> list[str]:
    """The path of a DomainError in the graph's names: services say `if_version`, clients sent `ifVersion`."""
    return [graph_name(item) if isinstance(item, str) else str(item) for item in path]


def user_error(error: DomainError, prefix: str = "input") -> dict[str, object]:
    """The row of a refusal in a payload's `errors`."""
    if (trail := current()) is not None:
        trail.refused(error.code)
    row: dict[str, object] = {
        "__typename": "GenericError",
        "code": error.code,
        "message": error.message,
        "path": [prefix, *graph_path(error.path)] if error.path else [],
    }
    if isinstance(error, AlreadyClaimed):
        row |= {
            "__typename": "AlreadyClaimedError",
            "claimed_by": error.claimed_by,
            "claimed_until": error.claimed_until,
        }
    elif isinstance(error, AlreadyReceived):
        row |= {
            "__typename": "AlreadyReceivedError",
            "received_message_id": f"msg_{error.message_id}",
            "received_message": error.message_id,
        }
    elif isinstance(error, VersionConflict):
        row |= {"__typename": "VersionConflictError", "current_version": error.current_version}
    elif isinstance(error, NewerMessage):
        row |= {"__typename": "NewerMessageError", "message_id": error.message_id}
    elif isinstance(error, NotClearable):
        row |= {"__typename": "NotClearableError", "reasons": list(error.reasons)}
    return row
