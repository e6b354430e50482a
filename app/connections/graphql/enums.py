"""The enums of connections."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.connections.model import ConnectionAction, ConnectionErrorCode, ConnectionState
from app.graph.enums import described

if TYPE_CHECKING:

    class ConnectionSystem(StrEnum):
        """The systems that there are connectors for; the list of kinds gives it its members."""


ConnectionSystemName = Annotated["ConnectionSystem", strawberry.lazy("app.registry")]
"""The enum of systems in an annotation: it is made above, where the kinds are listed."""

described(
    ConnectionState,
    "How a connection stands.",
    {
        "CONNECTING": "No delivery has arrived yet.",
        "CONNECTED": "Deliveries arrive and are applied.",
        "DEGRADED": "Deliveries are parked, or have waited for more than a minute.",
        "BAD_CREDENTIALS": "The latest delivery had a wrong signature, or the server cannot read the secrets.",
        "STOPPED": "It is paused: deliveries are taken and wait.",
    },
)
described(
    ConnectionErrorCode,
    "What is wrong with a connection.",
    {
        "SECRET_UNREADABLE": "The server cannot read the connection's secrets; deliveries are refused with 503.",
        "WRONG_SIGNATURES": "The latest delivery was not signed with a secret of the connection.",
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
        "REPLAY_OR_DROP_PARKED": "Read the reasons of the parked deliveries, correct what they say, then `replayParked`"
        " or `dropParked`.",
        "READ_SERVER_LOG": "Read the log of the server: it says why deliveries are not applied.",
    },
)
