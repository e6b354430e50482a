"""How failures look in an answer: entries of `errors`, and the rows that a payload's `errors` are read from."""

from collections.abc import Iterable, Mapping, Sequence

from graphql import FieldNode, GraphQLError, Node
from strawberry.utils.str_converters import to_camel_case

from app.core.errors import (
    AlreadyClaimed,
    AlreadyReceived,
    DomainError,
    NewerMessage,
    NotClearable,
    VersionConflict,
)

Entry = dict[str, object]

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
BAD_REQUEST = "BAD_REQUEST"
PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
UNKNOWN_OPERATION = "OPERATION_RESOLUTION_FAILURE"
UNKNOWN_PATH = "UNKNOWN_PATH"
INTERNAL = "INTERNAL"

INTERNAL_MESSAGE = "Something went wrong on our side."


def entry(
    message: str,
    code: str,
    *,
    locations: Sequence[Mapping[str, int]] | None = None,
    path: Sequence[str | int] | None = None,
    argument: Sequence[str | int] = (),
) -> Entry:
    """One item of `errors`. `argument` is the path of the argument or variable at fault."""
    made: Entry = {"message": message}
    if locations:
        made["locations"] = locations
    if path is not None:
        made["path"] = path
    extensions: Entry = {"code": code}
    if argument:
        extensions["argument"] = [str(item) for item in argument]
    made["extensions"] = extensions
    return made


def from_graphql(error: GraphQLError, code: str) -> Entry:
    """A failure that graphql-core found."""
    return entry(
        error.message,
        code,
        locations=[{"line": at.line, "column": at.column} for at in error.locations or ()],
        path=error.path,
    )


def from_domain(error: DomainError, path: Sequence[str | int], nodes: Iterable[FieldNode] = ()) -> Entry:
    """A refusal at a root field or below it."""
    return entry(error.message, error.code, locations=places(nodes), path=path, argument=graph_path(error.path))


def graph_path(path: Iterable[str | int]) -> list[str]:
    """The path of a DomainError in the graph's names: services say `if_version`, clients sent `ifVersion`."""
    return [to_camel_case(item) if isinstance(item, str) else str(item) for item in path]


def places(nodes: Iterable[Node]) -> list[Mapping[str, int]]:
    """Where in the document the nodes are, 1-based."""
    return [
        {"line": node.loc.start_token.line, "column": node.loc.start_token.column}
        for node in nodes
        if node.loc is not None
    ]


def user_error(error: DomainError, prefix: str = "input") -> Entry:
    """The row of a payload's `errors` that a refusal becomes."""
    row: Entry = {
        "__typename": "GenericError",
        "code": error.code,
        "message": error.message,
        "path": [prefix, *graph_path(error.path)] if error.path else [],
    }
    if isinstance(error, AlreadyClaimed):
        row |= {
            "__typename": "AlreadyClaimedError",
            "claimed_by": error.claimed_by,
            "claimed_until": error.claimed_until,
        }
    elif isinstance(error, AlreadyReceived):
        row |= {
            "__typename": "AlreadyReceivedError",
            "received_message_id": f"msg_{error.message_id}",
            "received_message": error.message_id,
        }
    elif isinstance(error, VersionConflict):
        row |= {"__typename": "VersionConflictError", "current_version": error.current_version}
    elif isinstance(error, NewerMessage):
        row |= {"__typename": "NewerMessageError", "message_id": error.message_id}
    elif isinstance(error, NotClearable):
        row |= {"__typename": "NotClearableError", "reasons": list(error.reasons)}
    return row
