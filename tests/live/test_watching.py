"""Leases of who watches are written together, renewed, ended, and outlive a database that is away."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import pytest

from app.core.errors import Unavailable
from app.live.watching import Place, Watches
from app.storage.database import Database, Work
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

Call = tuple[dict[Place, int], list[Place]]


class Book:
    """What was written, in its order."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[Call] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self.holders: set[str] = set()
        self.away = False
        self.asked = asyncio.Event()

    def __call__(self, _work: Work, holder: str, held: Mapping[Place, int], let_go: Collection[Place]) -> None:
        self.holders.add(holder)
        self._loop.call_soon_threadsafe(self.asked.set)
        if self.away:
            raise Unavailable("The database is away.")
        self._loop.call_soon_threadsafe(self.calls.put_nowait, (dict(held), sorted(let_go)))

    async def next(self) -> Call:
        async with asyncio.timeout(PATIENCE):
            return await self.calls.get()


@asynccontextmanager
async def watching(database: Database, book: Book, renewal_seconds: float = 60.0) -> AsyncIterator[Watches]:
    watches = Watches(database, book, renewal_seconds=renewal_seconds)
    running = asyncio.create_task(watches.run())
    try:
        yield watches
    finally:
        await watches.stop(running)
        assert running.done()


async def test_changes_are_written_together_and_once(database: Database) -> None:
    book = Book()
    async with watching(database, book) as watches:
        ends = [watches.begin(7, 1), watches.begin(7, 1), watches.begin(0, 2)]
        assert await book.next() == ({(7, 1): 2, (0, 2): 1}, [])
        ends[0]()
        watches.begin(7, 2)()
        assert await book.next() == ({(7, 1): 1}, [])
        ends[1]()
        assert await book.next() == ({}, [(7, 1)])
    assert await book.next() == ({}, [(0, 2)])
    assert book.calls.empty()
    assert len(book.holders) == 1


async def test_many_are_written_in_parts(database: Database) -> None:
    book = Book()
    async with watching(database, book) as watches:
        for subject in range(1, 1201):
            watches.begin(subject, 1)
        assert [len((await book.next())[0]) for _ in range(3)] == [500, 500, 200]
    assert [len((await book.next())[1]) for _ in range(3)] == [500, 500, 200]


async def test_leases_are_renewed(database: Database) -> None:
    book = Book()
    async with watching(database, book, renewal_seconds=0.05) as watches:
        watches.begin(7, 1)
        assert [await book.next() for _ in range(3)] == [({(7, 1): 1}, [])] * 3


async def test_leases_are_renewed_while_others_come_and_go(database: Database) -> None:
    book = Book()
    async with watching(database, book, renewal_seconds=1.0) as watches:
        watches.begin(7, 1)
        assert await book.next() == ({(7, 1): 1}, [])
        renewed, subject = False, 100
        while not renewed and subject < 130:
            watches.begin(subject := subject + 1, 2)
            renewed = (7, 1) in (await book.next())[0]
        assert renewed


async def test_a_database_that_is_away_is_waited_for(database: Database) -> None:
    book = Book()
    book.away = True
    async with watching(database, book) as watches:
        end = watches.begin(7, 1)
        async with asyncio.timeout(PATIENCE):
            await book.asked.wait()
        book.away = False
        assert await book.next() == ({(7, 1): 1}, [])
        end()
        assert await book.next() == ({}, [(7, 1)])
