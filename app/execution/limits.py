"""The limits of documents and the refusals of larger ones."""

from dataclasses import dataclass

from graphql import Node

from app.core.errors import TooComplex
from app.settings.server import MOST_OF_OPERATION

COUNT_COST = 1_000
"""What the count of a root field's connection weighs. It reads up to 10,000 rows, of which no objects are made."""

EDGE_COUNT_COST = 100
"""What the count of an object's connection weighs: few objects have thousands of neighbours."""

SEARCH_COST = 2_000
"""What a search for words weighs. It reads every match, to find the newest."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest document. `bytes`, `tokens`, `definitions` and `directives` are of the text as it stands; the other
    counts are of all its operations with every fragment spread written out.

    `selections` are fields, spreads and inline fragments; `depth` counts fields, `nesting` those and fragments.
    `overlaps` bounds how often two fields of the same response name meet, and `reach` how often a fragment is reached
    from another: the standard rules look at each such pair. `cost` is the number of objects that an operation may read;
    a count and a search weigh as much as the numbers of objects below.
    A new document of a caller without any permission has `tokens_without_permission` at most.
    """

    document_bytes: int = 65_536
    tokens: int = 5_000
    tokens_without_permission: int = 500
    definitions: int = 100
    directives: int = 100
    depth: int = 32
    nesting: int = 128
    selections: int = 2_000
    aliases: int = 200
    root_fields: int = 50
    overlaps: int = 1_000
    reach: int = 1_500
    cost: int = MOST_OF_OPERATION


class BadDefinition(Exception):
    """A fragment or operation of an invalid document in which the standard rules would find the error only slowly."""

    def __init__(self, message: str, node: Node) -> None:
        super().__init__(message)
        self.node = node


def too_many(what: str, limit: int, found: int | None = None) -> TooComplex:
    """The refusal of a document with more of `what` than the limit; a `found` of a billion or more is not written
    out."""
    given = f"{found:,}" if found is not None and found < 10**9 else "too many"
    return TooComplex(f"The document has {given} {what}; the limit is {limit:,}.")
