"""A standalone program that reads a SQLite file for another process.

It takes the path of the file and the milliseconds to wait for it. Each statement is a frame on standard input, the
marshalled text and arguments. Each answer is a frame on standard output: rows, the seconds of processor time that they
took, whether a transaction is open, and, where it failed, the class, text and code of the error. A frame of None while
a statement runs interrupts it, and the end of the input ends the program."""

import marshal
import os
import select
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from struct import Struct
from time import thread_time
from typing import Any

LENGTH = Struct("<Q")
"""Stands before each frame: the number of its bytes."""

NICENESS = 15
"""How far the cores are left to everything else on the machine. Where both are taken, a read still gets a thirtieth."""

_STEPS_BETWEEN_LOOKS = 200_000  # of SQLite's virtual machine: about a millisecond
_STATEMENTS_KEPT = 128
_INPUT, _OUTPUT = 0, 1


def main(path: str, busy_timeout_ms: str) -> None:
    """Answer statements from standard input on standard output until that is closed."""
    # The other process ends this one. A terminal or systemd would tell both at once, in the middle of a read.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    input_ = select.poll()
    input_.register(_INPUT, select.POLLIN | select.POLLHUP)
    connection: sqlite3.Connection | None = None
    # Nothing is read ahead: a frame that waits must be seen by `poll`.
    with os.fdopen(_INPUT, "rb", buffering=0) as asked, os.fdopen(_OUTPUT, "wb") as answers:
        while (given := read_frame(asked.read)) is not None:
            frame = marshal.loads(given)
            if frame is None:  # the statement had ended before it was interrupted
                continue
            began = thread_time()
            rows: list[Any] = []
            failed: tuple[str, str, int | None] | None = None
            try:
                if connection is None:
                    connection = _connect(path, busy_timeout_ms, input_)
                rows = connection.execute(*frame).fetchall()
            except Exception as error:
                failed = type(error).__name__, str(error), getattr(error, "sqlite_errorcode", None)
            open_ = connection is not None and connection.in_transaction
            answers.write(framed((rows, thread_time() - began, open_, failed)))
            answers.flush()


def framed(value: Any) -> bytes:
    """The frame of a value. Raises ValueError for one that is none of Python's plain types."""
    marshalled = marshal.dumps(value)
    return LENGTH.pack(len(marshalled)) + marshalled


def read_frame(read: Callable[[int], bytes | None]) -> bytes | None:
    """The next frame, still marshalled; None at the end. `read` gives what there is, of so many bytes at most."""
    head = _exactly(read, LENGTH.size)
    return None if head is None else _exactly(read, *LENGTH.unpack(head))


def _exactly(read: Callable[[int], bytes | None], size: int) -> bytes | None:
    """So many bytes; None when the end comes first."""
    pieces = bytearray()
    while len(pieces) < size:
        if not (piece := read(size - len(pieces))):
            return None
        pieces += piece
    return bytes(pieces)


def _connect(path: str, busy_timeout_ms: str, input_: select.poll) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, cached_statements=_STATEMENTS_KEPT
    )
    connection.execute(f"PRAGMA busy_timeout = {int(busy_timeout_ms)}")
    connection.execute("PRAGMA query_only = ON")
    connection.set_progress_handler(lambda: bool(input_.poll(0)), _STEPS_BETWEEN_LOOKS)
    return connection


if __name__ == "__main__":
    main(*sys.argv[1:])
