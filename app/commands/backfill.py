"""The command that follows how a connection's history is read."""

import asyncio
from typing import TYPE_CHECKING

from app.commands.opening import opened, prepare, read_settings
from app.commands.troubles import ref_of
from app.terminal import CommandError, console, progress

if TYPE_CHECKING:
    from app.connections.service.history import History
    from app.settings import Settings
    from app.storage.work import Work

_LOOK_SECONDS = 1.0


def backfill(connection: str, /) -> None:
    """Show how a running server reads what a connection's system had before, until all of it is here.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    settings = read_settings()
    prepare(settings)
    found = asyncio.run(_followed(settings, connection))
    console().print(f"All that {found.name} had before is here: {found.read:,} interactions.")


async def _followed(settings: "Settings", given: str) -> "History":
    """How a connection stands once its history is read, shown on the way. Raises CommandError where nothing is read."""
    async with opened(settings) as database:
        found = await database.command(_history, given)
        with progress(f"Reading {found.name}") as report:
            while not found.is_whole:
                if found.stopped is not None:
                    raise CommandError(f"{found.name} is not read: {found.stopped}")
                report(found.read, found.expected)
                await asyncio.sleep(_LOOK_SECONDS)
                found = await database.command(_history, given)
            report(found.read, found.read)
    return found


def _history(work: "Work", given: str) -> "History":
    from app.connections.service.history import history
    from app.core.actor import SYSTEM

    return history(work, SYSTEM, ref_of(work, given))
