"""Synchronizes one connection with its system, while this process has its lease."""

import asyncio
from collections.abc import Collection, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from app.connections.model import ConnectedSystem
from app.connections.model.settings import number_in
from app.connections.model.standing import ReachFault
from app.connections.poller import Poller
from app.connections.reach import RATE
from app.connections.repository.mirrored import Mark
from app.connections.sender import Sender
from app.connections.service import reading
from app.connections.tables import AGAIN
from app.connections.walker import Walker
from app.core.clock import Clock
from app.core.errors import DATABASE_AWAY, DomainError
from app.interactions.connector import Unmappable
from app.interactions.remote import Hook, Reach, Refused, Remote, Unanswered
from app.storage.database import Database
from app.storage.leases import end_lease, take_lease

LEASE = timedelta(seconds=30)
"""How long a process keeps a connection after its last sign of life. Then another process takes over."""

_RENEW_SECONDS = 10.0
_SENDS_AT_ONCE = 4
READS_AT_ONCE = 4
HISTORY_AT_ONCE = 3
"""How many reads of a connection are under way at once, and how many of them may be of history: what has changed just
now never waits for one of those to end."""

_TEND_SECONDS = 60.0
_LEAST_PAUSE = 0.05
_FAILED = "INTERNAL: Taking it in failed for a reason that the server's log has."

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeeperLimits:
    """How often lists are read: every `poll` seconds, unless the connection says otherwise, and completely every
    `walk`."""

    poll_seconds: float = 10.0
    walk: timedelta = timedelta(hours=1)


