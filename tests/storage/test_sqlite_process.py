"""A SQLite connection in a process of its own."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.storage import sqlite_process
from app.storage.sqlite_process import SqliteProcess

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "some.db")
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2)")
    connection.close()
    return tmp_path / "some.db"


@pytest.fixture
def asked() -> list[bool]:
    """What the reader is answered, one after the other, when it asks whether it is over; False from then on."""
    return []


@pytest.fixture
def process(file: Path, asked: list[bool]) -> Iterator[SqliteProcess]:
    process = SqliteProcess(str(file), lambda: bool(asked) and asked.pop(0))
    yield process
    process.close()
    assert process.has_ended


def test_values_of_every_type_come_back_as_they_were_given(process: SqliteProcess) -> None:
    given = (None, 7, -(2**63), 1.5, "ä\U0001f600\x00", b"\x00\xff", "x" * 3_000_000)
    assert process.execute("SELECT ?, ?, ?, ?, ?, ?, ?", given).fetchall() == [given]


def test_rows_are_those_of_one_moment_within_a_transaction(process: SqliteProcess, file: Path) -> None:
    process.execute("BEGIN")
    assert process.in_transaction
    assert process.execute("SELECT count(*) FROM t").fetchall() == [(2,)]
    with sqlite3.connect(file) as writer:
        writer.execute("INSERT INTO t VALUES (3)")
    writer.close()
    assert process.execute("SELECT count(*) FROM t").fetchall() == [(2,)]
    process.execute("COMMIT")
    assert not process.in_transaction
    assert process.execute("SELECT count(*) FROM t").fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("sql", "args", "error", "said"),
    [
        ("SELECT m FROM t", (), sqlite3.OperationalError, "no such column: m"),
        ("INSERT INTO t VALUES (3)", (), sqlite3.OperationalError, "attempt to write a readonly database"),
        ("SELECT ?", (), sqlite3.ProgrammingError, "Incorrect number of bindings"),
        ("SELECT ?", (2**63,), OverflowError, "too large"),
    ],
)
def test_errors_are_those_of_sqlite(
    process: SqliteProcess, sql: str, args: tuple[object, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        process.execute(sql, args)
    assert process.execute("SELECT 7").fetchall() == [(7,)]


def test_processor_time_is_counted(process: SqliteProcess) -> None:
    process.execute(_ENDLESS.replace("FROM n)", "FROM n WHERE i < 100000)"))
    first = process.used
    assert first > 0
    process.execute("SELECT 1")
    assert process.used > first


def test_a_statement_that_is_over_is_interrupted(process: SqliteProcess, asked: list[bool]) -> None:
    asked += [False, False, True]
    with pytest.raises(sqlite3.OperationalError, match="interrupted") as caught:
        process.execute(_ENDLESS)
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
    assert not asked
    assert process.execute("SELECT 7").fetchall() == [(7,)]


def test_a_process_that_hangs_is_killed_once_it_is_over(
    process: SqliteProcess, asked: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_process, "_INTERRUPTED_WITHIN", 0.05)
    process.execute("SELECT 1")
    os.kill(process.pid, signal.SIGSTOP)
    asked.append(True)
    with pytest.raises(sqlite3.OperationalError) as caught:
        process.execute("SELECT 1")
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT


def test_a_process_that_is_killed_within_a_read_fails_it(file: Path) -> None:
    def kill() -> bool:
        os.kill(reader.pid, signal.SIGKILL)
        return False

    reader = SqliteProcess(str(file), kill)
    with pytest.raises(sqlite3.OperationalError, match="has ended"):
        reader.execute(_ENDLESS)
    reader.close()


def test_signals_to_a_whole_terminal_do_not_end_a_read(process: SqliteProcess) -> None:
    process.execute("SELECT 1")
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(process.pid, number)
    assert process.execute("SELECT 7").fetchall() == [(7,)]


def test_secrets_are_not_passed_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_BOOTSTRAP_KEY", "known to nobody")
    monkeypatch.setenv("KEPT", "open")
    process = SqliteProcess(str(file), lambda: False)
    process.execute("SELECT 1")
    environment = Path(f"/proc/{process.pid}/environ")
    if environment.exists():
        assert b"KEPT=open" in environment.read_bytes()
        assert b"known to nobody" not in environment.read_bytes()
    process.close()
