"""The console, the wallboard, the administration and the reports: one page, and its files."""

from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.core.issuers import Issuer
from app.http.pages.site import Page, Providers, files

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


def routes(issuers: Sequence[Issuer] = ()) -> list[BaseRoute]:
    """The console at `/`, the wallboard at `/wall`, the administration at `/admin`, the reports at `/reports`,
    and their files.

    People sign in at those of the issuers that know the pages as a client."""
    providers = Providers.of(issuers)
    body = (_HERE / "console.html").read_text(encoding="utf-8").replace("{providers}", providers.data)
    page = Page.of(body.encode(), providers.origins, builds_with_elements_alone=True)

    async def show(_request: Request) -> Response:
        return page.response()

    return [
        Route("/", show),
        Route("/wall", show),
        Route("/admin", show),
        Route("/reports", show),
        files("/assets/console", STATIC),
    ]
