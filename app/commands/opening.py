"""What commands start with: settings, and a migrated database."""

import asyncio
import shlex
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.terminal import CommandError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.settings import Settings
    from app.storage.database import Database

# Every import that takes long is inside the function that needs it, so that `--help` answers at once.

T = TypeVar("T")

_PATIENCE = timedelta(minutes=10)


def read_settings(**overrides: object) -> "Settings":
    """The settings. Given options win over the environment. Raises SettingsError."""
    from app.registry import SETTINGS
    from app.settings import load_settings

    return load_settings({name: value for name, value in overrides.items() if value is not None}, SETTINGS)


def prepare(settings: "Settings") -> None:
    """Bring the database's structure up to date. Raises CommandError and ConfigurationError."""
    from asyncpg import PostgresError
    from sqlalchemy.exc import DBAPIError

    from app.storage.migrations import migrate

    try:
        asyncio.run(migrate(settings.database_url))
    except DBAPIError as error:
        raise CommandError(f"The database refuses: {error.orig}") from None
    except (OSError, PostgresError) as error:
        raise CommandError(f"The database refuses: {error}") from None


@asynccontextmanager
async def opened(settings: "Settings") -> "AsyncIterator[Database]":
    """The migrated database, closed at the end of the block. A unit may take minutes, as the demo does on a busy
    machine, because only the person at the command line waits for it."""
    from app.core.clock import utc_now
    from app.core.ids import TimeOrderedIds
    from app.registry import KINDS
    from app.storage.database import open_database

    rules = {kind.rules.name: kind.rules for kind in KINDS}
    ids = TimeOrderedIds()
    patient = settings.model_copy(update={"command_timeout": max(settings.command_timeout, _PATIENCE)})
    database = await open_database(settings.database_url, clock=utc_now, ids=ids, settings=patient, kinds=rules)
    try:
        yield database
    finally:
        await database.close()


def done(f: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """The result of one unit of work, `f(work, …)`, on the migrated database of the settings."""

    async def run() -> T:
        async with opened(settings) as database:
            return await database.command(f, *arguments, **named)

    settings = read_settings()
    prepare(settings)
    return asyncio.run(run())


def command_line(*words: str) -> str:
    """A shell line that runs one of our commands with this Python and this database, from any folder."""
    here, root = Path.cwd(), Path(__file__).parents[2]
    python = Path(sys.executable)
    shown = python.relative_to(here) if python.is_relative_to(here) else python
    run = shlex.join([str(shown), "-m", "app", *words])
    # `python -m` finds the package only in the working folder, and a relative SQLite path also counts from there.
    return f"cd {shlex.quote(str(here))} && {run if here == root else f'PYTHONPATH={shlex.quote(str(root))} {run}'}"
