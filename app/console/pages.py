"""The pages of the console: queue, wallboard, administration and reports."""

from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.core.issuers import Issuer
from app.core.vapid import Vapid
from app.http.pages.site import Page, Providers, edition_of, files

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_WORKER = _HERE / "alerts.js"
_OF_WORKER = {
    "cache-control": "no-cache",
    # The service worker requests nothing and loads nothing.
    "content-security-policy": "default-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
}


def routes(issuers: Sequence[Issuer] = (), vapid: Vapid | None = None) -> list[BaseRoute]:
    """The console at `/`, the wallboard at `/wall`, the administration at `/admin`, the reports at `/reports`, their
    files, and the service worker of web push.

    People sign in at those issuers whose setting names a client id for these pages. Browsers subscribe to push with the
    public key of `vapid`."""
    providers = Providers.of(issuers)
    body = (_HERE / "console.html").read_text(encoding="utf-8").replace("{providers}", providers.data)
    body = body.replace("{push_key}", "" if vapid is None else vapid.public_text)
    body = body.replace("{edition}", edition_of(body, STATIC, _WORKER))
    page = Page.of(body.encode(), providers.origins, builds_with_elements_alone=True)

    async def show(_request: Request) -> Response:
        return page.response()

    async def work(_request: Request) -> Response:
        return Response(_WORKER.read_bytes(), media_type="text/javascript", headers=_OF_WORKER)

    return [
        Route("/", show),
        Route("/wall", show),
        Route("/admin", show),
        Route("/reports", show),
        # A service worker controls only the pages below its own path.
        Route("/alerts.js", work),
        files("/assets/console", STATIC),
    ]
