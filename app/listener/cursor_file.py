"""Keeps the cursor in a file, which is either the former one or the new one."""

import os
from pathlib import Path

_MOST_CHARACTERS = 65_536


class CursorFile:
    """A cursor that outlives the process; without a path it lives as long as the process. Raises OSError."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.cursor = None if path is None else _read(path)
        if path is not None:
            # Before anything was heard, so that nobody learns only then that it cannot be kept.
            self._write(path, self.cursor)

    def keep(self, cursor: str | None) -> None:
        """Go on after this cursor from now on; None begins anew."""
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
