"""What happens to destinations."""

from app.core.events import Event, event


class DestinationHappened(Event):
    """Something that happened to a destination."""

    __slots__ = ()

    destination_id: int


@event("destination.created")
class DestinationCreated(DestinationHappened):
    """A destination was created."""

    destination_id: int


@event("destination.updated")
class DestinationUpdated(DestinationHappened):
    """A destination's fields were changed."""

    destination_id: int


@event("destination.deleted")
class DestinationDeleted(DestinationHappened):
    """A destination was deleted."""

    destination_id: int


@event("destination.paused")
class DestinationPaused(DestinationHappened):
    """A destination is not delivered to any more, until it is resumed."""

    destination_id: int


@event("destination.resumed")
class DestinationResumed(DestinationHappened):
    """A destination is delivered to again."""

    destination_id: int


@event("destination.stopped")
class DestinationStopped(DestinationHappened):
    """A destination's receiver wants nothing any more."""

    destination_id: int


@event("destination.replayed")
class DestinationReplayed(DestinationHappened):
    """A destination is delivered to again from an earlier place."""

    destination_id: int


@event("destination.secret_rotated")
class DestinationSecretRotated(DestinationHappened):
    """A destination got another secret."""

    destination_id: int


@event("destination.failing")
class DestinationFailing(DestinationHappened):
    """Deliveries to a destination began to fail."""

    destination_id: int


@event("destination.recovered")
class DestinationRecovered(DestinationHappened):
    """Deliveries to a destination arrive again."""

    destination_id: int


@event("destination.delivery_given_up")
class DeliveryGivenUp(DestinationHappened):
    """A delivery to a destination was given up."""

    destination_id: int
    delivery_id: int
