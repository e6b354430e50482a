"""What a browser is served: pages, their files, and the headers that bind them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from app.http.pages import build
from app.http.pages.examples import EXAMPLES

_HERE = Path(__file__).parent
_STATIC = "/assets/pages"
_GRAPHIQL = f"/assets/graphiql/{build.VERSION}"

# Everything comes from this server. The editor of GraphiQL writes styles into the page, and draws with data addresses.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of HTML with its headers."""

    body: bytes
    headers: Headers = (
        (b"cache-control", b"no-store"),
        (b"content-security-policy", _POLICY.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    )


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


class Site:
    """The pages of one application. `graphiql` is where a build would be, `contracts` are names of REST with bases."""

    def __init__(self, graphiql: Path, contracts: Sequence[tuple[str, str]]) -> None:
        self._build = build.found(graphiql)
        self.graphql = Page(_graphiql() if self._build else _filled("explorer.html"))
        self._index = Page(_index([*_links(contracts)]))

    @property
    def routes(self) -> list[BaseRoute]:
        """The index at `/`, and the files of the pages."""
        routes: list[BaseRoute] = [
            Route("/", self._show_index),
            Mount(_STATIC, _Revalidated(directory=_HERE / "static")),
        ]
        if self._build:
            routes.append(Mount(_GRAPHIQL, _Revalidated(directory=self._build)))
        return routes

    async def _show_index(self, _request: Request) -> Response:
        headers = {name.decode(): value.decode() for name, value in self._index.headers} | {"vary": "Accept-Encoding"}
        return Response(self._index.body, media_type="text/html", headers=headers)


def _graphiql() -> bytes:
    return _filled(
        "graphiql.html",
        script=f"{_GRAPHIQL}/{build.SCRIPT}",
        styles=f"{_GRAPHIQL}/{build.STYLES}",
        workers=_GRAPHIQL,
    )


def _links(contracts: Sequence[tuple[str, str]]) -> list[Link]:
    return [
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
    # Inside a script element no text may look like its end.
    tabs = orjson.dumps([asdict(example) for example in EXAMPLES]).decode().replace("<", "\\u003c")
    for place, value in {"static": _STATIC, **values, "tabs": tabs}.items():
        text = text.replace(f"{{{place}}}", value)
    return text.encode()
