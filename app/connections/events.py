"""What happens to connections."""

from app.core.events import Event, event


class ConnectionEvent(Event):
    """Something that happened to a connection."""

    __slots__ = ()

    connection_id: int


@event("connection.created")
class ConnectionCreated(ConnectionEvent):
    """A connection was created."""

    connection_id: int


@event("connection.updated")
class ConnectionUpdated(ConnectionEvent):
    """A connection's fields were changed."""

    connection_id: int


@event("connection.paused")
class ConnectionPaused(ConnectionEvent):
    """A connection was paused."""

    connection_id: int


@event("connection.resumed")
class ConnectionResumed(ConnectionEvent):
    """A connection was resumed."""

    connection_id: int


@event("connection.secret_rotated")
class ConnectionSecretRotated(ConnectionEvent):
    """A connection got another secret."""

    connection_id: int


@event("connection.deleted")
class ConnectionDeleted(ConnectionEvent):
    """A connection was deleted."""

    connection_id: int


@event("connection.delivered")
class ConnectionDelivered(ConnectionEvent):
    """A connection's first delivery arrived, or the first after deliveries that were refused."""

    connection_id: int


@event("connection.refused")
class ConnectionRefused(ConnectionEvent):
    """A delivery was refused, the first since one was taken."""

    connection_id: int


@event("connection.delivery_parked")
class DeliveryParked(ConnectionEvent):
    """A delivery could not be applied and was parked."""

    connection_id: int
    delivery_id: int


@event("connection.deliveries_replayed")
class DeliveriesReplayed(ConnectionEvent):
    """Parked deliveries are applied again."""

    connection_id: int
    count: int


@event("connection.deliveries_dropped")
class DeliveriesDropped(ConnectionEvent):
    """Parked deliveries were dropped."""

    connection_id: int
    count: int


@event("connection.read_queued")
class ReadQueued(ConnectionEvent):
    """Something has to be read again from the other system."""

    connection_id: int


@event("connection.write_queued")
class WriteQueued(ConnectionEvent):
    """Something is to be done in the other system."""

    connection_id: int
