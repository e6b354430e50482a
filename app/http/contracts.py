"""Serves a contract: routes, authenticates, and renders errors as the original."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from urllib.parse import unquote

import orjson
import structlog
from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from app.core import codes
from app.core.actor import Actor
from app.core.errors import DomainError, Forbidden, RateLimited, Unauthenticated, Unavailable, release
from app.core.short_turns import short_turns
from app.core.text import is_storable
from app.core.trail import current
from app.http.authentication import CREDENTIALS
from app.http.cycle import send_whole
from app.http.graphql_http import NOT_SHARED
from app.http.services import Services, address_of, remember_caller, request_id_of, services_of
from app.rest.call import Call
from app.rest.contract import Contract, Handler, Operation, Refusal, Reply
from app.rest.errors import BadRequest
from app.rest.headers import Headers
from app.rest.openapi import written
from app.rest.schemes import key_of
from app.rest.statuses import STATUSES
from app.selection.mapping import SOME, granted

log = structlog.get_logger(__name__)

_WRITING = Lock()
"""Held while a document is made. Those of all contracts at once would keep the interpreter from everybody else."""

Methods = Mapping[str, Operation]


class ContractRoute(BaseRoute):
    """Where an application serves a contract: at its base, below it, and at its paths outside of it.

    No `Mount`: that has no place for a path with a line break, and redirects from the base to the base with a slash."""

    def __init__(self, contract: Contract) -> None:
        self._served = ContractApp(contract)
        self._base = contract.base.lower() if contract.any_case else contract.base
        self._any_case = contract.any_case
        self._outside = frozenset(operation.path for operation in contract.operations)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] in ("http", "websocket"):
            path: str = scope["path"].removeprefix(scope.get("root_path", ""))
            if self._any_case:
                path = path.lower()
            if path.startswith(f"{self._base}/") or path == self._base or path.removesuffix("/") in self._outside:
                return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._served(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        raise NoMatchFound(name, path_params)


class ContractApp:
    """A plain ASGI application, the only one that catches what a contract's handlers raise."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        document = Operation("GET", f"{contract.base}/openapi.json", _documenting(contract), public=True)
        self._paths: dict[tuple[str, ...], dict[str, Operation]] = {}
        for operation in (*contract.operations, document):
            segments = tuple(operation.path.strip("/").split("/"))
            self._paths.setdefault(segments, {})[operation.method] = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        reply = await self._reply(scope, receive)
        body = reply.body if isinstance(reply.body, bytes) else b"" if reply.body is None else orjson.dumps(reply.body)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        headers += [NOT_SHARED, (b"vary", b"Accept-Encoding, " + CREDENTIALS)]
        if reply.body is not None:
            headers.append((b"content-type", reply.media_type.encode()))
        if reply.status != 204:
            headers.append((b"content-length", str(len(body)).encode()))
        await send_whole(scope, send, (reply.status, headers, body))

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        try:
            return await self._answer(scope, receive)
        except DomainError as error:
            release(error)
            refusal = self._refusal(error)
        except BadRequest as bad:
            release(bad)
            more = tuple((name.decode(), value.decode()) for name, value in bad.headers)
            refusal = Refusal(status=bad.status, code=bad.code, message=bad.message, headers=more)
        except Exception as error:
            log.error("request failed", request_id=request_id_of(scope), exc_info=error)
            release(error)
            refusal = Refusal(status=500, code=codes.INTERNAL, message=codes.INTERNAL_MESSAGE)
        if (trail := current()) is not None:
            trail.refused(refusal.code)
        parameters = scope.get("path_params") or {}
        return self._contract.refused(replace(refusal, request_id=request_id_of(scope), parameters=parameters))

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        operations, path = self._find(scope)
        scope["path_params"] = path
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = operations.get(method)
        if operation is None:
            allowed = sorted([*operations, *(["HEAD"] if "GET" in operations else [])])
            raise BadRequest(405, f"This path takes {', '.join(allowed)}.", (b"allow", ", ".join(allowed).encode()))
        services = services_of(scope)
        trail = current()
        if trail is not None:
            trail.operation, trail.kind = f"{operation.method} {operation.path}", "rest"
        headers: Headers = dict(scope["headers"])
        actor = _stranger(scope) if operation.public else await self._authenticate(headers, services)
        if not operation.public:
            remember_caller(scope, actor, headers)
            await services.limiter.take(actor)
            await services.operations.costs.budget.take(actor.caller)
        if not granted(actor.viewer.permissions, operation.reads):
            missing = str(operation.reads).removesuffix(SOME)
            error = Forbidden(f"This needs the permission {missing}.", permission=missing)
            services.forbidden(actor, error)
            raise error
        async with services.in_flight.of(actor.caller):
            return await operation.handler(Call(scope, receive, services, actor, path, request_id_of(scope)))

    def _find(self, scope: Scope) -> tuple[Methods, Mapping[str, str]]:
        raw = scope.get("raw_path") or scope["path"].encode()
        prefix = scope.get("app_root_path", scope.get("root_path", "")).encode()
        # Split before decoding: a key may hold a slash.
        given = [unquote(part, errors="replace") for part in raw.removeprefix(prefix).decode("latin-1").split("/")[1:]]
        if len(given) > 1 and not given[-1]:
            given.pop()
        best: tuple[list[bool], tuple[str, ...]] | None = None
        for template in self._paths:
            if len(template) == len(given) and self._fits(template, given):
                parameters = [segment.startswith("{") for segment in template]
                if best is None or parameters < best[0]:
                    best = parameters, template
        if best is None:
            raise BadRequest(404, "There is nothing at this path.", code=codes.UNKNOWN_PATH)
        values = {
            segment[1:-1]: value for segment, value in zip(best[1], given, strict=True) if segment.startswith("{")
        }
        if not all(is_storable(value) for value in values.values()):
            raise BadRequest(404, "There is nothing at this path.", code=codes.UNKNOWN_PATH)
        return self._paths[best[1]], values

    def _fits(self, template: tuple[str, ...], given: list[str]) -> bool:
        for segment, value in zip(template, given, strict=True):
            if segment.startswith("{"):
                if not value:
                    return False
            elif segment != value and not (self._contract.any_case and segment.lower() == value.lower()):
                return False
        return True

    async def _authenticate(self, headers: Headers, services: Services) -> Actor:
        key = key_of(headers, self._contract.schemes)
        if not key:
            raise Unauthenticated("This request came without credentials.")
        return await services.keys.admitted(key)

    def _refusal(self, error: DomainError) -> Refusal:
        headers: list[tuple[str, str]] = []
        if isinstance(error, Unauthenticated):
            headers += [("www-authenticate", each.challenge) for each in self._contract.schemes if each.challenge]
        elif isinstance(error, RateLimited):
            headers.append(("retry-after", str(error.retry_after)))
        elif isinstance(error, Unavailable):
            headers.append(("retry-after", "1"))
        return Refusal(
            status=self._contract.statuses.get(error.code, STATUSES[error.code]),
            code=error.code,
            message=error.message,
            path=error.path,
            error=error,
            headers=headers,
        )


def _stranger(scope: Scope) -> Actor:
    """Who calls a public operation. Strangers at other addresses have other shares."""
    return Actor(user_id=0, name="Nobody", address=address_of(scope))


def _documenting(contract: Contract) -> Handler:
    """Serves the contract's document, which is made once: when it is asked for first, beside the loop.

    That takes up to a quarter of a second of computing."""
    making = list[asyncio.Task[bytes]]()

    async def handler(_call: Call) -> Reply:
        if not making:
            making.append(asyncio.create_task(asyncio.to_thread(written_alone, contract)))
        # Who asked first may go away; the others wait for the same one.
        return Reply(body=await asyncio.shield(making[0]))

    return handler


def written_alone(contract: Contract) -> bytes:
    """The contract's document; one at a time is made, in short turns."""
    with _WRITING, short_turns:
        return written(contract)
