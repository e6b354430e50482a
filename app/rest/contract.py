"""The parts of a REST contract."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace

from app.core.errors import DomainError
from app.rest.call import Call
from app.rest.describing import About, Description
from app.rest.schemes import Scheme
from app.selection.catalogue import Catalogue, FieldFacts, TypeFacts
from app.selection.mapping import RootMany, RootOne, RootSteps

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer. `body` is bytes, a value that orjson encodes, or None for no content."""

    status: int = 200
    body: object = None
    headers: Sequence[tuple[str, str]] = ()
    media_type: str = JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The reason to refuse a request. `error` is the refusal of a rule; None for a malformed request or an unexpected
    failure.

    `parameters` are those of the path."""

    status: int
    code: str
    message: str
    path: Sequence[str | int] = ()
    request_id: str = ""
    error: DomainError | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Sequence[tuple[str, str]] = ()


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path such as `/v1/customers/{customer_id}`; a `public` one needs no key.

    A segment of the path is text or one parameter; text takes precedence. `reads` is the permission that the answer
    needs, ending in SOME where any narrower form is enough: a caller without it is refused before anything is done.
    `about` is its part of the OpenAPI document."""

    method: str
    path: str
    handler: Handler
    about: About | None = None
    _: KW_ONLY
    public: bool = False
    reads: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A kind's REST side, mounted at `base`; a path of `operations` outside of it is served too.

    `refused` gives an upstream's own answer to a refusal, `statuses` are where it differs from the one table.
    `roots` are the selections that only REST reads, with the facts of the types that only they name. `description` is
    what its OpenAPI document, served at `<base>/openapi.json`, says of the whole. With `any_case` paths match in any
    case."""

    name: str
    base: str
    operations: tuple[Operation, ...]
    schemes: tuple[Scheme, ...]
    refused: Callable[[Refusal], Reply]
    description: Description
    statuses: Mapping[str, int] = field(default_factory=dict)
    roots: Mapping[str, RootOne | RootMany | RootSteps] = field(default_factory=dict)
    types: Mapping[str, TypeFacts] = field(default_factory=dict)
    any_case: bool = False


def guarded(permission: str, operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """The operations with this permission required for their answers."""
    return tuple(replace(operation, reads=permission) for operation in operations)


def with_contracts(catalogue: Catalogue, contracts: Iterable[Contract]) -> Catalogue:
    """The graph's catalogue with the root fields and types of contracts, which GraphQL operations cannot name."""
    roots, types = dict(catalogue.roots), dict(catalogue.types)
    read = dict(types[catalogue.query].fields)
    for contract in contracts:
        types |= contract.types
        for name, found in contract.roots.items():
            roots[name] = found
            read[name] = FieldFacts(found.type, nullable=True, many=isinstance(found, RootSteps) and found.many)
    types[catalogue.query] = TypeFacts(read)
    return Catalogue(catalogue.maps.values(), roots, types, catalogue.query)
