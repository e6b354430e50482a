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
"""How often a worker looks whether its supervisor is there still."""


def server_of(settings: Settings, ready: Callable[[], None]) -> server.Server:
    """The server of one process; `ready` is called when it has begun to serve."""

    class Serving(server.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            # Everything until now stays for good: each full collection would look through it, and hold up everyone.
            gc.collect()
            gc.freeze()
            if self.started:
                ready()

    # The loop waits for the interpreter while SQLite's threads make answers: shorter turns halve the slowest requests.
    sys.setswitchinterval(0.0005)
    collect_little_at_once()
    return Serving(server.server_config(create_app(settings), settings))


class Worker(multiprocess.Process):
    """Serves as `serve` does alone. Made in the supervisor, and pickled into the process that it starts."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._supervisor = os.getpid()

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, in the process of its own, with the environment and the options of its supervisor."""
        _end_with(self._supervisor)
        settings = read_settings(**self.config.overrides)  # type: ignore[attr-defined]
        configure_logs(settings.log_level, settings.log_format)
        # Before the supervisor's questions are answered, which ask the server.
        self._server = server_of(settings, lambda: None)
        super().target(sockets)


def _end_with(supervisor: int) -> None:
    """Have this process end when the one that started it has, even before this: nobody would end it any more."""

    def look() -> None:
        while os.getppid() == supervisor:
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, daemon=True, name="supervisor").start()
