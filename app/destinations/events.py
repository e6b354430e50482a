"""The events of destinations, policies and alerts."""

from collections.abc import Sequence

from app.core.events import Event, event
from app.interactions.meaning import Audience, InteractionEvent


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
    """Deliveries to a destination were paused, until it is resumed."""

    destination_id: int


@event("destination.resumed")
class DestinationResumed(DestinationHappened):
    """Deliveries to a destination continue."""

    destination_id: int


@event("destination.stopped")
class DestinationStopped(DestinationHappened):
    """A destination's receiver wants no more deliveries."""

    destination_id: int


@event("destination.replayed")
class DestinationReplayed(DestinationHappened):
    """Deliveries to a destination start again from an earlier place."""

    destination_id: int


@event("destination.secret_rotated")
class DestinationSecretRotated(DestinationHappened):
    """A destination got a new secret."""

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


class PolicyHappened(Event):
    """Something that happened to a policy."""

    __slots__ = ()

    policy_id: int


@event("policy.created")
class PolicyCreated(PolicyHappened):
    """A policy was created."""

    policy_id: int


@event("policy.updated")
class PolicyUpdated(PolicyHappened):
    """A policy's fields were changed."""

    policy_id: int


@event("policy.deleted")
class PolicyDeleted(PolicyHappened):
    """A policy was deleted."""

    policy_id: int


@event("alert.told")
class AlertTold(InteractionEvent):
    """A policy sent an alert about an interaction to destinations."""

    audience = Audience.NOBODY
    in_history = False
    stands_alone = True

    step: str
    count: int
    policy_id: int
    destination_ids: Sequence[int]
    ref: str
