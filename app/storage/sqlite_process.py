"""A SQLite connection for reads, in a process of its own."""

import builtins
import marshal
import os
import select
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from app.storage import sqlite_program
from app.storage.engines import BUSY_TIMEOUT_MS
from app.storage.query import Row

_LOOK_EVERY_MS = 20
_INTERRUPTED_WITHIN = 2.0
_ENDS_WITHIN = 1.0
_PIPE_BYTES = 1 << 20
_SETTINGS = "SWITCHBOARD_"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The rows of a statement."""

    rows: Sequence[Row]

    def fetchall(self) -> Sequence[Row]:
        return self.rows


class SqliteProcess:
    """What a reader needs of a `sqlite3.Connection`, for statements that take long.

    SQLite works in the process, which has a low priority: it takes neither the interpreter from the threads of this
    one, nor a core from whoever wants it. A thread of this process cannot have a low priority of its own: when it wants
    the interpreter, CPython lets the thread that gives it up wait until this one has got a core. With two other
    programs on two cores, a short read beside deep pages took 448 ms (median); with this, 3 ms.

    `is_over` is asked every 20 ms while a statement runs; the statement is interrupted once it says so. Raises OSError
    when the process cannot be started."""

    def __init__(self, path: str, is_over: Callable[[], bool]) -> None:
        self._is_over = is_over
        self.in_transaction = False
        self.used = 0.0
        """Seconds of processor time of all statements so far."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", sqlite_program.__file__, path, str(BUSY_TIMEOUT_MS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pipesize=_PIPE_BYTES,
            # Not what is secret.
            env={name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._interrupted_at: float | None = None
        self._asked, self._answers = self._process.stdin, self._process.stdout
        self._readable = select.poll()
        self._readable.register(self._answers, select.POLLIN | select.POLLHUP)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended, for whatever reason."""
        return self._process.poll() is not None

    def execute(self, sql: str, args: Sequence[object] = ()) -> Fetched:
        """Run a statement. Raises what SQLite raises, and sqlite3.OperationalError when the process has ended."""
        self._interrupted_at = None
        try:
            self._send((sql, tuple(args)))
            answer = sqlite_program.read_frame(self._read)
        except OSError:
            answer = None
        if answer is None:
            self._process.kill()
            raise _error("OperationalError", "The process that reads has ended.", self._code)
        rows, used, self.in_transaction, failed = marshal.loads(answer)
        self.used += used
        if failed is not None:
            raise _error(*failed)
        return Fetched(rows)

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._asked.close()
        try:
            self._process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    @property
    def _code(self) -> int | None:
        return None if self._interrupted_at is None else sqlite3.SQLITE_INTERRUPT

    def _send(self, value: object) -> None:
        rest = memoryview(sqlite_program.framed(value))
        while rest:
            rest = rest[self._asked.write(rest) :]

    def _read(self, size: int) -> bytes | None:
        """What there is, as soon as there is something. A process that does not answer although it was interrupted is
        killed."""
        while not self._readable.poll(_LOOK_EVERY_MS):
            if self._interrupted_at is None:
                if self._is_over():
                    self._interrupted_at = monotonic()
                    self._send(None)
            elif monotonic() - self._interrupted_at > _INTERRUPTED_WITHIN:
                self._process.kill()
        return self._answers.read(size)


def _error(name: str, text: str, code: int | None) -> Exception:
    """The error of that class and text, as SQLite raised it in the process."""
    found = getattr(sqlite3, name, None) or getattr(builtins, name, None) or RuntimeError
    error: Exception = found(text)
    if code is not None and isinstance(error, sqlite3.Error):
        error.sqlite_errorcode = code
    return error
