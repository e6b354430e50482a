"""All open connections, which shutdown, expiry and revoked keys end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.credentials import KnownKeys
from app.core.errors import Unavailable
from app.core.sessions import OpenSession
from app.feed import NOT_READABLE, Entry, Feed
from app.live.places import Places
from app.live.watching import Watches
from app.settings import Settings

log = structlog.get_logger(__name__)

ABORT = "switchboard.abort"
"""The extension of a scope that cuts the connection at once; `app.http.server` gives it."""

WRITE = "switchboard.write"
"""The extension of a socket's scope that sends texts at once; it answers False where they would have to wait."""

CLOSE_SECONDS = 2.0
"""How long a client has to take what closes its connection."""

_PAUSE_WITHOUT_DATABASE = 0.2
_ADDRESSES = 4  # that may each have as many unauthenticated sockets as one may


Known = Callable[[], Awaitable[Actor | None]]
"""Looks up again whom the credential of a connection lets in; nobody when it is not valid any more."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a stream ends, as a WebSocket close code says it. Clients come back by themselves after most of these."""

    code: int
    reason: str


SHUTDOWN = Ending(1012, "Service restart")
FORBIDDEN = Ending(4403, "Forbidden")
SESSION_ENDED = Ending(4401, "This session was ended")
"""The one after which clients do not come back by themselves."""

TRY_LATER = 1013
NO_LOG = Ending(TRY_LATER, NOT_READABLE)

_REASONS = {
    SHUTDOWN.code: "shutdown",
    FORBIDDEN.code: "forbidden",
    SESSION_ENDED.code: "session_ended",
    TRY_LATER: "try_later",
}


