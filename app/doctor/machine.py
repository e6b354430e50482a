"""Checks a deployment's settings, versions and limits."""

import re
import resource
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.doctor.findings import Finding, fault, ok, warning
from app.settings import PREFIX, Settings

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 35, 0)
"""The first version with RETURNING."""

FEWEST_FILES = 4_096

_PINS = Path(__file__).parents[2] / "requirements" / "runtime.txt"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def machine(settings: Settings) -> Iterator[Finding]:
    """The findings about the settings, Python, its packages, SQLite and the limit of open files."""
    named = ", ".join(f"{PREFIX}{name.upper()}" for name in sorted(settings.model_fields_set))
    yield ok("settings", f"Set: {named}." if named else "All have their defaults.")
    yield python_version(sys.version_info[:3])
    yield packages(_PINS.read_text(encoding="utf-8") if _PINS.is_file() else "")
    if settings.on_sqlite:
        yield sqlite_version(sqlite3.sqlite_version_info)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield open_files(soft)


def python_version(found: tuple[int, ...]) -> Finding:
    """Whether this Python is new enough."""
    text = f"Python {'.'.join(map(str, found))}."
    if found < OLDEST_PYTHON:
        return fault("versions", text, "Install Python 3.11 or newer, and remove .venv so that it is made anew.")
    return ok("versions", text)


def packages(pins: str) -> Finding:
    """Whether the installed packages are those of `pins`, a file of requirements."""
    wrong = [
        f"{name} {found or 'is missing'}"
        for name, wanted in _PINNED.findall(pins)
        if (found := _installed(name)) != wanted
    ]
    if wrong:
        shown = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        return warning(
            "versions",
            f"Packages differ from the tested ones: {shown}.",
            "Install those of requirements/runtime.txt with `pip install --require-hashes -r`.",
        )
    return ok("versions", "The packages are the tested ones." if pins else "There is no list of tested packages here.")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def sqlite_version(found: tuple[int, ...]) -> Finding:
    """Whether the SQLite library of this Python is new enough."""
    text = f"SQLite {'.'.join(map(str, found))}."
    if found < OLDEST_SQLITE:
        return fault("versions", text, "Use a Python that is built with SQLite 3.35 or newer, or PostgreSQL.")
    return ok("versions", text)


def open_files(soft: int) -> Finding:
    """Whether the process may open a file for each of some thousand listeners."""
    if 0 <= soft < FEWEST_FILES:
        return warning(
            "machine",
            f"A process may open {soft:,} files, and each listener and each request takes one.",
            "Raise it where the service is started: LimitNOFILE=65536 of systemd, or `ulimit -n 65536`.",
        )
    return ok(
        "machine", "The number of open files is not limited." if soft < 0 else f"A process may open {soft:,} files."
    )
