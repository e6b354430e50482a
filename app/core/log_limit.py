"""A log handler that limits how often the same entry is written."""

import logging
from collections.abc import Callable, Hashable
from time import monotonic
from typing import TextIO

MOST_ALIKE = 20
"""How many entries of one kind are written in a window."""

WINDOW_SECONDS = 60.0
"""How long a window lasts, from the first entry of its kind on."""

ACCESS_LOG = "switchboard.access"
ACCESS = (ACCESS_LOG, "uvicorn.websocket")
"""The loggers of the access log, which is not limited: it needs an entry for each request."""

_MOST_KINDS = 1_000
_LONGEST_TEXT = 200


class _Window:
    """The entries of one kind since `began`."""

    __slots__ = ("began", "level", "logger", "text", "times")

    def __init__(self, began: float, record: logging.LogRecord, text: str) -> None:
        self.began = began
        self.logger = record.name
        self.level = record.levelno
        self.text = text
        self.times = 0


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes at most MOST_ALIKE entries of one kind in a window, and then how many more there were.

    Entries are of one kind when they have the same logger, level, text before the arguments, and class of exception.
    The number of further entries is written with the next entry of any kind after the window, or when the handler
    closes."""

    def __init__(self, stream: TextIO, *, time: Callable[[], float] = monotonic) -> None:
        super().__init__(stream)
        self._time = time
        self._windows: dict[Hashable, _Window] = {}

    def emit(self, record: logging.LogRecord) -> None:
        now = self._time()
        self._end_windows(now - WINDOW_SECONDS)
        if record.name in ACCESS and record.levelno <= logging.INFO:
            super().emit(record)
            return
        text = _text_of(record)
        kind = (record.name, record.levelno, text, None if record.exc_info is None else record.exc_info[0])
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= _MOST_KINDS:
                self._end_windows(now)
            window = self._windows[kind] = _Window(now, record, text)
        window.times += 1
        if window.times <= MOST_ALIKE:
            super().emit(record)

    def close(self) -> None:
        self.acquire()
        try:
            self._end_windows(self._time())
        finally:
            self.release()
        super().close()

    def _end_windows(self, until: float) -> None:
        """End the windows that have lasted long enough. They are ordered by when they began."""
        while self._windows:
            kind, window = next(iter(self._windows.items()))
            if window.began > until:
                return
            del self._windows[kind]
            if (more := window.times - MOST_ALIKE) > 0:
                text = f"{more} more entries like this one were left out: {window.text}"
                super().emit(logging.LogRecord(window.logger, window.level, "", 0, text, (), None))


def _text_of(record: logging.LogRecord) -> str:
    """The text of an entry before its arguments. An entry of structlog is a dict."""
    said = record.msg
    return str(said["event"] if isinstance(said, dict) else said)[:_LONGEST_TEXT]
