"""Streams that end: by a key that no longer counts, by a client that does not read, by a shutdown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event as Signal

import httpx2
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosedError

from app.core.events import EventRecord
from app.feed import NOT_READABLE
from app.storage.database import Database, Work
from tests.conftest import ManualClock
from tests.kit.library import READER, book, tick
from tests.kit.library_server import KEY, LIMITS, NUMBERS, TICKS, Keys, serving_library
from tests.postgres import begun
from tests.serving import PATIENCE, Served, Socket, eventually

pytestmark = pytest.mark.anyio

MUCH = f"subscription {{ ticks {{ number book {{ {' '.join(f't{n}: title' for n in range(150))} }} }} }}"
"""Five kilobytes for each tick, so that a client that does not read is soon noticed."""


def tell_of_user(work: Work, user_id: int, topic: str = "user.updated") -> None:
    work.record(EventRecord(topic=topic, data={"user_id": user_id}))


async def test_a_revoked_key_gets_no_further_event(served: Served, library: Database, keys: Keys) -> None:
    async with served.socket({"Authorization": "Bearer reader"}) as socket, served.socket(KEY) as other:
        await socket.listen("1", NUMBERS)
        await other.listen("1", NUMBERS)
        await library.command(tick, 1)
        assert await socket.data("1") == await other.data("1") == {"ticks": {"number": 1}}
        del keys.known["reader"]

        def revoke(work: Work) -> None:
            tell_of_user(work, READER.user_id, "api_key.revoked")
            tick(work, 2)

        await library.command(revoke)
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.take()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "Forbidden")
        assert await other.data("1") == {"ticks": {"number": 2}}


async def test_a_permission_that_is_taken_away_ends_the_socket(served: Served, library: Database, keys: Keys) -> None:
    async with served.socket({"Authorization": "Bearer reader"}) as socket:
        await socket.listen("1", NUMBERS)
        await library.command(tell_of_user, READER.user_id)
        await library.command(tick, 1)
        assert await socket.data("1") == {"ticks": {"number": 1}}
        keys.known["reader"] = replace(READER, permissions=frozenset())
        await library.command(tell_of_user, READER.user_id)
        assert await socket.closed() == (4403, "Forbidden")


async def test_a_key_that_expires_ends_the_socket(
    sqlite_served: Served, sqlite_library: Database, keys: Keys, clock: ManualClock
) -> None:
    keys.known["reader"] = replace(READER, expires_at=clock.now + timedelta(seconds=60))
    async with sqlite_served.socket({"Authorization": "Bearer reader"}) as socket:
        await socket.listen("1", NUMBERS)
        await sqlite_library.command(tick, 1)
        assert await socket.data("1") == {"ticks": {"number": 1}}
        clock.advance(60)
        assert await socket.closed() == (4403, "Forbidden")


async def test_an_operation_with_a_key_that_ended_unnoticed_ends_the_socket(sqlite_served: Served, keys: Keys) -> None:
    async with sqlite_served.socket({"Authorization": "Bearer reader"}) as socket:
        del keys.known["reader"]
        await asyncio.sleep(1.0)  # the second for which a key is remembered
        await socket.subscribe("1", NUMBERS)
        assert await socket.closed() == (4403, "Forbidden")


async def test_a_key_that_ended_while_nobody_listened_is_asked_for_again(served: Served, keys: Keys) -> None:
    reader = {"authorization": "Bearer reader"}
    async with httpx2.AsyncClient(headers=reader) as client:
        assert (await client.post(served.url, json={"query": "{ __typename }"})).status_code == 200
        # Another process does it, and this one, which remembers the key for a second, sleeps.
        del keys.known["reader"]
        async with served.socket(begin=False) as socket:
            await socket.send(type="connection_init", payload=reader)
            assert await socket.closed() == (4401, "Unauthorized: This key is not valid.")


async def test_a_socket_answers_only_who_it_has_admitted(sqlite_served: Served, keys: Keys) -> None:
    async with sqlite_served.socket({"Authorization": "Bearer reader"}) as socket:
        keys.known["reader"] = replace(READER, permissions=READER.permissions | {"more"})
        await asyncio.sleep(1.0)  # the second for which a key is remembered
        await socket.subscribe("1", NUMBERS)
        assert await socket.closed() == (4403, "Forbidden")


async def test_who_does_not_read_delays_nobody_and_is_cut_off(served: Served, library: Database) -> None:
    async with served.socket(KEY, max_size=None) as reading, served.socket(KEY) as stalled:
        await reading.listen("1", MUCH)
        for number in range(4):
            await stalled.listen(str(number), MUCH)
        stalled.connection.transport.pause_reading()
        for first in range(1, 1_501, 50):
            await library.command(tick, *range(first, first + 50))
            for number in range(first, first + 50):
                assert (await reading.data("1"))["ticks"]["number"] == number
        connections = served.server.lifespan.state["services"].connections
        await eventually(lambda: len(connections) == 1)
        await library.command(tick, 9_999)
        assert (await reading.data("1"))["ticks"]["number"] == 9_999


async def test_who_falls_behind_reads_the_log_and_misses_nothing(served: Served, library: Database) -> None:
    async with served.socket(KEY, max_size=None) as slow:
        await slow.listen("1", MUCH)
        await library.command(tick, 1)
        assert (await slow.data("1"))["ticks"]["number"] == 1
        slow.connection.transport.pause_reading()
        for first in range(2, 1_502, 50):
            await library.command(tick, *range(first, first + 50))
        slow.connection.transport.resume_reading()
        for number in range(2, 1_502):
            assert (await slow.data("1"))["ticks"]["number"] == number


async def test_a_shutdown_ends_sockets_so_that_their_clients_come_back(served: Served, library: Database) -> None:
    async with served.socket(KEY) as socket:
        await socket.listen("1", TICKS)
        await library.command(tick, 1)
        cursor = (await socket.data("1"))["ticks"]["cursor"]
        assert cursor
        served.stop()
        assert (await socket.closed())[0] == 1012
    await served.stopped()


async def test_a_shutdown_does_not_wait_for_who_does_not_read(sqlite_served: Served, sqlite_library: Database) -> None:
    async with sqlite_served.socket(KEY) as socket:
        await socket.listen("1", MUCH)
        socket.connection.transport.pause_reading()
        await sqlite_library.command(tick, *range(1, 2_001))
        await asyncio.sleep(0.3)
        sqlite_served.stop()
        async with asyncio.timeout(PATIENCE):
            await sqlite_served.stopped()


UPDATE = 'mutation { updateBook(input: {id: "boo_1", title: "New"}) { book { title } } }'


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[Signal]:
    """Nobody else can write to the SQLite database until the signal is set."""
    begun, release = Signal(), Signal()

    def hold(work: Work) -> None:
        work.connection.execute(sa.update(book).values(note="held"))
        begun.set()
        release.wait(PATIENCE)

    holding = asyncio.create_task(database.command(hold))
    try:
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        yield release
    finally:
        release.set()
        await holding


async def stop_while_it_writes(served: Served, socket: Socket) -> None:
    """Stop the server when it listens for this client, and has begun what it is told to change."""
    await socket.listen("t", NUMBERS)
    await socket.subscribe("m", UPDATE)
    await socket.send(type="ping")
    assert await socket.take() == {"type": "pong"}
    served.stop()
    await eventually(lambda: served.running == 0)


async def test_a_mutation_that_runs_when_the_server_stops_is_answered(
    sqlite_served: Served, sqlite_library: Database
) -> None:
    async with writing(sqlite_library) as release, sqlite_served.socket(KEY) as socket:
        await stop_while_it_writes(sqlite_served, socket)
        await socket.subscribe("late", UPDATE)
        assert await socket.silent()
        release.set()
        assert await socket.data("m") == {"updateBook": {"book": {"title": "New"}}}
        assert await socket.take() == {"type": "complete", "id": "m"}
        assert (await socket.closed())[0] == 1012
    await sqlite_served.stopped()


async def test_a_shutdown_waits_for_no_answer_for_long(sqlite_served: Served, sqlite_library: Database) -> None:
    sqlite_served.limit(answer_seconds=0.1)
    async with writing(sqlite_library), sqlite_served.socket(KEY) as socket:
        await stop_while_it_writes(sqlite_served, socket)
        assert (await socket.closed())[0] == 1012
    await sqlite_served.stopped()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_shutdown_waits_for_no_request_for_long(served: Served, library: Database, database_url: str) -> None:
    async with (
        begun(database_url, "UPDATE book SET note = 'held'"),
        httpx2.AsyncClient(headers=KEY, timeout=PATIENCE) as client,
    ):
        asked = asyncio.create_task(client.post(served.url, json={"query": UPDATE}))
        await asyncio.sleep(0.3)
        served.stop()
        async with asyncio.timeout(PATIENCE):
            await served.stopped()
        assert (await asked).status_code == 500


def rename(work: Work, table: str, name: str) -> None:
    work.connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")


async def test_who_comes_while_the_log_cannot_be_read_is_told_to_try_later(
    sqlite_served: Served, sqlite_library: Database
) -> None:
    feed = sqlite_served.server.lifespan.state["services"].connections.feed
    feed.longest_beginning = 0.05
    await sqlite_library.command(rename, "lane", "away")
    with capture_logs():
        async with sqlite_served.socket(begin=False) as socket:
            assert await socket.closed() == (1013, "Try again later")
        async with httpx2.AsyncClient(headers=KEY | {"accept": "text/event-stream"}) as client:
            refused = await client.post(sqlite_served.url, json={"query": NUMBERS})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert [each["extensions"]["code"] for each in refused.json()["errors"]] == ["UNAVAILABLE"]
    feed.longest_beginning = PATIENCE
    await sqlite_library.command(rename, "away", "lane")
    async with sqlite_served.socket(KEY) as socket:
        await socket.listen("1", NUMBERS)
        await sqlite_library.command(tick, 1)
        assert await socket.data("1") == {"ticks": {"number": 1}}


async def test_readiness_tells_of_a_log_that_cannot_be_read_until_it_is(
    library: Database, database_url: str, clock: ManualClock, keys: Keys
) -> None:
    async def readiness() -> tuple[int, str | None]:
        async with httpx2.AsyncClient() as client:
            response = await client.get(served.url.replace("/graphql", "/readyz"))
        return response.status_code, response.json().get("reason")

    async with serving_library(database_url, clock, keys) as served:
        connections = served.server.lifespan.state["services"].connections
        with capture_logs() as logs:
            async with served.socket(KEY) as socket:
                await socket.listen("1", NUMBERS)
                await library.command(rename, "lane", "lane_away")
                await library.command(rename, "event_log", "log_away")
                await eventually(lambda: any(entry["event"].startswith("the feed cannot read") for entry in logs))
                # Not before: on a slow machine an answer may take longer than this.
                connections.feed._log.longest_silence = 0.5
                assert await socket.closed() == (1013, NOT_READABLE)
            await eventually(lambda: len(connections) == 0)
            # Nobody listens any more, and still nobody could.
            await asyncio.sleep(0.5)
            assert await readiness() == (503, NOT_READABLE)
            await library.command(rename, "log_away", "event_log")
            await library.command(rename, "lane_away", "lane")
            await eventually(lambda: not connections.feed.is_silent)
        connections.feed._log.longest_silence = LIMITS.silence_seconds
        assert await readiness() == (200, None)
