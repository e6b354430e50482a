"""A server process: alone, or one of several under uvicorn's supervisor."""

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from uvicorn.supervisors import multiprocess

from app.asgi import create_app
from app.commands.opening import read_settings
from app.core.collecting import collect_little_at_once
from app.core.logs import configure_logs
from app.http import server
from app.settings import Settings

_LOOK_SECONDS = 1.0
"""How often a worker checks that its supervisor still exists."""


def server_of(settings: Settings, ready: Callable[[], None]) -> server.Server:
    """The server of one process. `ready` is called when it has begun to serve."""

    class Serving(server.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            # Everything created until now stays for good: each full collection would go through it, and stop all
            # threads.
            gc.collect()
            gc.freeze()
            if self.started:
                ready()

    # The loop waits for the interpreter while SQLite's threads compute: a shorter interval halves the slowest requests.
    sys.setswitchinterval(0.0005)
    collect_little_at_once()
    return Serving(server.server_config(create_app(settings), settings))


class Worker(multiprocess.Process):
    """Serves as `serve` does alone. It is made in the supervisor, and pickled into the process that it starts."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._supervisor = os.getpid()

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve in its own process, with the environment and the options of its supervisor."""
        _end_with(self._supervisor)
        settings = read_settings(**self.config.overrides)  # type: ignore[attr-defined]
        configure_logs(settings.log_level, settings.log_format)
        # Before the supervisor's questions are answered, because they ask the server.
        self._server = server_of(settings, lambda: None)
        super().target(sockets)


def _end_with(supervisor: int) -> None:
    """End this process when its parent process has ended, even if that was before this call: nobody else would."""

    def look() -> None:
        while os.getppid() == supervisor:
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, daemon=True, name="supervisor").start()
