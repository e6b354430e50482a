"""The outcome of an operation, the same for every transport."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

from app.core import json_text
from app.execution.errors import Entry


class Phase(Enum):
    """How far an operation came; each transport expresses it in its own way."""

    UNREGISTERED = auto()
    DOCUMENT = auto()
    PARSE = auto()
    VALIDATION = auto()
    OPERATION = auto()
    METHOD = auto()
    VARIABLES = auto()
    EXECUTION = auto()


class Refused(Exception):
    """The operation was not executed; `entries` are its errors."""

    def __init__(self, entries: list[Entry], phase: Phase) -> None:
        super().__init__(phase.name)
        self.entries = entries
        self.phase = phase

    @property
    def code(self) -> str:
        """The code of its first error."""
        extensions: Any = self.entries[0]["extensions"]
        return str(extensions["code"])


class Outcome(NamedTuple):
    """The encoded body of the answer, and the phase that was reached. Only Phase.EXECUTION has a member `data`."""

    body: bytes
    phase: Phase


@dataclass(slots=True)
class GraphQLRequest:
    """A GraphQL request; not frozen, because one is made for each request. `mutations` is False where the transport
    must not change anything.

    `body` is the JSON text it was read from, if there is one: it has numbers as the client spelled them. `within` names
    the member of it that is the request, if that is not the whole. `digest` is the SHA-256 of the document, whose text
    may then be empty; `by_id` tells that it came as a documentId. `cost` asks for what it costs."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    mutations: bool = True
    body: bytes | None = None
    within: str | None = None
    digest: str | None = None
    by_id: bool = False
    cost: bool = False

    def exact_variables(self) -> Mapping[str, Any]:
        """The variables with every number as it was spelled."""
        if self.body is None:
            return self.variables
        given = json_text.parse(self.body)
        if self.within is not None and isinstance(given, dict):
            given = given.get(self.within)
        found = given.get("variables") if isinstance(given, dict) else None
        return found if isinstance(found, dict) else {}
