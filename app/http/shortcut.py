"""The way past the router for the one path that nearly all requests name."""

from starlette.types import ASGIApp, Receive, Scope, Send


class Shortcut:
    """Middleware that hands the HTTP requests of one path to an application which answers every one of them.

    The router would look at each route in turn, and a layer around it would make a request object to answer errors
    with, of which that application raises none. Behind a prefix the router finds the way."""

    def __init__(self, app: ASGIApp, path: str, to: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._to = to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == self._path and not scope.get("root_path"):
            await self._to(scope, receive, send)
        else:
            await self._app(scope, receive, send)
