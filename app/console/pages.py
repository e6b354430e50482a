"""The console and the wallboard: one page at two addresses, and its files."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.http.pages.site import Page, files

_HERE = Path(__file__).parent
STATIC = _HERE / "static"

_page = Page.of((_HERE / "console.html").read_bytes(), builds_with_elements_alone=True)


async def _show(_request: Request) -> Response:
    return _page.response()


ROUTES: tuple[BaseRoute, ...] = (Route("/", _show), Route("/wall", _show), files("/assets/console", STATIC))
"""The console at `/`, the wallboard at `/wall`, and their files."""
