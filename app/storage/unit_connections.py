"""The connections of units on PostgreSQL: who has one, and which are free."""

import sqlalchemy as sa

from app.storage.unit_connection import UnitConnection


class UnitConnections:
    """Takes connections out of the engine's pool, and gives out first the one that came back last.

    It knows no bound of its own: a unit has its turn on a connection before it takes one. To take one out of the pool
    and give it back costs a unit a tenth of its work."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._free: list[UnitConnection] = []
        self._closed = False

    def take(self, *, optimistic: bool) -> UnitConnection:
        """One for one unit, until it is given back. Raises what SQLAlchemy raises when a new one cannot be opened."""
        while self._free:
            found = self._free.pop()
            if not found.driver.is_closed():
                found.prepare(optimistic=optimistic)
                return found
            _end(found)
        return UnitConnection(self._engine, optimistic=optimistic)

    def give_back(self, connection: UnitConnection) -> None:
        """The unit has ended. What SQLAlchemy has begun of its own on a connection is for its pool to end."""
        if connection.is_idle and not self._closed:
            self._free.append(connection)
        else:
            connection.close()

    def drop_free(self) -> None:
        """End those that are free: the server is gone that they were opened to."""
        while self._free:
            _end(self._free.pop())

    def close(self) -> None:
        """Have the pool end those that are free, and those that are given back from now on."""
        self._closed = True
        while self._free:
            self._free.pop().close()


def _end(connection: UnitConnection) -> None:
    connection.driver.terminate()  # at once: SQLAlchemy would take leave of a server that may not answer
    connection.invalidate()
    connection.close()