class Keeper:
    """Reads what changed in the other system, and does there what was done here: writes first, then reads, then
    history."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        system: ConnectedSystem,
        remote: Remote,
        reach: Reach,
        holder: str,
        limits: KeeperLimits,
        hook: Hook | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._system = system
        self.remote = remote
        self._reach = reach
        self._behind = reach.behind()
        self._holder = holder
        every = number_in(system.settings, "pollSeconds", limits.poll_seconds)
        self.lease = f"connection {system.id} kept"
        self._sender = Sender(database, remote, reach, self.lease, holder, self._reached)
        self._renewed_at = float("-inf")
        self._running: dict[asyncio.Task[None], str] = {}
        self._reading: set[str] = set()
        self._walked = False
        self._walk_fault: ReachFault | None = None
        self._tend_at = 0.0
        self._hook = hook
        self._is_tended = False
        self._hook_fault: str | None = None
        self._fault = system.reach_fault
        self._wake = asyncio.Event()
        self._time = asyncio.get_running_loop().time
        self.poller = Poller(database, system, remote, reach, every, self._time)
        rate = number_in(system.settings, "requestsPerSecond", RATE)
        self.walker = Walker(database, system, remote, self._behind, limits.walk, every, rate, self._time)

    def wake(self) -> None:
        """Check at once for work."""
        self._wake.set()

    def poll_now(self) -> None:
        """Read the list at once, whenever it was due."""
        self.poller.at = 0.0
        self._wake.set()

    async def settled(self) -> bool:
        """Wait until nothing that was begun is under way. Returns whether something was."""
        began = bool(self._running)
        while self._running:
            await asyncio.wait(list(self._running))
        return began

    async def keep(self) -> None:
        """Synchronize until another process has the lease, or until cancelled."""
        try:
            while await self._holds():
                self._wake.clear()
                pause = await self.step()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            with suppress(Exception):
                async with asyncio.timeout(2.0):
                    await self._database.command(end_lease, self.lease, self._holder)

    async def step(self) -> float:
        """Begin what is due. Returns for how many seconds nothing else is due, as far as is known."""
        under_way = frozenset(self._reading)
        # Twice as many marks as reads: beside those under way, it has to be seen whether more wait.
        found = await self._database.command(reading.due, self._system.id, _SENDS_AT_ONCE, 2 * READS_AT_ONCE)
        for entry_id in found.entries[: _SENDS_AT_ONCE - self._count("send")]:
            self._begin("send", self._send(entry_id))
        waiting = self._begin_reads(found, under_way)
        now = self._time()
        if self._walked and not found.walked:
            self.walker.now()  # the list must be read again
        self._walked = found.walked
        if now >= self.poller.at and not self._count("poll"):
            self._begin("poll", self._poll())
        elif not self._count("walk"):
            busy = not all(mark.quiet for mark in found.marks) or bool(self._count("read", "send", "poll"))
            ahead = any(mark.quiet and mark.fingerprint != AGAIN for mark in waiting)
            if self.walker.is_due(busy=busy, ahead=ahead):
                self._begin("walk", self._walk())
        if self._hook is not None and now >= self._tend_at and not self._count("tend"):
            self._begin("tend", self._tend(self._hook))
        # A request in flight wakes this when it ends.
        waits = [_RENEW_SECONDS, *([] if self._count("poll") else [self.poller.at - now])]
        if found.next_due is not None and not self._running:
            waits.append((found.next_due - self._clock()).total_seconds())
        if not self._running:
            waits.append(self.walker.at - now)
        if self._hook is not None and not self._count("tend"):
            waits.append(self._tend_at - now)
        return max(min(waits), _LEAST_PAUSE)

    def _begin_reads(self, found: reading.Due, under_way: Collection[str]) -> list[Mark]:
        """Begin to read what is due, history last. Returns what has to wait.

        What was `under_way` when it was looked for may have been applied since, and so is looked for once more."""
        waiting: list[Mark] = []
        for mark in found.marks:
            if mark.key in self._reading or mark.key in under_way:
                continue
            most = HISTORY_AT_ONCE if mark.quiet else READS_AT_ONCE
            if self._count("read", "history") >= most:
                waiting.append(mark)
                continue
            self._reading.add(mark.key)
            self._begin("history" if mark.quiet else "read", self._read(mark, found.now))
        return waiting

    async def _holds(self) -> bool:
        if self._time() < self._renewed_at + _RENEW_SECONDS:
            return True
        began = self._time()
        try:
            mine = await self._database.command(take_lease, self.lease, self._holder, LEASE)
        except DATABASE_AWAY:
            return self._time() < self._renewed_at + LEASE.total_seconds() / 2
        self._renewed_at = began
        return mine

    def _count(self, *what: str) -> int:
        return sum(each in what for each in self._running.values())

    def _begin(self, what: str, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(what, doing))
        self._running[task] = what
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._wake.set()

    async def _guarded(self, what: str, doing: Coroutine[Any, Any, None]) -> None:
        try:
            await doing
        except DATABASE_AWAY as away:
            _log.warning("a connection cannot be kept", connection=self._system.name, what=what, reason=away.message)
            await asyncio.sleep(1.0)
        except Exception:
            _log.exception("a connection cannot be kept", connection=self._system.name, what=what)
            await asyncio.sleep(1.0)

    # ---- writes ----------------------------------------------------------------------------------------------------

    async def _send(self, entry_id: int) -> None:
        if not await self._sender.send(entry_id):
            # It may look due until another process may take it: do not ask again without a pause.
            await asyncio.sleep(_LEAST_PAUSE)

    # ---- reads -----------------------------------------------------------------------------------------------------

    async def _read(self, mark: Mark, began_at: datetime) -> None:
        run, number = self._database.command, self._system.id
        try:
            known = await run(reading.known_messages, number, mark)
            later = known if isinstance(known, reading.Later) else await self._taken_in(mark, known, began_at)
            if later is not None:
                await run(reading.put_off_mark, number, mark, later.reason, after=later.after)
        except Refused as refused:
            await run(reading.put_off_mark, number, mark, refused.reason)
        except Unanswered as silent:
            await run(reading.put_off_mark, number, mark, silent.reason, wait=silent.wait)
        except DATABASE_AWAY:
            raise
        except Unmappable as unmappable:
            await run(reading.put_off_mark, number, mark, unmappable.reason)
        except DomainError as error:
            await run(reading.put_off_mark, number, mark, f"{error.code}: {error.message}")
        except Exception:
            _log.exception("something cannot be taken in", connection=self._system.name, key=mark.key)
            await run(reading.put_off_mark, number, mark, _FAILED)
        finally:
            self._reading.discard(mark.key)

    async def _taken_in(self, mark: Mark, known: frozenset[str], began_at: datetime) -> reading.Later | None:
        found = await self.remote.read(self._behind if mark.quiet else self._reach, mark.key, known)
        run = self._database.command
        return await run(reading.apply_snapshot, self.remote, self._system.id, mark, found, began_at)

    async def _poll(self) -> None:
        try:
            await self.poller.poll()
            await self._reached(None)
        except (Refused, Unanswered) as fault:
            await self._reached(_fault(fault))

    async def _tend(self, hook: Hook) -> None:
        """Check that the other system delivers. A poll finds what it did not deliver."""
        try:
            lost = await self.remote.tend(self._reach, hook, first=not self._is_tended)
            self._is_tended, self._hook_fault = True, None
            if lost:
                self.poll_now()
        except (Refused, Unanswered) as fault:
            if fault.reason != self._hook_fault:
                _log.warning("a webhook cannot be kept", connection=self._system.name, reason=fault.reason)
            self._hook_fault = fault.reason
        self._tend_at = self._time() + _TEND_SECONDS

    async def _walk(self) -> None:
        """Read the next page of the whole list. This finds changes that polls do not see."""
        try:
            await self.walker.page()
            self._walk_fault = None
        except (Refused, Unanswered) as fault:
            self._walk_fault = _fault(fault) if isinstance(fault, Refused) else None
            await self._reached(_fault(fault))

    async def _reached(self, fault: ReachFault | None) -> None:
        fault = fault or self._walk_fault or (None if self._hook_fault is None else ReachFault.HOOK)
        said = None if fault is None else fault.value
        if said != self._fault:
            await self._database.command(reading.note_reached, self._system.id, said)
            self._fault = said


def _fault(fault: Refused | Unanswered) -> ReachFault:
    if isinstance(fault, Unanswered):
        return ReachFault.SILENT
    return ReachFault.TOKEN if fault.unauthorized else ReachFault.ANSWER
