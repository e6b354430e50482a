"""One request of a contract's client, as handlers see it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from starlette.types import Receive, Scope

from app.core import json_input
from app.core.actor import Actor
from app.core.clock import Clock
from app.core.credentials import TokenIssuer
from app.core.errors import Forbidden
from app.core.text import is_storable
from app.rest.bodies import Body
from app.rest.errors import BadRequest
from app.rest.headers import Headers
from app.rest.parameters import Parameters
from app.rest.reading import Reads, Selection
from app.selection.mapping import Env
from app.settings import Settings
from app.storage.work import Work

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B", bound=Body)

ROWS_IN_TURN = 10
"""How many rows of a list are written in one turn of the loop, in a quarter of a millisecond."""


class Host(Protocol):
    """The services that calls need; `app.http.services.Services` implements it."""

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def tokens(self) -> TokenIssuer: ...

    @property
    def reads(self) -> Reads: ...

    @property
    def forbidden(self) -> Callable[[Actor, Forbidden], None]:
        """Is told of what was answered with FORBIDDEN."""

    async def body(self, headers: Headers, receive: Receive, actor: Actor) -> bytes:
        """The whole body, decompressed. Raises BadRequest (400, 413, 415), RateLimited."""

    async def parsed(self, body: bytes, parse: Callable[[bytes], T], actor: Actor) -> T:
        """What `parse` makes of the body, beside the loop when it is large. Raises what `parse` raises, RateLimited."""

    async def pace(self, actor: Actor) -> None:
        """Wait until the actor's caller may go on with what takes much of the loop's time."""

    async def command(
        self,
        actor: Actor,
        request_id: str,
        service: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Run `service(work, actor, *args, **kwargs)` as one command. Raises its DomainError."""


class Call:
    """A request with its actor. The actor of a public operation has no permissions."""

    def __init__(
        self, scope: Scope, receive: Receive, host: Host, actor: Actor, path: Mapping[str, str], request_id: str
    ) -> None:
        self.headers: Headers = dict(scope["headers"])
        self.query = Parameters(scope["query_string"])
        self.path = path
        self.actor = actor
        self.request_id = request_id
        self._host = host
        self._scope = scope
        self._receive = receive

    @property
    def idempotency_key(self) -> str | None:
        """The header `Idempotency-Key`: a repeat of a creation or message gives the first answer again."""
        given = self.headers.get(b"idempotency-key")
        return None if given is None else given.decode("latin-1")

    @property
    def base_url(self) -> str:
        """The address by which the client reaches the application, without a slash at the end."""
        host = self.headers.get(b"host", b"localhost").decode("latin-1")
        prefix = self._scope.get("app_root_path", self._scope.get("root_path", ""))
        return f"{self._scope['scheme']}://{host}{prefix}"

    def now(self) -> datetime:
        return self._host.clock()

    @property
    def tokens(self) -> TokenIssuer:
        """The service that exchanges keys for access tokens."""
        return self._host.tokens

    # ---- the body -------------------------------------------------------------------------------------------------

    async def body(self, *types: str) -> bytes:
        """The whole body, decompressed. Raises BadRequest: 413 over the limit, 415 for a media type that is not one of
        `types`."""
        found = await self._host.body(self.headers, self._receive, self.actor)
        if found and types:
            name, *parameters = self.headers.get(b"content-type", b"").decode("latin-1").lower().split(";")
            if name.strip() and name.strip() not in types:
                raise BadRequest(415, f"The request body has to be {' or '.join(types)}.")
            for parameter in parameters:
                key, _, value = parameter.strip().partition("=")
                if key == "charset" and value.strip('"') not in ("utf-8", "utf8", "us-ascii"):
                    raise BadRequest(415, "The request body has to be in UTF-8.")
        return found

    async def json(self, *types: str, exact: bool = False, empty: bool = False) -> Any:
        """The body as JSON, None for an empty one where that is allowed; without `types` it has to be application/json.

        With `exact` numbers keep their spelling (`json_text`). Raises BadRequest, and TooComplex over the bounds of
        JSON."""
        found = await self.body(*(types or ("application/json",)))
        if empty and not found.strip():
            return None
        load = json_input.loads_exact if exact else json_input.loads
        try:
            value = await self._host.parsed(found, load, self.actor)
        except json_input.NotJson as error:
            raise BadRequest(400, f"The request body is not JSON: {error}.") from None
        # Only an escape can bring characters through a JSON parser that no database can store.
        if b"\\u" in found and not _is_storable(value):
            raise BadRequest(400, "The request body holds text that cannot be stored.")
        return value

    async def json_object(self, *types: str, exact: bool = False, empty: bool = False) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty object where that is allowed. Raises BadRequest."""
        found = await self.json(*types, exact=exact, empty=empty)
        if found is None and empty:
            return {}
        if not isinstance(found, dict):
            raise BadRequest(400, "The request body has to be a JSON object.")
        return found

    async def given(self, model: type[B], *types: str, exact: bool = False, empty: bool = False) -> B:
        """The body parsed by this model; media types as for `json_object`.

        Raises also the contract's refusal of a member that is missing or of a wrong type."""
        return model.read(await self.json_object(*types, exact=exact, empty=empty))

    async def form(self) -> Parameters:
        """The body as a form. Raises BadRequest."""
        found = await self.body("application/x-www-form-urlencoded")
        return await self._host.parsed(found, Parameters, self.actor)

    # ---- commands and reads ---------------------------------------------------------------------------------------

    async def perform(self, service: Callable[Concatenate[Work, Actor, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `service(work, actor, …)` as one command and return its result. Raises its DomainError."""
        result: T = await self._host.command(self.actor, self.request_id, service, args, kwargs)
        return result

    async def read(self, selection: Selection, **variables: object) -> Any:
        """The result of the selection; see `Reads.read`."""
        env = Env(self.actor, self.now(), self._host.settings, variables)
        try:
            return await self._host.reads.read(selection, env)
        except Forbidden as error:
            self._host.forbidden(self.actor, error)
            raise

    async def written(self, found: Iterable[Mapping[str, Any]], write: Callable[[Mapping[str, Any]], T]) -> list[T]:
        """The results of `write` for all rows, a few in each turn of the loop.

        A thousand rows at once would block the loop, and many lists at the same time would starve the reader threads,
        so the caller's pace is respected, too."""
        rows: list[T] = []
        for row in found:
            if rows and len(rows) % ROWS_IN_TURN == 0:
                await asyncio.sleep(0)
                await self._host.pace(self.actor)
            rows.append(write(row))
        return rows


def picked(body: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The members of the body with these names."""
    return {name: body[name] for name in names if name in body}


def _is_storable(value: object) -> bool:
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, list):
        return all(map(_is_storable, value))
    if isinstance(value, dict):
        return all(map(is_storable, value)) and all(map(_is_storable, value.values()))
    return True
