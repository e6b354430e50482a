"""Destinations, their deliveries, policies and alerts: rows in, models out."""

from app.destinations.repository.alerts import NEXT_ALERT, AlertRepository
from app.destinations.repository.deliveries import DeliveryRepository
from app.destinations.repository.destinations import ACTIVE, DestinationRepository
from app.destinations.repository.policies import ANY_POLICY, PolicyRepository

__all__ = (
    "ACTIVE",
    "ANY_POLICY",
    "NEXT_ALERT",
    "AlertRepository",
    "DeliveryRepository",
    "DestinationRepository",
    "PolicyRepository",
)
