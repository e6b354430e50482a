"""The connections of PostgreSQL's units: which are in use, which are free."""

import sqlalchemy as sa

from app.storage.unit_connection import UnitConnection


class UnitConnections:
    """Takes connections out of the engine's pool, and gives out first the one that came back last.

    It has no limit of its own: a unit gets a turn for a connection before it takes one. Taking a connection out of the
    pool and giving it back would cost a unit a tenth of its time."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._free: list[UnitConnection] = []
        self._closed = False

    def take(self, *, optimistic: bool) -> UnitConnection:
        """A connection for one unit, until it is given back. Raises SQLAlchemy's error when a new one cannot be
        opened."""
        while self._free:
            found = self._free.pop()
            if not found.driver.is_closed():
                found.prepare(optimistic=optimistic)
                return found
            _end(found)
        return UnitConnection(self._engine, optimistic=optimistic)

    def give_back(self, connection: UnitConnection) -> None:
        """The unit has ended. A transaction that SQLAlchemy began on its own is for the pool to end."""
        if connection.is_idle and not self._closed:
            self._free.append(connection)
        else:
            connection.close()

    def drop_free(self) -> None:
        """Close the free connections: the server they were opened to is gone."""
        while self._free:
            _end(self._free.pop())

    def close(self) -> None:
        """Let the pool close the free connections, and from now on those that are given back."""
        self._closed = True
        while self._free:
            self._free.pop().close()


def _end(connection: UnitConnection) -> None:
    connection.driver.terminate()  # at once: SQLAlchemy would say goodbye to a server that may not answer
    connection.invalidate()
    connection.close()
