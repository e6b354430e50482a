"""Stores the cursor in a file that is replaced atomically."""

import os
from pathlib import Path

_MOST_CHARACTERS = 65_536


class CursorFile:
    """A cursor that outlives the process; without a path it is kept in memory. Raises OSError."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.cursor = None if path is None else _read(path)
        if path is not None:
            # Written at the start, so that a file that cannot be written is found out before the first alert.
            self._write(path, self.cursor)

    def keep(self, cursor: str | None) -> None:
        """Store the cursor to resume after; None forgets it."""
        if cursor != self.cursor:
            self.cursor = cursor
            if self._path is not None:
                self._write(self._path, cursor)

    def _write(self, path: Path, cursor: str | None) -> None:
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with beside.open("w", encoding="ascii", errors="replace") as file:
                file.write(f"{cursor or ''}\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def _read(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_CHARACTERS).strip() or None
    except FileNotFoundError:
        return None
