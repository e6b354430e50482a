"""The command `serve`: one server process, or several behind one port."""

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.commands.opening import command_line, opened, prepare, read_settings
from app.terminal import CommandError, announce, listen, shown

if TYPE_CHECKING:
    from uvicorn.supervisors import multiprocess

    from app.settings import Settings

# Every import that takes long is inside the function that needs it, so that `--help` answers at once.

_HEALTH_SECONDS = 60
"""How long a worker may take to answer its supervisor, because it imports the application first."""


def serve(*, host: str | None = None, port: int | None = None, workers: int | None = None) -> None:
    """Migrate the database, make the first key, load the demo, and serve.

    Parameters
    ----------
    host
        The address to listen at, in place of `SWITCHBOARD_HOST`.
    port
        The port to listen at, in place of `SWITCHBOARD_PORT`; 0 picks a free one.
    workers
        How many processes serve, in place of `SWITCHBOARD_WORKERS`; more than one on PostgreSQL alone.
    """
    from app.commands.worker import server_of
    from app.core.logs import configure_logs
    from app.http.accepting import notice_the_vanished

    given = {"host": host, "port": port, "workers": workers}
    settings = read_settings(**given)
    if settings.workers > 1 and settings.on_sqlite:
        raise CommandError(
            "Several workers need PostgreSQL: SQLite has one writer, and a second process would only wait for it. Set "
            "SWITCHBOARD_DATABASE_URL, or leave --workers and SWITCHBOARD_WORKERS at 1."
        )
    configure_logs(settings.log_level, settings.log_format)
    # First, so that a taken port stops the start before a new key is shown, which is shown only once.
    listener = listen(settings.host, settings.port)
    notice_the_vanished(listener)
    address = f"http://{shown(settings.host)}:{listener.getsockname()[1]}"
    prepare(settings)
    secret = asyncio.run(_first_start(settings))

    def ready() -> None:
        # Last, so that the text is true and the key, shown only once, is not scrolled away.
        announce(address, secret, command_line("key"))

    if settings.workers == 1:
        server_of(settings, ready).run(sockets=[listener])
    else:
        overrides = {name: value for name, value in given.items() if value is not None}
        _supervise(settings.workers, overrides, listener, ready)


async def _first_start(settings: "Settings") -> str | None:
    """Create the first admin and load the demo. Returns the secret of the key if it was just made."""
    from app.demo.loading import has_interactions, load
    from app.directory.service import bootstrap

    chosen = settings.bootstrap_key
    async with opened(settings) as database:
        _, secret = await database.command(bootstrap, None if chosen is None else chosen.get_secret_value())
        if settings.loads_demo and not await database.command(has_interactions):
            await load(database)
    return secret if chosen is None else None


def _supervise(workers: int, overrides: Mapping[str, Any], listener: socket.socket, ready: Callable[[], None]) -> None:
    """Run uvicorn's supervisor over the workers until it is told to stop.

    A worker that dies is replaced. SIGHUP replaces all workers, one after the other."""
    import uvicorn
    from uvicorn.supervisors import multiprocess

    from app.commands.worker import Worker

    class Supervisor(multiprocess.Multiprocess):
        def init_processes(self) -> None:
            super().init_processes()
            _tell_that_they_serve(self.processes, self.should_exit, ready)

    multiprocess.Process = Worker  # type: ignore[misc] # uvicorn has no place for a class of ours
    config = uvicorn.Config(
        "app.asgi:create_app", workers=workers, log_config=None, timeout_worker_healthcheck=_HEALTH_SECONDS
    )
    config.overrides = overrides  # type: ignore[attr-defined]
    Supervisor(config, [listener]).run()


def _tell_that_they_serve(
    workers: "Sequence[multiprocess.Process]", should_exit: threading.Event, ready: Callable[[], None]
) -> None:
    """Call `ready` when all serve, or one of them did not in time; not when the supervisor is to stop.

    In both cases, because the first key is shown there and nowhere else, and the one that is late is replaced."""
    for each in workers:
        if not each.wait_until_ready(_HEALTH_SECONDS, should_exit):
            break
    if not should_exit.is_set():
        ready()
