"""The events of connections."""

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
    """A connection's first delivery arrived, or the first after refused ones."""

    connection_id: int


@event("connection.refused")
class ConnectionRefused(ConnectionEvent):
    """A delivery was refused, the first after an accepted one."""

    connection_id: int


@event("connection.delivery_parked")
class DeliveryParked(ConnectionEvent):
    """A delivery could not be applied and was parked."""

    connection_id: int
    delivery_id: int


@event("connection.deliveries_replayed")
class DeliveriesReplayed(ConnectionEvent):
    """Parked deliveries will be applied again."""

    connection_id: int
    count: int


@event("connection.deliveries_dropped")
class DeliveriesDropped(ConnectionEvent):
    """Parked deliveries were dropped."""

    connection_id: int
    count: int


@event("connection.read_queued")
class ReadQueued(ConnectionEvent):
    """Something must be read again from the other system; with `lists`, its list must, to see what it is."""

    connection_id: int
    lists: bool


@event("connection.write_queued")
class WriteQueued(ConnectionEvent):
    """Something must be done in the other system."""

    connection_id: int
