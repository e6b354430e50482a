"""The entries of `errors` in answers."""

from collections.abc import Iterable, Mapping, Sequence

from graphql import FieldNode, GraphQLError, Node

from app.core import codes
from app.core.errors import DomainError, RateLimited
from app.core.trail import current
from app.graph.user_errors import graph_path

Entry = dict[str, object]


def entry(
    message: str,
    code: str,
    *,
    locations: Sequence[Mapping[str, int]] | None = None,
    path: Sequence[str | int] | None = None,
    argument: Sequence[str | int] = (),
    retry_after: int | None = None,
) -> Entry:
    """One entry of `errors`. `argument` is the path of the argument or variable at fault; `retry_after` is in
    seconds."""
    if (trail := current()) is not None:
        trail.refused(code)
    made: Entry = {"message": message}
    if locations:
        made["locations"] = locations
    if path is not None:
        made["path"] = path
    extensions: Entry = {"code": code}
    if argument:
        extensions["argument"] = [str(item) for item in argument]
    if retry_after is not None:
        extensions["retryAfter"] = retry_after
    made["extensions"] = extensions
    return made


def from_graphql(error: GraphQLError, code: str) -> Entry:
    """The entry of an error that graphql-core found."""
    return entry(
        error.message,
        code,
        locations=[{"line": at.line, "column": at.column} for at in error.locations or ()],
        path=error.path,
    )


def from_domain(error: DomainError, path: Sequence[str | int], nodes: Iterable[FieldNode] = ()) -> Entry:
    """The entry of a refusal at a root field or below it."""
    return entry(
        error.message,
        error.code,
        locations=places(nodes),
        path=path,
        argument=graph_path(error.path),
        retry_after=seconds_until_retry(error),
    )


def internal(path: Sequence[str | int] | None = None, nodes: Iterable[Node] = ()) -> Entry:
    """The entry of an unexpected failure; only the log has its details."""
    return entry(codes.INTERNAL_MESSAGE, codes.INTERNAL, locations=places(nodes), path=path)


def seconds_until_retry(error: DomainError) -> int | None:
    """The seconds until a caller whose share is used up may try again; None for any other refusal."""
    return error.retry_after if isinstance(error, RateLimited) else None


def places(nodes: Iterable[Node]) -> list[Mapping[str, int]]:
    """The source locations of the nodes, line and column counted from 1."""
    return [
        {"line": node.loc.start_token.line, "column": node.loc.start_token.column}
        for node in nodes
        if node.loc is not None
    ]
