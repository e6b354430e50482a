"""The commands `backup` and `restore`."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.opening import done, read_settings
from app.terminal import CommandError, console, progress

if TYPE_CHECKING:
    from app.settings import Settings


def backup(file: Path, /) -> None:
    """Copy the SQLite database to a new file, while servers go on. PostgreSQL has tools of its own for that.

    Parameters
    ----------
    file
        Where the copy goes; a file that exists is not overwritten.
    """
    from app.storage.backup import back_up

    path = _sqlite_path(read_settings(), "pg_dump")
    with progress("Pages") as report:
        made = back_up(path, str(file), report)
    console().print(f"{file} has {made.size:,} bytes, revision {made.revision}.", soft_wrap=True)


def restore(file: Path, /, *, replace: bool = False) -> None:
    """Put a copy that `backup` made in the place of the SQLite database, whole or not at all. Stop the servers first.

    Parameters
    ----------
    file
        The copy.
    replace
        Do so where there is a database, all of whose content is lost with that.
    """
    from app.storage.backup import restore

    path = _sqlite_path(read_settings(), "pg_restore")
    with progress("Pages") as report:
        made = restore(str(file), path, report, replace=replace)
    _renumber()
    console().print(f"{path} holds what {file} does, revision {made.revision}.", soft_wrap=True)
    console().print("Repeat the erasures since then before a server starts: `erasures repeat` (docs/erasure.md).")


def renumber() -> None:
    """Give all events new positions, after PostgreSQL was restored by its own tools. `restore` does so by itself.

    Cursors from before expire, so that no client takes a new event for one that it has seen. Stop the servers first.
    """
    _renumber()
    console().print("All events have new positions; clients that resume are told to read their lists anew.")


def _renumber() -> None:
    from app.destinations.service import renumber_events

    done(renumber_events)


def _sqlite_path(settings: "Settings", tool: str) -> str:
    from app.storage.engines import parse_database_url

    url = parse_database_url(settings.database_url)
    if not settings.on_sqlite:
        raise CommandError(f"The database is PostgreSQL: use {tool}, as docs/operations.md shows.")
    return str(url.database)
