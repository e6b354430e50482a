"""Serves pages and their files, with security headers."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from html import escape
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from app.core.issuers import Issuer, origin_of
from app.http.pages import build
from app.http.pages.examples import EXAMPLES

_HERE = Path(__file__).parent
_STATIC = "/assets/pages"
_GRAPHIQL = f"/assets/graphiql/{build.VERSION}"
_GRAPHIQL_FILES = {
    "script": f"{_GRAPHIQL}/{build.SCRIPT}",
    "styles": f"{_GRAPHIQL}/{build.STYLES}",
    "workers": _GRAPHIQL,
}

_SELF = "'self'"

WORKER_POLICY = "service-worker"
"""The one policy of trusted types that a page may make, which is for the address of its service worker."""


def _policy(asked: Iterable[str], builds_with_elements_alone: bool) -> bytes:
    """What binds a page that asks this server and these origins, and loads from this server alone.

    The editor of GraphiQL writes styles and markup into the page, and draws with data addresses."""
    rules = (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'" if builds_with_elements_alone else "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        f"connect-src {' '.join((_SELF, *asked))}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # The browser refuses every text that a script would have it read as markup or run.
        *(
            ("require-trusted-types-for 'script'", f"trusted-types {WORKER_POLICY}")
            if builds_with_elements_alone
            else ()
        ),
    )
    return "; ".join(rules).encode()


Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of HTML with its headers."""

    body: bytes
    headers: Headers

    @staticmethod
    def of(body: bytes, asked: Iterable[str] = (), *, builds_with_elements_alone: bool = False) -> "Page":
        """The page with the headers that bind it; it may ask these origins besides this server.

        One that `builds_with_elements_alone` writes neither markup nor styles into itself, and is held to it."""
        return Page(
            body,
            (
                (b"cache-control", b"no-store"),
                (b"content-security-policy", _policy(asked, builds_with_elements_alone)),
                (b"referrer-policy", b"no-referrer"),
                (b"x-content-type-options", b"nosniff"),
            ),
        )

    def response(self) -> Response:
        """The answer that shows the page."""
        headers = {name.decode(): value.decode() for name, value in self.headers} | {"vary": "Accept-Encoding"}
        return Response(self.body, media_type="text/html", headers=headers)


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the index."""

    path: str
    name: str
    what: str


class _Revalidated(StaticFiles):
    """Files that a browser keeps, and asks about: they change with the server."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        response.headers["vary"] = "Accept-Encoding"
        return response


def files(path: str, directory: Path) -> Mount:
    """Serves the files of pages under a path."""
    return Mount(path, _Revalidated(directory=directory))


def edition_of(body: str, *places: Path) -> str:
    """A text that changes with a page, with these files and folders, and with the files of all pages."""
    found = sha256(body.encode())
    for place in (*places, _HERE / "static"):
        for path in [place] if place.is_file() else sorted(each for each in place.rglob("*") if each.is_file()):
            found.update(path.relative_to(place.parent).as_posix().encode() + sha256(path.read_bytes()).digest())
    return found.hexdigest()


class Site:
    """The pages of one application. `graphiql` is where a build would be, `contracts` are names of REST with bases.

    People sign in to the pages at those of the `issuers` that know the pages as a client."""

    def __init__(self, graphiql: Path, contracts: Sequence[tuple[str, str]], issuers: Sequence[Issuer] = ()) -> None:
        self._build = build.found(graphiql)
        providers = Providers.of(issuers)
        template, values = ("graphiql.html", _GRAPHIQL_FILES) if self._build else ("explorer.html", {})
        body = _filled(template, **values, providers=providers.data)
        self.graphql = Page.of(body, providers.origins)
        self._index = Page.of(_index([*_links(contracts)]))

    @property
    def routes(self) -> list[BaseRoute]:
        """The index at `/about`, and the files of the pages."""
        routes: list[BaseRoute] = [Route("/about", self._show_index), files(_STATIC, _HERE / "static")]
        if self._build:
            routes.append(files(_GRAPHIQL, self._build))
        return routes

    async def _show_index(self, _request: Request) -> Response:
        return self._index.response()


@dataclass(frozen=True, slots=True)
class Providers:
    """The identity providers that know the pages as a client: `data` is for a script element of a page."""

    data: str
    origins: tuple[str, ...]
    """What a page asks to sign in at one of them."""

    @staticmethod
    def of(issuers: Iterable[Issuer]) -> "Providers":
        """Those of the issuers that have a client id."""
        known = [issuer for issuer in issuers if issuer.client_id is not None]
        asked = dict.fromkeys(origin for each in known for origin in (origin_of(each.issuer), *each.page_origins))
        return Providers(_data([_provider(issuer) for issuer in known]), tuple(asked))


def _provider(issuer: Issuer) -> dict[str, object]:
    """What a page has to know to sign in at the issuer; nothing of it is secret."""
    return {
        "issuer": issuer.issuer,
        "clientId": issuer.client_id,
        "scopes": issuer.scopes,
        "parameters": issuer.authorization_parameters,
    }


def _links(contracts: Sequence[tuple[str, str]]) -> list[Link]:
    return [
        Link("/", "Console", "Work with the graph: who needs a human, their messages, replies."),
        Link("/wall", "Wallboard", "How many wait, and for how long, for a screen that everybody sees."),
        Link("/reports", "Reports", "How long customers waited, who answered, and what was missed."),
        Link("/admin", "Administration", "Users, keys, teams, connections, destinations and settings."),
        Link("/graphql", "GraphQL", "Explore the graph: run operations, listen to subscriptions, read the schema."),
        *(
            Link(f"{base}/openapi.json", f"REST: {name.replace('_', ' ')}", f"The OpenAPI description of {base}.")
            for name, base in contracts
        ),
        Link("/healthz", "Health", "Whether the process answers."),
        Link("/readyz", "Readiness", "Whether the database answers and is migrated."),
    ]


def _index(links: Sequence[Link]) -> bytes:
    rows = "\n".join(
        f'      <li><a href="{escape(link.path)}">{escape(link.name)}</a><span>{escape(link.what)}</span></li>'
        for link in links
    )
    return _filled("index.html", links=rows)


def _filled(name: str, **values: str) -> bytes:
    """A template with its places filled: `{static}`, `{tabs}` and those of `values`."""
    text = (_HERE / name).read_text(encoding="utf-8")
    tabs = _data([asdict(example) for example in EXAMPLES])
    for place, value in {"static": _STATIC, **values, "tabs": tabs}.items():
        text = text.replace(f"{{{place}}}", value)
    return text.encode()


def _data(value: object) -> str:
    """JSON for inside of a script element, where no text may look like its end."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")
