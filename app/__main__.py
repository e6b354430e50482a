"""The `switchboard` command."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

if TYPE_CHECKING:
    from rich.console import Console

    from app.settings import Settings

# Every import that takes long is inside the command that needs it, so that `--help` answers at once.

SCHEMA_FILE = Path("schema.graphql")

app = App(
    name="switchboard",
    help="One live GraphQL graph over every support session a business has.",
    help_format="markdown",
    help_epilogue="Settings are environment variables; `docs/settings.md` lists them.",
    version_flags=[],
)


class CommandError(Exception):
    """The command cannot do what was asked; the message is for whoever typed it."""


@app.command(sort_key=1)
def serve(*, host: str | None = None, port: int | None = None) -> None:
    """Migrate the database, make the first key, load the demo, and serve.

    Parameters
    ----------
    host
        The address to listen at, in place of `SWITCHBOARD_HOST`.
    port
        The port to listen at, in place of `SWITCHBOARD_PORT`; 0 picks a free one.
    """
    import uvicorn

    from app.asgi import create_app
    from app.core.logs import configure_logs

    settings = _settings(host=host, port=port)
    configure_logs(settings.log_level, settings.log_format)
    # First, so that a taken port stops the start before the only sight of a key is lost on it.
    listener = _listen(settings.host, settings.port)
    address = f"http://{_shown(settings.host)}:{listener.getsockname()[1]}"
    _migrate(settings)
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        lifespan="on",
        access_log=settings.access_log,
        log_config=None,
        server_header=False,
        ws_max_size=settings.max_body_bytes,
        timeout_graceful_shutdown=settings.shutdown_grace,
    )
    _console().print(f"Switchboard is at [link={address}/graphql]{address}/graphql[/link]", highlight=False)
    uvicorn.Server(config).run(sockets=[listener])


@app.command(sort_key=2)
def migrate() -> None:
    """Bring the database's structure up to date. `serve` does this too."""
    _migrate(_settings())
    _console().print("The database is up to date.")


@app.command(sort_key=5)
def schema(*, check: bool = False) -> None:
    """Write the schema to `schema.graphql`.

    Parameters
    ----------
    check
        Write nothing; fail when the file is not what the code says.
    """
    from app.schema import print_sdl

    current = print_sdl()
    if not check:
        SCHEMA_FILE.write_text(current, encoding="utf-8")
        return
    committed = SCHEMA_FILE.read_text(encoding="utf-8") if SCHEMA_FILE.exists() else ""
    if committed != current:
        from difflib import unified_diff

        lines = unified_diff(
            committed.splitlines(), current.splitlines(), str(SCHEMA_FILE), "the code", lineterm="", n=1
        )
        sys.stdout.writelines(f"{line}\n" for line in lines)
        raise CommandError(f"{SCHEMA_FILE} is not what the code says. ./scripts/schema writes it.")


def _settings(**overrides: object) -> "Settings":
    from app.settings import load_settings

    return load_settings({name: value for name, value in overrides.items() if value is not None})


def _migrate(settings: "Settings") -> None:
    from asyncpg import PostgresError
    from sqlalchemy.exc import DBAPIError

    from app.storage.migrations import migrate

    try:
        asyncio.run(migrate(settings.database_url))
    except DBAPIError as error:
        raise CommandError(f"The database refuses: {error.orig}") from None
    except (OSError, PostgresError) as error:
        raise CommandError(f"The database refuses: {error}") from None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"Cannot listen at {host} port {port}: {error.strerror}. `--port` or SWITCHBOARD_PORT picks another."
        ) from None
    listener.set_inheritable(True)
    return listener


def _shown(host: str) -> str:
    """The host as a browser on this machine reaches it."""
    if host in ("0.0.0.0", "::", ""):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


def main() -> None:
    """Run the command line; what went wrong for a known reason is one line, with exit status 1."""
    try:
        app()
    except Exception as error:
        if not _is_for_the_user(error):
            raise
        sys.exit("\n".join(f"switchboard: {line}" for line in str(error).splitlines()))


def _is_for_the_user(error: Exception) -> bool:
    from app.core.errors import DomainError
    from app.settings import SettingsError
    from app.storage.engines import ConfigurationError

    return isinstance(error, CommandError | SettingsError | ConfigurationError | DomainError)


if __name__ == "__main__":
    main()
