"""The models of destinations, deliveries, policies and alerts."""

from app.destinations.model.alerting import Alert, AlertState, AlertStep, Turn, turn
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
from app.destinations.model.policy import POLICY_CHANGEABLE, POLICY_PREFIX, Policy, PolicyChanges, Standing

__all__ = (
    "CHANGEABLE",
    "MANAGE",
    "POLICY_CHANGEABLE",
    "POLICY_PREFIX",
    "PREFIX",
    "Alert",
    "AlertState",
    "AlertStep",
    "Attempt",
    "Delivery",
    "DeliveryStatus",
    "Destination",
    "DestinationChanges",
    "DestinationReason",
    "DestinationState",
    "DestinationType",
    "Place",
    "Policy",
    "PolicyChanges",
    "Standing",
    "Turn",
    "acting",
    "turn",
    "webhook_id",
)
