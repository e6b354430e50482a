"""How often SQLite is looked at for what other processes have committed."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from app.feed.wakeup import SqliteWakeups

pytestmark = pytest.mark.anyio


async def test_a_file_is_looked_at_less_often_while_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t (n INTEGER)")
    pauses: list[float] = []
    woken_after: list[int] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            with other:
                other.execute("INSERT INTO t VALUES (1)")
        elif len(pauses) == 30:
            raise asyncio.CancelledError

    wakeups = SqliteWakeups(f"sqlite:///{path}", shortest=1.0, longest=3.0, sleep=sleep)
    with pytest.raises(asyncio.CancelledError):
        await wakeups.run(lambda: woken_after.append(len(pauses)))
    other.close()
    assert woken_after == [0, 5]  # when it begins, and at the first look after the change
    assert pauses[0] == pauses[5] == 1.0
    assert pauses[:5] == sorted(set(pauses[:5]))
    assert pauses[5:] == sorted(pauses[5:])
    assert pauses[-1] == 3.0


async def test_own_commits_wake_at_every_fifth_look(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (n INTEGER)")
    looks = 0
    woken_after: list[int] = []

    async def sleep(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 20:
            raise asyncio.CancelledError
        if looks <= 12:
            with connection:
                connection.execute("INSERT INTO t VALUES (1)")
            wakeups.tell()
        elif looks == 15:
            with connection:
                connection.execute("INSERT INTO t VALUES (1)")

    wakeups = SqliteWakeups(f"sqlite:///{path}", shortest=1.0, longest=3.0, sleep=sleep)
    with pytest.raises(asyncio.CancelledError):
        await wakeups.run(lambda: woken_after.append(looks))
    connection.close()
    # When it begins; twice while it commits; for the rest of those, once it has stopped; and for what another commits.
    assert woken_after == [0, 5, 10, 13, 15]
