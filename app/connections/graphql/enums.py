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
    "How a connection stands.",
    {
        "CONNECTING": "No delivery has arrived yet, or the system has not been reached yet.",
        "BACKFILLING": "What is new is taken in, and what was there before is being read.",
        "CONNECTED": "What is new is taken in.",
        "DEGRADED": "Something could not be taken in, or the system cannot be reached.",
        "BAD_CREDENTIALS": "The latest delivery had a wrong signature, the system does not take the token, or the "
        "server cannot read the secrets.",
        "STOPPED": "It is paused: deliveries are taken and wait.",
    },
)
described(
    ConnectionErrorCode,
    "What is wrong with a connection.",
    {
        "SECRET_UNREADABLE": "The server cannot read the connection's secrets; deliveries are refused with 503.",
        "WRONG_SIGNATURES": "The latest delivery was not signed with a secret of the connection.",
        "TOKEN_REFUSED": "The system does not take the connection's token.",
        "SYSTEM_SILENT": "The system cannot be reached, or its answers cannot be read.",
        "SYSTEM_REFUSES": "The system refuses to list what it has.",
        "HOOK_REFUSED": "The system cannot be made to send deliveries of what changes; it is read by polls alone.",
        "READS_FAILING": "Something that changed in the system could not be taken in after several tries.",
        "MANY_MISSING": "Much of what the system had is there no more, all at once; nothing of it was deleted here.",
        "DELIVERIES_PARKED": "Deliveries could not be applied and are parked.",
        "DELIVERIES_WAITING": "Deliveries have waited for more than a minute.",
    },
)
described(
    ConnectionAction,
    "What a person can do about the error of a connection.",
    {
        "RESTORE_SECRETS_KEY": "Put the former key into `SWITCHBOARD_SECRETS_KEY`, or rotate the connection's secret.",
        "CORRECT_SECRET": "Give the other system the connection's secret, or rotate it.",
        "CORRECT_TOKEN": "Give the connection a token that the system takes: `updateConnection(credential:)`.",
        "CHECK_OR_ALLOW_MISSING": "See whether what `missing` counts was really deleted in the system, and whether the "
        "connection's user may still see it; then `updateConnection(allowMissing:)`.",
        "ALLOW_HOOK": "Let the connection's user or app have webhooks in the system, and let the system reach this "
        "server's public address; or turn webhooks off with the setting `capabilities`.",
        "CHECK_SYSTEM": "See whether the system runs, and whether `address` is its.",
        "REPLAY_OR_DROP_PARKED": "Read the reasons of the parked deliveries, correct what they say, then `replayParked`"
        " or `dropParked`.",
        "READ_SERVER_LOG": "Read the log of the server: it says why deliveries are not applied.",
    },
)
described(
    EntryState,
    "How far something has come that is to be done in a connected system.",
    {
        "WAITING": "It is not done yet.",
        "SENDING": "It is being done.",
        "LOOKING": "The answer was lost; the system is asked whether it was done.",
        "UNCERTAIN": "Nobody can tell whether it was done: a human has to see.",
        "REFUSED": "The system refused it. What could be was set back.",
    },
)
described(
    UpstreamState,
    "How an interaction or a message stands towards the system that it comes from.",
    {
        "SYNCED": "The system has all that was done here.",
        "PENDING": "Something is still to be done in the system.",
        "UNCERTAIN": "Nobody can tell whether something was done in the system.",
        "REFUSED": "The system refused something.",
    },
)
