"""History is read beside what happens just now, and never before it."""

import asyncio
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from app.connections.keeper import HISTORY_AT_ONCE, Keeper, KeeperLimits
from app.connections.model import NewConnection
from app.connections.repository import ConnectedSystemRepository
from app.connections.service import reading
from app.interactions.remote import Answered
from app.registry import CONNECTORS
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.connections.attached import Attached, attach
from tests.connections.machines.platform import Platform, Talk, shown

pytestmark = pytest.mark.anyio

PAGE = 5
TALKS = 40
POLLED = 5 * PAGE
"""How many conversations the first poll may list."""


class Crowd(Platform):
    """A messaging bot with many conversations, whose lists have short pages. Reads of conversations in `held` wait for
    `free`."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.read: list[int] = []
        self.walked: list[tuple[int, int]] = []
        self.held: set[int] = set()
        self.free = asyncio.Event()
        self._began = asyncio.Event()
        self._walks = False

    def behind(self) -> "Crowd":
        """The same; of a page that is asked for so, it is kept how many conversations had been read before."""
        found = copy(self)
        found._walks = True
        return found

    def hear(self, talk: Talk, text: str) -> None:
        super().hear(talk, text)
        self.listed.remove(talk.number)
        self.listed.append(talk.number)

    async def ask(self, path: str, **query: str | int) -> Answered:
        parts = path.strip("/").split("/")
        if len(parts) == 1:
            return self._listed(int(query["page"]))
        if len(parts) == 2:
            self.read.append(int(parts[1]))
            self._began.set()
            if self.read[-1] in self.held:
                await self.free.wait()
        return await super().ask(path, **query)

    async def began(self, count: int) -> None:
        """Wait until so many conversations were begun to be read."""
        while len(self.read) < count:
            self._began.clear()
            await self._began.wait()

    def _listed(self, page: int) -> Answered:
        self._clock.advance(0.001)  # what is on the first pages is marked first
        if self._walks:
            self.walked.append((page, len(self.read)))
        found = [shown(self.talks[each]) for each in reversed(self.listed)]
        some = found[(page - 1) * PAGE : page * PAGE]
        return Answered(200, {"data": some, "meta": {"last_page": -(-len(found) // PAGE)}})


@dataclass
class Bot(Attached):
    """The Switchboard, and the bot that it has just been connected to."""

    crowd: Crowd
    most_steps: ClassVar[int] = 4 * TALKS

    async def turn(self) -> None:
        """Begin what is due, and wait until it has ended."""
        await self.keeper.step()
        await self.keeper.settled()

    def last(self) -> Talk:
        """The conversation that is read last of those that the first poll lists."""
        return self.crowd.talks[TALKS - POLLED + 1]

    def unread(self) -> Talk:
        """A conversation that has not been read."""
        return next(each for each in self.crowd.talks.values() if each.number not in self.crowd.read)

    async def texts(self) -> list[str | None]:
        return [each.text for each in await self.messages()]


@pytest.fixture
async def bot(database: Database, clock: ManualClock) -> Bot:
    crowd = Crowd(clock)
    for _ in range(TALKS):
        crowd.open()
    clock.advance(86_400)
    new = NewConnection(system="VOICEBOT", name="Bot", address="https://bot.example.com", credential="token")
    number = await attach(database, new)
    system = await database.command(lambda work: work.use(ConnectedSystemRepository).get(number))
    remote: Any = CONNECTORS["VOICEBOT"].remote
    assert system is not None
    keeper = Keeper(database, clock, system, remote, crowd, "tests", KeeperLimits())
    return Bot(database, clock, keeper, number, crowd)


async def test_history_lets_what_happens_meanwhile_go_first(bot: Bot) -> None:
    while len(bot.crowd.read) < 2 * HISTORY_AT_ONCE:
        await bot.turn()
    talk, before = bot.last(), len(bot.crowd.read)
    bot.clock.advance(1)
    bot.crowd.hear(talk, "And now?")
    bot.keeper.poll_now()
    # Beside the poll that finds it history goes on, and beside its read too; but nothing comes between the two.
    await bot.turn()
    assert talk.number not in bot.crowd.read
    await bot.turn()
    assert talk.number in bot.crowd.read[before:]
    assert "And now?" in await bot.texts()
    assert len(bot.crowd.read) < TALKS


async def test_history_that_hangs_leaves_room_for_what_happens_meanwhile(bot: Bot) -> None:
    await bot.turn()
    bot.crowd.held.update(bot.crowd.talks)
    begun = len(bot.crowd.read)
    await bot.keeper.step()
    await bot.crowd.began(begun + HISTORY_AT_ONCE)
    talk = bot.unread()
    bot.crowd.held.remove(talk.number)
    await bot.database.command(reading.note_hint, bot.connection, str(talk.number))
    await bot.keeper.step()
    await bot.crowd.began(begun + HISTORY_AT_ONCE + 1)
    assert bot.crowd.read[-1] == talk.number
    bot.crowd.free.set()
    await bot.keeper.settled()
    assert len(bot.crowd.read) == begun + HISTORY_AT_ONCE + 1


async def test_history_is_listed_no_further_than_it_is_read(bot: Bot) -> None:
    await bot.work()
    assert sorted(bot.crowd.read) == sorted(bot.crowd.talks)
    assert [page for page, _ in bot.crowd.walked] == list(range(1, TALKS // PAGE + 1))
    # What was listed before has been read when the next page is asked for, but for the reads that are under way.
    listed = [max(POLLED, (page - 1) * PAGE) for page, _ in bot.crowd.walked]
    assert all(read >= each - HISTORY_AT_ONCE for (_, read), each in zip(bot.crowd.walked, listed, strict=True))


async def test_history_is_what_the_first_poll_finds(bot: Bot) -> None:
    await bot.turn()
    bot.clock.advance(1)
    talk = bot.last()
    bot.crowd.hear(talk, "And now?")
    assert {each.quiet for each in await _marks(bot)} == {True}
    bot.keeper.poll_now()
    await bot.turn()
    assert [each.key for each in await _marks(bot) if not each.quiet] == [str(talk.number)]


async def _marks(bot: Bot) -> Any:
    return (await bot.database.command(reading.due, bot.connection, 0, TALKS)).marks
