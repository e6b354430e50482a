"""The context of an operation, and how mutations call services."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeAlias, TypeVar, cast

import strawberry

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.errors import DomainError, Forbidden, Unavailable, release
from app.core.ids import parse_id
from app.graph.user_errors import user_error
from app.outbound import OutboundClient
from app.settings import Settings
from app.storage.database import Database
from app.storage.stored import Stored
from app.storage.work import Work

P = ParamSpec("P")
T = TypeVar("T")
Payload = TypeVar("Payload")


def _nothing() -> None:
    """Nobody remembers keys."""


def untold(_actor: Actor, _error: Forbidden) -> None:
    """Nobody counts refusals."""


class Subscribable(NamedTuple):
    """A subscription that is stored to be run later."""

    document: str
    operation_name: str | None
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outside:
    """What mutations need beside the database: requests to other servers, and a check of subscriptions.

    `require_durable(actor, subscription)` raises the DomainError for a subscription that the actor may not open or that
    cannot be resumed."""

    client: OutboundClient
    require_durable: Callable[[Actor, Subscribable], Awaitable[None]]


@dataclass(slots=True)
class Context:
    """The actor, the database and the time of an operation. It is not changed, but not frozen either: one is made for
    each request, and making a frozen one takes five times as long."""

    database: Database
    actor: Actor
    settings: Settings
    clock: Clock
    request_id: str = ""
    keys_changed: Callable[[], None] = _nothing
    outside_world: Outside | None = None
    forbidden: Callable[[Actor, Forbidden], None] = untold
    """Told of what was answered with FORBIDDEN."""

    @property
    def outside(self) -> Outside:
        """What mutations need beside the database. Raises Unavailable where this process does not have it."""
        if self.outside_world is None:
            raise Unavailable("This is only possible on a running server.")
        return self.outside_world

    def now(self) -> datetime:
        return self.clock()

    def tell_forbidden(self, errors: Iterable[DomainError]) -> None:
        """Tell of an answer with these errors: of each permission that the actor lacks once, however many fields need
        it."""
        found = {error.permission: error for error in errors if isinstance(error, Forbidden)}
        for error in found.values():
            self.forbidden(self.actor, error)

    async def command(
        self,
        service: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        client_mutation_id: str | None = None,
        about: Hashable | None = None,
    ) -> Any:
        """The result of `service(work, actor, *args, **kwargs)`, run as one command. Raises its DomainError.

        `about` is the subject that the command changes, where `subject_of` its arguments does not tell."""
        return (await self._done(service, args, kwargs, client_mutation_id, about))[0]

    async def _done(
        self,
        service: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        client_mutation_id: str | None,
        about: Hashable | None,
    ) -> tuple[Any, Stored | None]:
        """What the service returns, and the row that it has left where that still holds."""
        try:
            result, work = await self.database.command_of(
                self.actor.caller,
                subject_of(args) if about is None else about,
                _stamped,
                service,
                self.actor,
                client_mutation_id,
                args,
                kwargs,
            )
        except Forbidden as error:
            self.tell_forbidden((error,))
            raise
        if any(event.type.concerns_keys for event in work.events):
            self.keys_changed()
        return result, work.left

    async def perform(
        self,
        input: object,
        gives: str | Callable[[T], Mapping[str, object]] | None,
        service: Callable[Concatenate[Work, Actor, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Payload:
        """Run `service(work, actor, *args, **kwargs)` as one command; the row that the payload is read from.

        `gives` names the payload's field: it gets the surrogate key of what the service returns (its `id`), or the
        returned value itself when that has none. A function gives several fields. A refusal becomes `errors`; events
        carry the input's `client_mutation_id`. The row passes for the payload's class, whichever the resolver names."""
        return await self._perform(input, gives, None, service, args, kwargs)

    async def perform_about(
        self,
        input: object,
        gives: str | Callable[[T], Mapping[str, object]] | None,
        about: Hashable | None,
        service: Callable[Concatenate[Work, Actor, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Payload:
        """The same for a command whose arguments do not say what it changes; `about` is as for `command`."""
        return await self._perform(input, gives, about, service, args, kwargs)

    async def perform_after(
        self,
        check: Awaitable[object],
        input: object,
        gives: str | Callable[[T], Mapping[str, object]] | None,
        service: Callable[Concatenate[Work, Actor, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Payload:
        """`perform` after a check, whose refusal becomes `errors` too."""
        try:
            await check
        except DomainError as error:
            self.tell_forbidden((error,))
            return cast("Payload", _refused(input, error))
        return await self._perform(input, gives, None, service, args, kwargs)

    async def _perform(
        self,
        input: object,
        gives: str | Callable[[Any], Mapping[str, object]] | None,
        about: Hashable | None,
        service: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Payload:
        client_mutation_id = getattr(input, "client_mutation_id", None)
        row: dict[str, Any] = {"errors": [], "client_mutation_id": client_mutation_id}
        try:
            result, left = await self._done(service, args, kwargs, client_mutation_id, about)
        except DomainError as error:
            return cast("Payload", _refused(input, error))
        if callable(gives):
            row |= gives(result)
        elif gives is not None:
            row[gives] = left if left is not None and left.of is result else getattr(result, "id", result)
        return cast("Payload", row)


def _refused(input: object, error: DomainError) -> dict[str, Any]:
    release(error)
    return {"errors": [user_error(error)], "client_mutation_id": getattr(input, "client_mutation_id", None)}


def subject_of(arguments: Iterable[object]) -> Hashable | None:
    """The subject that a command changes: the first of its arguments that is a key, in a contract's own form (a number,
    a tuple) or as a global id; None when none is. Two subjects with an equal key only wait for each other."""
    for argument in arguments:
        found = parse_id(argument) if isinstance(argument, str) else argument
        if isinstance(found, (int, tuple)):
            return found
    return None


Info: TypeAlias = strawberry.Info[Context, None]


def _stamped(
    work: Work,
    service: Callable[..., Any],
    actor: Actor,
    client_mutation_id: str | None,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> tuple[Any, Work]:
    result = service(work, actor, *args, **kwargs)
    if client_mutation_id is not None:
        work.events[:] = [event._replace(client_mutation_id=client_mutation_id) for event in work.events]
    return result, work
