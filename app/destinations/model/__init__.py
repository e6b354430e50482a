"""What destinations and their deliveries are."""

from app.destinations.model.delivery import Attempt, Delivery, DeliveryStatus, Place, webhook_id
from app.destinations.model.destination import (
    CHANGEABLE,
    MANAGE,
    PREFIX,
    Destination,
    DestinationChanges,
    DestinationReason,
    DestinationState,
    DestinationType,
    acting,
)

__all__ = (
    "CHANGEABLE",
    "MANAGE",
    "PREFIX",
    "Attempt",
    "Delivery",
    "DeliveryStatus",
    "Destination",
    "DestinationChanges",
    "DestinationReason",
    "DestinationState",
    "DestinationType",
    "Place",
    "acting",
    "webhook_id",
)
