"""Feeds received bytes to the parsers in small pieces, fairly between clients."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

PIECE = 1_024
"""Bytes that are parsed at once. The worst of them, requests of one line each, take half a millisecond."""

BODY_PIECE = 16_384
"""The same within a body whose length its head has told. To its parser all of it is one piece, however long."""

SHARE = 0.0003
"""Seconds in a row for all that is longer than one piece, of all connections together."""

PAUSE = 0.001
"""Seconds after that in which nothing of it is parsed. Threads that read need the interpreter meanwhile: beside a loop
that is never idle they wait for it each time as long as the loop may keep it."""


class Pacing:
    """Shares the loop's time for parsing between the connections of a process that have much to be parsed."""

    def __init__(self, time: Callable[[], float] = perf_counter, pause: float = PAUSE) -> None:
        self.turns = 0
        """How many times something that waited was parsed in a row."""
        self.pieces = 0
        """How many pieces that waited were parsed."""
        self._time = time
        self._pause = pause
        self._waiting: deque[Intake] = deque()
        self._runs = False

    @property
    def waits(self) -> bool:
        """Whether something waits here."""
        return self._runs

    def add(self, intake: "Intake") -> None:
        """Have the intake's next piece parsed after one of each other that waits."""
        self._waiting.append(intake)
        if not self._runs:
            self._runs = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self.turns += 1
        end = self._time() + SHARE
        while self._waiting:
            self.pieces += 1
            self._waiting.popleft().step()
            if self._time() >= end:
                break
        if self._waiting:
            asyncio.get_running_loop().call_later(self._pause, self._turn)
        else:
            self._runs = False


class Intake:
    """What a client has sent and is not parsed yet.

    Nothing is read from the connection while something waits here, nor while the application is `held`. The first piece
    of a connection waits for its turn however little it is, and is read on beside: of a client that connects anew for
    each request and does not wait for its answer, nothing is parsed."""

    __slots__ = (
        "_data",
        "_held",
        "_left",
        "_pacing",
        "_reads",
        "_start",
        "_transport",
        "_waits",
        "body_left",
        "is_new",
        "parse",
    )

    def __init__(
        self,
        pacing: Pacing,
        transport: asyncio.Transport,
        parse: Callable[[bytes], None],
        left: Callable[[bool], None],
    ) -> None:
        self.parse = parse
        self._left = left
        self._pacing = pacing
        self._transport = transport
        self._data = b""
        self._start = 0
        self._held = False
        self.is_new = True
        """Whether nothing of the connection was parsed yet."""
        self.body_left = 0
        """How many bytes of a body of known length come next, as far as its parser knows."""
        self._waits = False
        self._reads = True

    @property
    def is_due(self) -> bool:
        """Whether something is still to be parsed, or nothing ever was."""
        return self.is_new or bool(self._data)

    def take(self, data: bytes) -> None:
        """Parse what was read: at once when it is little, piece by piece otherwise."""
        if len(data) <= PIECE and not self._data and not self._held and not self.is_new:
            self.parse(data)
            return
        self._data = self._data[self._start :] + data
        self._start = 0
        self._go_on()

    def hold(self, held: bool) -> None:
        """Parse and read nothing more, or go on with it."""
        self._held = held
        self._go_on()

    def drop(self) -> None:
        """Forget what is not parsed."""
        self._data = b""
        self._start = 0
        self._go_on()

    def end(self, was_answered: bool) -> None:
        """Forget what is not parsed, and who would parse it: the connection is gone. Tell whoever let it in."""
        self.parse = _ignore
        self.drop()
        self._left(was_answered)

    def step(self) -> None:
        """Parse one piece, as the pacing has it."""
        self._waits = False
        if self._data and not self._held:
            self.is_new = False
            end = self._start + max(PIECE, min(self.body_left, BODY_PIECE))
            piece = self._data[self._start : end]
            if end < len(self._data):
                self._start = end
            else:
                self._data, self._start = b"", 0
            try:
                self.parse(piece)
            except Exception as error:
                # As the loop does with what a protocol raises.
                self._data, self._start = b"", 0
                context = {"message": "A connection failed.", "exception": error, "transport": self._transport}
                asyncio.get_running_loop().call_exception_handler(context)
                self._transport.abort()
        self._go_on()

    def _go_on(self) -> None:
        if self._data and not self._held and not self._waits:
            self._waits = True
            self._pacing.add(self)
        reads = not self._held and (not self._data or (self.is_new and len(self._data) <= PIECE))
        if reads != self._reads and not self._transport.is_closing():
            self._reads = reads
            (self._transport.resume_reading if reads else self._transport.pause_reading)()


class PacedTransport:
    """A transport that reads as the intake has it, and drops what is written after its end, as those of asyncio do.

    That of uvloop raises, and uvicorn learns of a reset only in the loop's next turn, and of one beside a pipelined
    request never: each would be an error in the log that anybody could cause."""

    __slots__ = ("_ended", "_transport", "abort", "intake")

    def __init__(self, transport: asyncio.Transport, intake: Intake) -> None:
        self.intake = intake
        self.abort = transport.abort
        self._transport = transport
        self._ended = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def pause_reading(self) -> None:
        self.intake.hold(True)

    def resume_reading(self) -> None:
        self.intake.hold(False)

    def write(self, data: bytes) -> None:
        if not self._ended and not self._transport.is_closing():
            self._transport.write(data)

    def write_eof(self) -> None:
        self._ended = True
        if not self._transport.is_closing():
            self._transport.write_eof()

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._ended or self._transport.is_closing()


def _ignore(_: bytes) -> None:
    """There is no connection any more."""
