"""Declarations of fields, connections and errors, of which slices build types."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from strawberry import UNSET

from app.core.paging import DEFAULT_PAGE
from app.graph.error_codes import ErrorCode
from app.graph.strawberry_adapter.declaring import field_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a field: its Python type as in an annotation, its description, its default if any."""

    type: Any
    description: str
    default: object = UNSET


def argument(type_: Any, description: str, default: object = UNSET) -> Argument:
    """An argument of `edge` or `root`."""
    return Argument(type_, description, default)


PAGING: Mapping[str, Argument] = {
    "first": argument(
        int | None,
        "The number of items from the start, 1 to 100. The default is for a page without `last` and `before`.",
        DEFAULT_PAGE,
    ),
    "after": argument(str | None, "The cursor after which the page starts; use it with `first`."),
    "last": argument(int | None, "The number of items from the end, 1 to 100."),
    "before": argument(str | None, "The cursor before which the page ends; use it with `last`."),
}
"""The four arguments of every connection, for `edge(description=…, **PAGING)`."""


AFTER: Argument = argument(
    str | None,
    "The cursor to continue from: events after it are sent first. Without it, only new events are sent.",
)
"""The argument of every durable subscription."""


def edge(*, description: str, **arguments: Argument) -> Any:
    """A field with arguments and without a resolver: selections read it."""
    return field_of(
        description, ((name, given.type, given.description, given.default) for name, given in arguments.items())
    )


root = edge
"""The same for a field of Query or Subscription; the slice's `roots` and `streams` say how it is answered."""


def mutation(*, description: str, input: str = "") -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """A field of Mutation: an async method `(self, info, input) -> Payload` that calls `info.context.perform`.

    `input` is the description of its argument; without it the mutation takes none. The argument's type is named after
    the mutation: where the annotated class has another name, a type with the same fields is made."""

    def declared(resolver: Callable[..., Awaitable[Any]]) -> Any:
        annotations = resolver.__annotations__
        if "input" in annotations:
            taken = _named_after(resolver.__name__, annotations["input"], input)
            annotations["input"] = Annotated[taken, strawberry.argument(description=input)]
        return strawberry.mutation(resolver, description=description)

    return declared


def _named_after(mutation: str, taken: type, description: str) -> type:
    """A type with the input's fields, named after the mutation."""
    name = "".join(word.title() for word in mutation.split("_")) + "Input"
    return taken if taken.__name__ == name else strawberry.input(type(name, (taken,), {}), description=description)


@strawberry.interface(description="An object with a global id.")
class Node:
    id: strawberry.ID = strawberry.field(description="The id of the object: opaque, and unique in the whole graph.")


@strawberry.type(description="The position of a page in its connection.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether items follow the page.")
    has_previous_page: bool = strawberry.field(description="Whether items precede the page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the page's first item.")
    end_cursor: str | None = strawberry.field(description="The cursor of the page's last item.")


@strawberry.type(description="An item of a connection, with its cursor.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="The cursor of the item.")
    node: T = strawberry.field(description="The item of the edge.")


@strawberry.type(description="A page of items.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items of the page, each with its cursor.")
    nodes: list[T] = strawberry.field(description="The items of the page, without their cursors.")
    page_info: PageInfo = strawberry.field(description="The place of the page.")
    total_count: int = strawberry.field(description="The number of items of the whole connection, at most 10,000.")
    total_count_is_capped: bool = strawberry.field(description="Whether the connection has more items than counted.")
    cursor: str = strawberry.field(
        description="The cursor of the event log when the page was read. Pass it as `after` to a subscription or to"
        " `events` to continue from there."
    )


@strawberry.interface(description="The reason why a mutation changed nothing.")
class UserError:
    code: ErrorCode = strawberry.field(description="The code of the error.")
    message: str = strawberry.field(description="The sentence of the error, for a person.")
    path: list[str] = strawberry.field(
        description="The path of the input at fault, from the argument inwards; list indexes are decimal numbers."
    )


@strawberry.input
class MutationInput:
    """The base of every mutation's input."""

    client_mutation_id: str | None = strawberry.field(
        default=None,
        description="An id that the caller gives this mutation. The payload and the mutation's events return it.",
    )


@strawberry.input
class OnceInput(MutationInput):
    """The base of the input of a mutation that takes an idempotency key, because a repeat would act twice."""

    idempotency_key: str | None = strawberry.field(
        default=None,
        description="A key that the caller generates, 1 to 255 characters. A repeat within 24 hours returns the "
        "first result.",
    )


@strawberry.input
class EditInput(MutationInput):
    """The base of the input of a mutation of one object."""

    id: strawberry.ID = strawberry.field(description="The id of the object.")
    if_version: int | None = strawberry.field(
        default=None,
        description="The version that the caller has read. When it is no longer current, nothing is changed: "
        "VERSION_CONFLICT.",
    )


@strawberry.type
class MutationPayload:
    """The base of every mutation's payload."""

    errors: list[UserError] = strawberry.field(description="The reasons why nothing was changed. Empty on success.")
    client_mutation_id: str | None = strawberry.field(description="The `clientMutationId` of the input.")


@strawberry.type(description="An error without further fields.")
class GenericError(UserError):
    pass


@strawberry.type(description="The object has changed since it was read.")
class VersionConflictError(UserError):
    current_version: int = strawberry.field(description="The version of the object now.")


ERROR_TYPES: tuple[type, ...] = (
    GenericError,
    VersionConflictError,
)
"""The implementations of UserError of any slice; a slice adds its own to its `types`, for no field names them."""
