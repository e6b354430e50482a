"""Sessions of PostgreSQL that one test leaves and the next takes over."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping
from typing import Any

import asyncpg
import pytest

from app.feed.wakeup import PostgresqlWakeups
from app.storage.liveness import Connection, Liveness
from app.storage.read_connections import ReadConnections
from tests.lasting_loop import lasting

_CONNECT, _CLOSE, _CLOSE_READS = Liveness.connect, Liveness.close, ReadConnections.close
_LISTEN = PostgresqlWakeups._connect

_Kind = tuple[str, Hashable]
"""What a session is begun with: its database, and its options."""

_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

# The session as it began, but for the statements that it has prepared.
_BEGIN_AGAIN = "RESET ALL; SELECT pg_advisory_unlock_all(); UNLISTEN *; CLOSE ALL; DISCARD TEMP; DISCARD SEQUENCES"

_MOST = 3
"""Sessions kept of one kind to one database: few tests use more, and the server takes a hundred of all."""

_USES = 200
"""Tests that a session is handed on to: statements that SQLAlchemy prepared stay in it until its end."""


class KeptConnection(Connection):
    """A connection whose session can be handed on to another one."""

    __slots__ = ("codecs", "kind", "uses")

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.kind: _Kind | None = None
        """What the session was begun with; None for one that is not handed on."""
        self.codecs: set[str] = set()
        self.uses = 0

    async def set_type_codec(self, typename: str, **given: Any) -> None:
        """As the dialect sets it for every connection."""
        if typename not in self.codecs:
            await super().set_type_codec(typename, **given)
            self.codecs.add(typename)

    def successor(self) -> "KeptConnection":
        """Another connection with this session, which is closed as far as its users can see."""
        old: Any = self
        new: Any = type(self)(old._protocol, old._transport, old._loop, old._addr, old._config, old._params)
        old._protocol.set_connection(new)
        new.kind, new.codecs, new.uses = old.kind, old.codecs, old.uses + 1
        new._stmt_cache._entries.update(old._stmt_cache._entries)
        old._stmt_cache._entries.clear()
        old._aborted = True
        found: KeptConnection = new
        return found

    @property
    def may_be_handed_on(self) -> bool:
        """Whether nothing is going on in it."""
        bare: Any = self
        busy = self.is_closed() or self.is_in_transaction() or self.use.since is not None or bare._query_loggers
        return self.kind is not None and self.uses < _USES and not busy


class ListeningConnection(KeptConnection):
    """A connection for wake-ups, whose session goes on when it is ended, for the next one to begin again with."""

    __slots__ = ()

    def terminate(self) -> None:
        """End it, as far as its user can see."""
        if not keeper.take_over(self):
            super().terminate()


class Keeper:
    """The sessions that nobody uses just now, by what they were begun with.

    To begin one takes 20 ms of the processors: a process of PostgreSQL that knows no table and no statement yet. Kept
    are those of the loop of the tests to databases that are given out again and again; tests that are about
    connections get new ones."""

    def __init__(self) -> None:
        self._databases: set[str] = set()
        self.is_off = False
        """Whether every connection begins a session, and ends it."""
        self._idle: defaultdict[_Kind | None, list[KeptConnection]] = defaultdict(list)

    def add(self, arguments: Mapping[str, Any]) -> None:
        """Keep the sessions in the database to which asyncpg connects with these arguments."""
        self._databases.add(_database(arguments))

    async def connect(self, liveness: Liveness, *_args: object, **arguments: Any) -> Connection:
        """A connection with a session that was kept, or else with a new one."""
        kind = self._kind(arguments)
        while kind is not None and self._idle[kind]:
            connection = self._idle[kind].pop()
            try:
                await connection.execute("SELECT", timeout=liveness.silence)
            except BaseException as error:  # nobody else would end it for who is cancelled
                connection.terminate()
                if isinstance(error, _FAILURES):
                    continue
                raise
            liveness._open.add(connection)
            return connection
        opened = await _CONNECT(liveness, **arguments)
        if isinstance(opened, KeptConnection):
            opened.kind = kind
        return opened

    async def listen(self, wakeups: PostgresqlWakeups, arguments: Mapping[str, Any]) -> Connection:
        """A connection for wake-ups, with a session that was kept, or else with a new one."""
        kind = self._kind(arguments, "wake-ups")
        if kind is None:
            opened: Connection = await _LISTEN(wakeups, arguments)
            return opened
        while self._idle[kind]:
            connection = self._idle[kind].pop()
            try:
                await connection.execute(_BEGIN_AGAIN, timeout=wakeups._silence)
            except BaseException as error:
                Connection.terminate(connection)
                if isinstance(error, _FAILURES):
                    continue
                raise
            return connection
        begun = await _LISTEN(wakeups, {**arguments, "connection_class": ListeningConnection})
        begun.kind = kind
        listening: Connection = begun
        return listening

    def take_over(self, connection: KeptConnection) -> bool:
        """Keep the session of a connection that is being ended, if it can be handed on."""
        if not self._is_wanted(connection):
            return False
        self._idle[connection.kind].append(connection.successor())
        return True

    async def keep(self, patience: float, connections: Collection[Connection]) -> None:
        """Keep the sessions of those connections that nobody uses. Whoever closes one of these finds it closed."""
        for connection in connections:
            if not (isinstance(connection, KeptConnection) and self._is_wanted(connection)):
                continue
            try:
                await connection.execute(_BEGIN_AGAIN, timeout=patience)
            except _FAILURES:
                continue  # whoever closes it does so
            if connection.may_be_handed_on:
                self._idle[connection.kind].append(connection.successor())

    def processes(self, arguments: Mapping[str, Any]) -> Collection[int]:
        """PostgreSQL's processes of the sessions that are kept in a database."""
        return [each.get_server_pid() for each in self._of(_database(arguments)) if not each.is_closed()]

    def end(self, arguments: Mapping[str, Any] | None = None) -> None:
        """End the sessions that are kept in a database, or in all."""
        for connection in self._of(None if arguments is None else _database(arguments)):
            self._idle[connection.kind].remove(connection)
            Connection.terminate(connection)

    def _of(self, database: str | None) -> list[KeptConnection]:
        idle = [each for idle in self._idle.values() for each in idle]
        return [each for each in idle if database is None or (each.kind is not None and each.kind[0] == database)]

    def _kind(self, arguments: Mapping[str, Any], use: str = "") -> _Kind | None:
        database = _database(arguments)
        if self.is_off or database not in self._databases or asyncio.get_running_loop() is not lasting.loop:
            return None
        options = sorted(arguments.get("server_settings", {}).items())
        return database, (use, arguments.get("statement_cache_size"), *options)

    def _is_wanted(self, connection: KeptConnection) -> bool:
        return not self.is_off and connection.may_be_handed_on and len(self._idle[connection.kind]) < _MOST


def _database(arguments: Mapping[str, Any]) -> str:
    return repr([arguments.get(name) for name in ("host", "port", "database")])


keeper = Keeper()


def keep_connections(patch: pytest.MonkeyPatch) -> None:
    """Keep the sessions of databases that are used again, when a database is closed."""

    async def connect(liveness: Liveness, *args: object, **arguments: Any) -> Connection:
        return await keeper.connect(liveness, *args, **arguments)

    async def close(liveness: Liveness) -> None:
        try:
            await keeper.keep(liveness.silence, list(liveness._open))
        finally:
            await _CLOSE(liveness)

    async def close_reads(connections: ReadConnections, within: float) -> None:
        connections._closed = True
        try:
            await keeper.keep(within, list(connections._free))
        finally:
            await _CLOSE_READS(connections, within)

    async def listen(wakeups: PostgresqlWakeups, arguments: Mapping[str, Any]) -> Connection:
        return await keeper.listen(wakeups, arguments)

    patch.setattr(PostgresqlWakeups, "_connect", listen)
    patch.setattr("app.storage.liveness.Connection", KeptConnection)
    patch.setattr(Liveness, "connect", connect)
    patch.setattr(Liveness, "close", close)
    patch.setattr(ReadConnections, "close", close_reads)