class Connection:
    """One stream of answers to one caller. While `doubtful`, nothing must be sent before `cleared`."""

    def __init__(
        self, connections: "Connections", known: Known, actor: Actor, abort: Callable[[], None] | None
    ) -> None:
        self.known = known
        self.actor = actor
        self.doubtful = False
        self.ending: Ending | None = None
        self.is_cut = False
        """Whether it was cut off because its client read nothing."""
        self._connections = connections
        self._abort = abort
        self._task = asyncio.current_task()
        self._doubts = 0
        self._recheck: asyncio.Task[None] | None = None
        self._writing = 0
        self._waiting_since = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def doubt(self) -> None:
        """The key may have been revoked: check it before anything else is sent."""
        self._doubts += 1
        self.doubtful = True
        if self._recheck is None:
            self._recheck = self._started(self._ask())

    async def cleared(self) -> None:
        """Wait until the key was checked; then `ending` is set if the caller may not listen any more."""
        if self.actor.expires_at is not None and self.has_expired():
            self.end(FORBIDDEN)
        while self.doubtful and self.ending is None and self._recheck is not None:
            await asyncio.wait([self._recheck])

    def has_expired(self) -> bool:
        """Whether the caller's key has expired."""
        return self.actor.expires_at is not None and self._connections.clock() >= self.actor.expires_at

    def end(self, ending: Ending) -> None:
        """Send nothing more, and close."""
        if self.ending is None:
            self.ending = ending
            self.close(ending)
            # A close waits for a client that reads nothing; a server that stops must not.
            if self._abort is not None:
                asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._abort)

    async def stop(self) -> None:
        """End because the server stops; commands that are running are answered first."""
        self.end(SHUTDOWN)

    def close(self, ending: Ending) -> None:
        """Close in the way of the transport."""
        raise NotImplementedError

    def abort(self) -> None:
        """Close at once, without sending what is buffered."""
        if self._abort is not None:
            self._abort()
        elif self._task is not None:
            self._task.cancel()

    def is_stalled(self, now: float) -> bool:
        """Whether the client has read nothing for too long while there was data to read."""
        return self._writing > 0 and now - self._waiting_since > self._connections.limits.stall_seconds

    async def written(self, sending: Coroutine[Any, Any, None]) -> None:
        """Await a write; meanwhile `is_stalled` measures it."""
        if not self._writing:
            self._waiting_since = asyncio.get_running_loop().time()
        self._writing += 1
        try:
            await sending
        finally:
            self._writing -= 1
            self._waiting_since = asyncio.get_running_loop().time()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task beside the connection, which is cancelled when the connection ends."""
        _ = self._started(work)

    def _started(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        # That the client is gone is no news.
        if error is not None and not isinstance(error, OSError):
            log.error("a connection has failed", exc_info=error)

    async def finish(self) -> None:
        """Cancel all tasks that run beside it."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    async def _ask(self) -> None:
        while self.doubtful:
            doubts = self._doubts
            try:
                actor = await self.known()
            except Exception as error:
                if not isinstance(error, Unavailable):
                    log.exception("a key cannot be looked up again")
                await asyncio.sleep(_PAUSE_WITHOUT_DATABASE)
                continue
            if actor is None or actor != self.actor:
                self.end(FORBIDDEN)
                break
            if doubts == self._doubts:
                self.doubtful = False
        self._recheck = None


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of a connection: seconds, bytes and counts.

    When the server stops, running operations have `answer_seconds` to be answered. Messages over `large_bytes` are
    parsed beside the loop. An event goes out at once to `crowd` subscriptions of a caller at most, which takes less
    than a millisecond."""

    init_seconds: float = 10.0
    ping_seconds: float = 25.0
    heartbeat_seconds: float = 12.0
    stall_seconds: float = 30.0
    silence_seconds: float = 10.0
    answer_seconds: float = 2.0
    ready_seconds: float = 2.0
    operations: int = 100
    message_bytes: int = 1_048_576
    large_bytes: int = 65_536
    tick_seconds: float = 0.25
    sockets: int = 1_000
    subscriptions: int = 2_000
    crowd: int = 16
    strangers: int = 500

    @staticmethod
    def of(settings: Settings) -> "ConnectionLimits":
        """The limits of the settings."""
        return ConnectionLimits(
            message_bytes=settings.max_body_bytes,
            sockets=settings.max_sockets,
            subscriptions=settings.max_subscriptions,
            strangers=settings.max_unauthenticated_sockets,
        )


class Connections:
    """The open connections of this process; a listener of the feed that must be called before the deliveries."""

    def __init__(self, feed: Feed, keys: KnownKeys, clock: Clock, limits: ConnectionLimits, sessions: Watches) -> None:
        self.feed = feed
        self.keys = keys
        self.clock = clock
        self.limits = limits
        self.stopping = False
        # The open sockets and streams of each user, and the sockets of each address that have not shown a key yet.
        self.sockets = Places(limits.sockets)
        self.strangers = Places(limits.strangers, _ADDRESSES * limits.strangers)
        self._sessions = sessions
        self._open: dict[Connection, tuple[OpenSession, Callable[[], None]]] = {}
        self._by_session: dict[int, Connection] = {}
        self.ended: Counter[str] = Counter()
        """Why connections have ended, and how many for each reason."""

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection, session: OpenSession) -> None:
        """Look after the connection until `remove`; `session` is what others are let know of it."""
        self._open[connection] = session, self._sessions.begin(session, connection.actor.user_id)
        self._by_session[session.id] = connection
        if self.stopping:
            connection.end(SHUTDOWN)

    def remove(self, connection: Connection) -> None:
        """Let the connection go, and count why it has ended."""
        session, let_go = self._open.pop(connection)
        del self._by_session[session.id]
        let_go()
        ending = connection.ending
        if connection.is_cut:
            self.ended["stalled"] += 1
        else:
            self.ended["client" if ending is None else _REASONS.get(ending.code, "refused")] += 1

    async def run(self) -> None:
        """Check expired keys and stalled clients until cancelled."""
        while True:
            await asyncio.sleep(self.limits.tick_seconds)
            self._look_after(asyncio.get_running_loop().time())

    def _look_after(self, now: float) -> None:
        # Apart from `run`, which would keep the connection it has looked at last until there is another one.
        no_log = self.feed.is_silent
        if no_log and self._open:
            log.warning("the event log cannot be read; its listeners are sent away", connections=len(self._open))
        for connection in list(self._open):
            if no_log:
                connection.end(NO_LOG)
            elif connection.is_stalled(now):
                log.warning("a client that reads nothing is cut off", user_id=connection.actor.user_id)
                connection.is_cut = True
                connection.abort()
            elif connection.has_expired():
                connection.end(FORBIDDEN)

    async def stop(self) -> None:
        """End all streams so that their clients reconnect, to another process or the next one."""
        self.stopping = True
        await asyncio.gather(*(connection.stop() for connection in self._open))

    def heard(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.type.concerns_keys:
                self._doubt(entry.event.data.get("user_id"))
            elif entry.type.ends_session:
                found = self._by_session.get(entry.event.data["session_id"])
                if found is not None:
                    found.end(SESSION_ENDED)

    def lost(self) -> None:
        self._doubt(None)

    def _doubt(self, user_id: object) -> None:
        self.keys.forget()
        for connection in self._open:
            if user_id is None or connection.actor.user_id == user_id:
                connection.doubt()
