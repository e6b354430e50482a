"""The enums of connections."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.connections.model import ConnectionAction, ConnectionErrorCode, ConnectionState
from app.connections.model.outbox import EntryState, UpstreamState
from app.graph.enums import described

if TYPE_CHECKING:

    class ConnectionSystem(StrEnum):
        """The systems that have connectors. The list of kinds adds its values."""


ConnectionSystemName = Annotated["ConnectionSystem", strawberry.lazy("app.registry")]
"""The enum of systems for annotations. It is created where the kinds are listed."""

described(
    ConnectionState,
    "The state of a connection.",
    {
        "CONNECTING": "No delivery has arrived yet, or the system has not been reached yet.",
        "BACKFILLING": "New items are applied, and older items are still being read.",
        "CONNECTED": "New items are applied.",
        "DEGRADED": "Something could not be applied, or the system cannot be reached.",
        "BAD_CREDENTIALS": "The latest delivery had a wrong signature, the system does not accept the token, or the "
        "server cannot read the secrets.",
        "STOPPED": "It is paused: deliveries are accepted, and wait.",
    },
)
described(
    ConnectionErrorCode,
    "What is wrong with a connection.",
    {
        "SECRET_UNREADABLE": "The server cannot read the connection's secrets; deliveries are refused with 503.",
        "WRONG_SIGNATURES": "The latest delivery was not signed with a secret of the connection.",
        "TOKEN_REFUSED": "The system does not accept the connection's token.",
        "SYSTEM_SILENT": "The system cannot be reached, or its answers cannot be read.",
        "SYSTEM_REFUSES": "The system refuses to list its content.",
        "HOOK_REFUSED": "The system cannot be made to send deliveries of its changes. Only polls read it.",
        "READS_FAILING": "Something that changed in the system could not be read or applied after several tries.",
        "MANY_MISSING": "Many interactions disappeared from the system at once. None of them was deleted here.",
        "DELIVERIES_PARKED": "Deliveries could not be applied and are parked.",
        "DELIVERIES_WAITING": "Deliveries have waited for more than a minute.",
    },
)
described(
    ConnectionAction,
    "What a person can do about a connection's error.",
    {
        "RESTORE_SECRETS_KEY": "Put the former key into `SWITCHBOARD_SECRETS_KEY`, or rotate the connection's secret.",
        "CORRECT_SECRET": "Enter the connection's secret in the other system, or rotate it.",
        "CORRECT_TOKEN": "Give the connection a token that the system accepts: `updateConnection(credential:)`.",
        "CHECK_OR_ALLOW_MISSING": "Check whether the interactions that `missing` counts were really deleted in the "
        "system, or the connection's user may no longer see them. Then use "
        "`updateConnection(allowMissing:)`.",
        "ALLOW_HOOK": "Allow the connection's user or app to register webhooks in the system, and let the system "
        "reach this server's public address. Or turn webhooks off with the setting `capabilities`.",
        "CHECK_SYSTEM": "Check that the system runs, and that `address` is correct.",
        "REPLAY_OR_DROP_PARKED": "Read the reasons of the parked deliveries and correct the causes. Then use "
        "`replayParked` or `dropParked`.",
        "READ_SERVER_LOG": "Read the server's log: it says why deliveries are not applied.",
        "RETRY_READS": "Read the reasons of `failingReads` and correct the causes. Reads are repeated every five "
        "minutes; `retryReads` repeats them at once.",
    },
)
described(
    EntryState,
    "The state of a change that must be made in a connected system.",
    {
        "WAITING": "The change is not made yet.",
        "SENDING": "The change is being made.",
        "LOOKING": "The answer was lost. The system is asked whether the change was made.",
        "UNCERTAIN": "It is not known whether the change was made: a human has to check.",
        "REFUSED": "The system refused it. It was undone here where possible.",
    },
)
described(
    UpstreamState,
    "Whether the connected system has the changes made here to an interaction or a message.",
    {
        "SYNCED": "The system has all changes made here.",
        "PENDING": "A change must still be made in the system.",
        "UNCERTAIN": "It is not known whether the system made a change.",
        "REFUSED": "The system refused a change.",
    },
)
