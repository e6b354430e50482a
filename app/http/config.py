"""How uvicorn is configured, with what all connections share."""

from collections.abc import Sequence
from typing import Any

import uvicorn

from app.http.addresses import Network
from app.http.intake import Pacing
from app.http.shortcut import FORWARDED, Application
from app.http.starting import Lifespan
from app.live.connections import CLOSE_SECONDS


class Config(uvicorn.Config):
    """With what all connections share."""

    def __init__(self, app: Any, *, watched: bool, proxies: Sequence[Network] = (), **options: Any) -> None:
        super().__init__(app, forwarded_allow_ips=list(map(str, proxies)), **options)
        self.proxies = proxies
        """Whose connections are those of many callers, and whose X-Forwarded-For counts."""
        self.pacing = Pacing()
        self.close_seconds = CLOSE_SECONDS
        """How long a client has to take what closes its socket."""
        self.watched = watched
        """Whether the application's watchers are told of each request."""

    def load(self) -> None:
        super().load()
        if self.lifespan != "off":
            self.lifespan_class = Lifespan
        if isinstance(self.app, Application):
            # Before what uvicorn puts in front: that is for requests which came through a proxy.
            self.loaded_app = self.app.in_front(self.loaded_app, FORWARDED)
