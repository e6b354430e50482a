"""GraphQL over HTTP, as a plain ASGI application."""

import re
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
import structlog
from graphql import OperationType
from starlette.types import Message, Receive, Scope, Send

from app.core import codes, json_input
from app.core.actor import Actor
from app.core.errors import RateLimited, TooComplex, Unavailable, release
from app.execution import errors
from app.execution.documents import Operation
from app.execution.outcome import GraphQLRequest, Outcome, Phase
from app.http.authentication import CREDENTIALS, authenticate, presented_key
from app.http.bodies import LARGE_BODY
from app.http.cycle import Whole, send_whole
from app.http.negotiation import GRAPHQL_RESPONSE, JSON, negotiate, prefers_page
from app.http.pages.site import Page
from app.http.services import Services, remember_caller, request_id_of, services_of
from app.http.sse import Listener, prefers_stream, send_outcome, stream, takes_stream
from app.http.tickets import admit, not_for_this, presented_ticket
from app.rest.errors import BadRequest, later
from app.rest.headers import Headers

log = structlog.get_logger(__name__)

_LONGEST_ACCEPT = 1_000
_PLAIN_JSON = (b"application/json", b"application/json; charset=utf-8")  # as nearly all clients write it

HTML = "text/html"

NOT_SHARED = (b"cache-control", b"private, no-store")
"""Keeps an answer out of caches: what one caller may see must not be given to another."""

_OF_PAGE = ((b"vary", b"Accept, Accept-Encoding"),)
_OF_ANSWER = (NOT_SHARED, (b"vary", b"Accept, Accept-Encoding, " + CREDENTIALS))

Answer = tuple[int, bytes, str, tuple[tuple[bytes, bytes], ...]]

_FIELDS = {
    media_type: ((b"content-type", f"{media_type}; charset=utf-8".encode()), *fields)
    for media_type, fields in ((HTML, _OF_PAGE), (JSON, _OF_ANSWER), (GRAPHQL_RESPONSE, _OF_ANSWER))
}

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DOCUMENT_ID = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)

_STATUS = {
    Phase.UNREGISTERED: 200,
    Phase.DOCUMENT: 400,
    Phase.PARSE: 400,
    Phase.VALIDATION: 400,
    Phase.OPERATION: 400,
    Phase.VARIABLES: 400,
}


