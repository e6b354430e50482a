"""Destinations and their deliveries: rows in, models out."""

from app.destinations.repository.deliveries import DeliveryRepository
from app.destinations.repository.destinations import ACTIVE, DestinationRepository, lease_name

__all__ = ("ACTIVE", "DeliveryRepository", "DestinationRepository", "lease_name")
