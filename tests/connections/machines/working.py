"""How two processes work for a connection, one step at a time: sending, reading, and what they do until all is done."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from app.connections.model import NewConnection
from app.connections.repository.mirrored import Mark
from app.connections.sender import Sender
from app.connections.service import create_connection, reading
from app.interactions.remote import Remote
from app.registry import CONNECTORS
from app.storage.database import Database
from app.storage.leases import take_lease
from tests.conftest import ManualClock
from tests.connections.machines.platform import LATE, USERS, Flight, Platform
from tests.connections.machines.seen import (
    Here,
    Process,
    Read,
    Story,
    conversations,
    is_active,
    is_settled,
    key_of,
    marks_of,
)
from tests.kinds.conftest import ADA

LEASE = timedelta(seconds=30)
TALKS = 3
_TRIED = timedelta(seconds=50)
"""After so long a living process gives a request up: what was begun may be another's ten seconds later."""


class Working(RuleBasedStateMachine):
    """Three conversations of one connection, and what two processes do for it."""

    database: Database
    loop: asyncio.AbstractEventLoop
    clock: ManualClock
    platform: Platform
    remote: Remote
    born = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).born += 1
        self.lease = f"kept {self.born}"
        new = NewConnection(
            system="VOICEBOT",
            name=f"Bot {self.born}",
            address="https://bot.example.com",
            credential="token",
            settings={"users": USERS},
        )
        self.connection = self.run(create_connection, ADA, CONNECTORS, new).system.id
        self.count = 0
        self.platform.silent = False
        self.platform.listed = []
        self.strays: list[Flight] = []
        self.reads: list[Read] = []
        self.changes: Counter[str] = Counter()
        self.processes = [self._process("a"), self._process("b")]
        self.stories = [Story(self.platform.open()) for _ in range(TALKS)]
        self.settle()

    def _process(self, name: str) -> Process:
        async def reached(_fault: object) -> None:
            return None

        run = Sender(self.database, self.remote, self.platform, self.lease, name, reached)
        return Process(name, run)

    # ---- how it is looked at

    def wait(self, doing: Any) -> Any:
        return self.loop.run_until_complete(doing)

    def run(self, f: Any, /, *given: Any, **named: Any) -> Any:
        return self.wait(self.database.command(f, *given, **named))

    def here(self) -> dict[int, Here]:
        """The conversations of this life that are here, by their numbers there."""
        found: dict[int, Here] = self.run(
            conversations, self.connection, [str(each.talk.number) for each in self.stories]
        )
        return found

    def marks(self) -> list[str]:
        found: list[str] = self.run(marks_of, self.connection)
        return found

    def pass_time(self, seconds: float, *, late: bool) -> None:
        """Time passes: a living process gives up what it waits for, and what was cut off is done late or never."""
        until = self.clock.now + timedelta(seconds=seconds)
        for process in self.processes:
            for number, (_, flight) in list(process.tasks.items()):
                if until - flight.sent_at >= _TRIED:
                    self.answer(process, number, "cut before")
        for flight in [each for each in self.strays if until - each.sent_at >= LATE]:
            if late:
                self.do(flight)
            self.strays.remove(flight)
        self.clock.now = until

    # ---- how

    def story(self, flight: Flight) -> Story:
        return next(each for each in self.stories if each.talk is flight.talk)

    def do(self, flight: Flight) -> None:
        before = flight.talk.texts()
        self.platform.do(flight)
        assert flight.talk.gone or not flight.makes or len(flight.talk.texts()) <= len(before) + 1

    def begin(self, process: Process, number: int) -> Flight | None:
        """Begin an entry; its request, where one is under way now."""
        self.platform.arrived.clear()
        key = self.run(key_of, number)
        known = set(map(id, self.platform.flights))

        async def begin() -> "asyncio.Task[bool]":
            task = asyncio.create_task(process.sender.send(number))
            arrived = asyncio.create_task(self.platform.arrived.wait())
            await asyncio.wait({task, arrived}, return_when=asyncio.FIRST_COMPLETED)
            arrived.cancel()
            return task

        task = self.wait(begin())
        new = [each for each in self.platform.flights if id(each) not in known]
        if task.done():
            task.result()
            self._note_settled(number, key)
            return None
        assert number not in process.tasks, "an entry is sent while its request is under way"
        (flight,) = new
        process.tasks[number] = task, flight
        return flight

    def answer(self, process: Process, number: int, how: str) -> None:
        task, flight = process.tasks.pop(number)
        story = self.story(flight)
        story.faults = story.faults or how != "done"
        if how == "refused" and not flight.makes:
            story.wish = None
        self.platform.end(flight, how)
        if how.startswith("cut"):
            self.cut_off(flight)
        self.clock.advance(0.001)
        self.wait(task)
        self._note_settled(number, str(flight.talk.number))

    def _note_settled(self, number: int, key: str | None) -> None:
        """Where a write has ended, what was read before says nothing any more."""
        if key is not None and self.run(is_settled, number):
            self.changes[key] += 1

    def cut_off(self, flight: Flight) -> None:
        """Nobody waits for the request any more. What makes something may be done late; a value that is would be a
        change there like any other, which a read finds."""
        if flight.makes and not flight.was_done:
            self.strays.append(flight)

    def poll(self) -> None:
        if not self.platform.silent:
            page = self.wait(self.remote.list_page(self.platform, None))
            self.run(reading.note_listed, self.connection, page.items)

    def tick_and_due(self) -> reading.Due:
        self.clock.advance(0.001)
        found: reading.Due = self.run(reading.due, self.connection, 0, 20)
        return found

    def read(self, mark: Mark, began_at: datetime) -> bool:
        """Begin to read what is marked; whether it could be."""
        known = self.run(reading.known_messages, self.connection, mark)
        if isinstance(known, reading.Later) or self.platform.silent:
            after = known.after if isinstance(known, reading.Later) else None
            self.run(reading.put_off_mark, self.connection, mark, "Later.", after=after)
            return False
        found = self.wait(self.remote.read(self.platform, mark.key, known))
        talk = self.platform.talks[int(mark.key)]
        self.reads.append(Read(mark, found, began_at, self.changes[mark.key], talk.foreign))
        return True

    def apply(self, read: Read) -> None:
        self.clock.advance(0.001)
        key = read.mark.key
        later = self.run(reading.apply_snapshot, self.remote, self.connection, read.mark, read.found, read.began_at)
        if later is not None:
            self.run(reading.put_off_mark, self.connection, read.mark, later.reason, after=later.after)
            return
        story = next(each for each in self.stories if str(each.talk.number) == key)
        # Of what was erased here, or is not there any more, nothing is taken in.
        if story.erased is None and not story.talk.gone:
            assert self.changes[key] == read.changes, "a read was applied that another one had overtaken"
            self.changes[key] += 1
            story.read = max(story.read, read.foreign)

    def serve(self, process: Process) -> None:
        for _ in range(50):
            due = self.run(reading.due, self.connection, 4, 0).entries
            if not due:
                return
            for number in due:
                if self.begin(process, number) is not None:
                    self.answer(process, number, "done")
        raise AssertionError("There is no end of what is due.")

    def settle(self) -> None:
        """Go on politely until nothing is left to be done."""
        for _ in range(60):
            self.pass_time(61, late=True)
            assert self.run(take_lease, self.lease, "a", LEASE)
            self.serve(self.processes[0])
            self.poll()
            for read in [self.reads.pop() for _ in list(self.reads)]:
                self.apply(read)
            due = self.tick_and_due()
            for mark in due.marks:
                if self.read(mark, due.now):
                    self.apply(self.reads.pop())
            active = [each for here in self.here().values() for each in here.entries if is_active(each)]
            if not active and not self.marks():
                return
        raise AssertionError("There is no end.")