class GraphQLOverHttp:
    """The endpoint; a plain ASGI application, because a request object costs more than the rest of it."""

    def __init__(self, *, page: Page) -> None:
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = await self._whole(scope, dict(scope["headers"]), receive, send)
        if found is not None:
            await send_whole(scope, send, found)

    def streams(self, headers: Headers) -> bool:
        """Whether a request with these headers may get a stream."""
        return takes_stream(accept_of(headers))

    def answer(self, scope: Scope, headers: Headers, receive: Receive) -> Coroutine[Any, Any, Whole | None]:
        """The answer of a request that gets no stream."""
        return self._whole(scope, headers, receive, _nowhere)

    async def _whole(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> Whole | None:
        try:
            answer = await self._answer(scope, headers, receive, send)
            if answer is None:
                return None
            status, body, media_type, more = answer
        except BadRequest as bad:
            release(bad)
            status, body, media_type, more = _refusal(bad, headers)
        except RateLimited as error:
            wait = (b"retry-after", str(error.retry_after).encode())
            refused = BadRequest(429, error.message, wait, code=error.code)
            status, body, media_type, more = _refusal(refused, headers, error.retry_after)
        except Exception as error:
            log.error("request failed", request_id=request_id_of(scope), exc_info=error)
            release(error)
            status, body, media_type, more = _refusal(
                BadRequest(500, codes.INTERNAL_MESSAGE, code=codes.INTERNAL), headers
            )
        return status, [*_FIELDS[media_type], (b"content-length", b"%d" % len(body)), *more], body

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> Answer | None:
        """The answer; None when it has gone out already, as a stream."""
        method = scope["method"]
        accept = accept_of(headers)
        if method in ("GET", "HEAD") and prefers_page(accept):
            return 200, self._page.body, HTML, self._page.headers
        if method not in ("GET", "HEAD", "POST"):
            raise BadRequest(405, "GraphQL is asked by GET or POST.", (b"allow", b"GET, POST"))
        media_type = negotiate(accept)
        if media_type is None and not takes_stream(accept):
            raise BadRequest(406, f"Answers are {GRAPHQL_RESPONSE} or {JSON}.")
        services = services_of(scope)
        # A stream that sends nothing would only be held.
        streams = method != "HEAD" and takes_stream(accept)
        ticket = presented_ticket(scope, headers)
        if ticket is not None and not streams:
            raise not_for_this()
        actor = await (
            authenticate(headers, services.keys) if ticket is None else admit(ticket, scope, services.tickets)
        )
        caller = remember_caller(scope, actor, headers)
        if services.limiter.counts:
            await services.limiter.take(actor)
        context = services.context(actor, request_id_of(scope))
        in_flight = services.in_flight
        if not in_flight.begins(caller):
            await in_flight.enter(caller)
        try:
            request = await self._read(scope, headers, receive, services, actor)
            named = services.operations.resolved(request, caller)
            found: Operation | Outcome | None
            if isinstance(named, Outcome):
                found = named
            else:
                request = named
                found = await services.operations.find(request, context) if streams else None
            if isinstance(found, Operation) and found.kind is OperationType.SUBSCRIPTION:
                outcome = None
            elif isinstance(found, Operation) and ticket is not None:
                raise not_for_this()
            elif isinstance(found, Outcome):
                outcome = found
            else:
                outcome = await services.operations.run(request, context, found)
        finally:
            in_flight.leave(caller)
        if outcome is None:
            assert isinstance(found, Operation)
            after = headers.get(b"last-event-id", b"").decode("latin-1") or None
            if ticket is None:
                listener = Listener(partial(services.keys.actor_of, presented_key(headers)), after)
            else:
                listener = Listener(partial(services.tickets.actor_of, ticket), after, is_native=True)
            try:
                await stream(services, found, request, context, listener, scope, receive, send)
            except Unavailable as error:
                raise later(error) from None
            return None
        if outcome.phase is Phase.METHOD:
            return 405, outcome.body, media_type or JSON, ((b"allow", b"POST"),)
        if media_type is None or prefers_stream(accept):
            await send_outcome(send, outcome)
            return None
        # A client that asked for plain JSON takes any other status than 200 for a failure of something in between.
        status = 200 if media_type == JSON or outcome.phase is Phase.EXECUTION else _STATUS[outcome.phase]
        return status, outcome.body, media_type, ()

    async def _read(
        self, scope: Scope, headers: Headers, receive: Receive, services: Services, actor: Actor
    ) -> GraphQLRequest:
        if scope["method"] != "POST":
            return read_query_string(scope["query_string"])
        check_content_type(headers)
        body = await services.body(headers, receive, actor)
        if len(body) <= LARGE_BODY:
            return read_json(body)
        return await services.parsed(body, read_json, actor)


async def _nowhere(_message: Message) -> None:
    raise RuntimeError("There is no stream for this request.")


def _refusal(bad: BadRequest, headers: Headers, retry_after: int | None = None) -> Answer:
    body = orjson.dumps({"errors": [errors.entry(bad.message, bad.code, retry_after=retry_after)]})
    return bad.status, body, negotiate(accept_of(headers)) or JSON, bad.headers


def accept_of(headers: Headers) -> str:
    """What the client takes; the start of a header that is longer than any client writes, because it is remembered."""
    return headers.get(b"accept", b"")[:_LONGEST_ACCEPT].decode("latin-1")


def check_content_type(headers: Headers) -> None:
    """Raises BadRequest unless the body is JSON in UTF-8."""
    plain = headers.get(b"content-type", b"")
    if plain in _PLAIN_JSON:
        return
    given = plain.decode("latin-1")
    name, *parameters = (part.strip() for part in given.lower().split(";"))
    if name != JSON:
        raise BadRequest(415, f"The request body has to be {JSON}.")
    for parameter in parameters:
        if parameter.startswith("charset=") and parameter[8:].strip('"') not in ("utf-8", "utf8"):
            raise BadRequest(415, "The request body has to be in UTF-8.")


def read_json(body: bytes) -> GraphQLRequest:
    """The request of a POST's body. Raises BadRequest."""
    given = _loaded(body, "The request body is not JSON in UTF-8")
    if isinstance(given, list):
        raise BadRequest(400, "Batches are not supported; send one operation at a time.")
    if not isinstance(given, dict):
        raise BadRequest(400, "The request body has to be a JSON object.")
    return request_of(given, mutations=True, body=body)


def read_query_string(raw: bytes) -> GraphQLRequest:
    """The request of a GET. Raises BadRequest."""
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise BadRequest(400, "The query string cannot be read as UTF-8.") from None
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in given:
            raise BadRequest(400, f"The parameter {name[:40]!r} is given twice.")
        given[name] = value
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = _loaded(given[name], f"{name} is not JSON") if given[name] else None
    return request_of(given, mutations=False)


def _loaded(text: bytes | str, fault: str) -> Any:
    try:
        return json_input.loads(text)
    except json_input.NotJson as error:
        refused = BadRequest(400, f"{fault}: {error}.")
    except TooComplex as error:
        refused = BadRequest(400, error.message, code=error.code)
    try:
        raise refused
    finally:
        # Its traceback holds this frame, which would hold it, and with it the whole body until the next collection.
        del refused


def request_of(given: Mapping[str, Any], *, mutations: bool, body: bytes | None = None) -> GraphQLRequest:
    """The request that a JSON object describes. Raises BadRequest."""
    query = given.get("query")
    digest, by_id = _named(given)
    if digest is not None and query is None:
        query = ""
    if by_id and query:
        raise BadRequest(400, "A request has a documentId or a query, not both.")
    if not isinstance(query, str):
        raise BadRequest(400, "query has to be the text of a GraphQL document.")
    operation_name = given.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise BadRequest(400, "operationName has to be text or null.")
    for name in ("variables", "extensions"):
        if given.get(name) is not None and not isinstance(given[name], dict):
            raise BadRequest(400, f"{name} has to be a JSON object or null.")
    variables, extensions = given.get("variables") or {}, given.get("extensions")
    cost = _asks_for_cost(extensions) if extensions else False
    return GraphQLRequest(query, operation_name, variables, mutations, body, digest=digest, by_id=by_id, cost=cost)


def _asks_for_cost(extensions: Mapping[str, Any]) -> bool:
    """Whether a request wants to know what it costs. Raises BadRequest."""
    asked = extensions.get("cost")
    if asked is not None and not isinstance(asked, bool):
        raise BadRequest(400, "extensions.cost has to be true or false.")
    return asked is True


def _named(given: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The digest by which a request names its document, and whether as a documentId. Raises BadRequest."""
    document_id = given.get("documentId")
    if document_id is not None:
        found = _DOCUMENT_ID.fullmatch(document_id) if isinstance(document_id, str) else None
        if found is None:
            raise BadRequest(400, "documentId has to be sha256: and 64 digits of hex in small letters.")
        return found[1], True
    extensions = given.get("extensions")
    if not isinstance(extensions, dict) or "persistedQuery" not in extensions:
        return None, False
    persisted = extensions["persistedQuery"]
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None or persisted.get("version") != 1:
        raise BadRequest(400, "persistedQuery has the version 1 and a sha256Hash of 64 digits of hex in small letters.")
    return digest, False
