"""The whole graph over a fresh database, asked as a client asks it: text and variables in, JSON out."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLSchema, get_named_type
from pydantic import SecretStr

from app.core.actor import Actor
from app.core.ids import Ids
from app.core.issuers import Issuer
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest
from app.graph.context import Context
from app.registry import KINDS
from app.schema import SLICES, build_catalogue, build_schema
from app.selection.compiler import Compiler
from app.settings import Settings
from app.storage.database import Database, open_database
from tests.conftest import CountingIds, ManualClock
from tests.sharing import share_what_is_compiled

SCHEMA: GraphQLSchema = build_schema(SLICES)
"""The schema of the product; building it takes longer than most tests."""

RULES: Mapping[str, Any] = {kind.name: kind.rules for kind in KINDS}

ADMIN = Actor(user_id=1, name="Admin", is_admin=True)
"""An admin without a key; user 1 has to be stored."""

SECRETS_KEY = SecretStr("0" * 43 + "=")
"""What the secrets of the tests' connections are sealed with."""

ISSUER = Issuer.model_validate(
    {
        "issuer": "https://login.example.com",
        "audiences": ["switchboard"],
        "link_by_email": False,
        "groups": {
            "leads": {"permissions": ["session:read", "directory:read"], "teams": ["tea_1"]},
            "platform": {"admin": True},
        },
    }
)
"""The identity provider of the tests' people."""

ERRORS = """errors {
  __typename code message path
  ... on AlreadyClaimedError { claimedBy { id } claimedUntil }
  ... on VersionConflictError { currentVersion }
}"""


@dataclass
class Graph:
    """One database with the operations over it. `statements` collects every SQL text that was executed."""

    database: Database
    operations: Operations
    settings: Settings
    clock: ManualClock
    statements: list[str] = field(default_factory=list)

    async def answer(self, document: str, actor: Actor = ADMIN, /, **variables: object) -> dict[str, Any]:
        """The whole answer, errors and all."""
        context = Context(self.database, actor, self.settings, self.clock)
        outcome = await self.operations.run(GraphQLRequest(document, variables=variables), context)
        found: dict[str, Any] = orjson.loads(outcome.body)
        return found

    async def read(self, document: str, actor: Actor = ADMIN, /, **variables: object) -> dict[str, Any]:
        """The data of a query that must not fail."""
        found = await self.answer(document, actor, **variables)
        assert "errors" not in found, found["errors"]
        data: dict[str, Any] = found["data"]
        return data

    async def attempt(
        self, mutation: str, given: Mapping[str, Any] | None = None, gives: str = "", actor: Actor = ADMIN
    ) -> dict[str, Any]:
        """The payload of a mutation with the argument `input`, refused or not."""
        found = await self.answer(mutation_text(mutation, gives), actor, input={} if given is None else given)
        assert "errors" not in found, found["errors"]
        payload: dict[str, Any] = found["data"][mutation]
        return payload

    async def do(
        self, mutation: str, given: Mapping[str, Any] | None = None, gives: str = "", actor: Actor = ADMIN
    ) -> dict[str, Any]:
        """The payload of a mutation that must not be refused."""
        payload = await self.attempt(mutation, given, gives, actor)
        assert payload["errors"] == [], payload["errors"]
        return payload


def mutation_text(mutation: str, gives: str = "") -> str:
    """The document of a mutation with the variable `$input`; `gives` is what of its payload is asked for."""
    assert SCHEMA.mutation_type is not None
    input_type = SCHEMA.mutation_type.fields[mutation].args["input"].type
    return f"mutation($input: {input_type}) {{ {mutation}(input: $input) {{ {gives} {ERRORS} clientMutationId }} }}"


def payload_object(mutation: str) -> str | None:
    """The field of a mutation's payload that is the changed object; None when it gives none."""
    assert SCHEMA.mutation_type is not None
    payload: Any = get_named_type(SCHEMA.mutation_type.fields[mutation].type)
    for name, each in payload.fields.items():
        if name not in ("errors", "clientMutationId", "deletedId") and hasattr(get_named_type(each.type), "fields"):
            return str(name)
    return None


async def open_graph(
    database_url: str,
    clock: ManualClock | None = None,
    settings: Settings | None = None,
    *,
    ids: Ids | None = None,
    own_plans: bool = False,
) -> Graph:
    """The product's graph over a migrated database; whoever opens it closes its database.

    It has the documents and plans that other graphs have made, or `own_plans`, for who counts what is compiled. Without
    other settings no caller has a limit of compiling: a test may ask for more in a minute than a client."""
    clock = ManualClock() if clock is None else clock
    settings = (
        Settings(compile_seconds=0, secrets_key=(SECRETS_KEY,), issuers=(ISSUER,)) if settings is None else settings
    )
    statements: list[str] = []
    database = await open_database(
        database_url,
        clock=clock,
        ids=CountingIds() if ids is None else ids,
        settings=settings,
        kinds=RULES,
        observer=statements.append,
    )
    compiler = Compiler(build_catalogue(SCHEMA, SLICES), database.dialect)
    operations = Operations(SCHEMA, compiler, database, settings, clock)
    if not own_plans:
        share_what_is_compiled(operations, database.dialect)
    return Graph(database, operations, settings, clock, statements)


@asynccontextmanager
async def running_graph(database_url: str, *, own_plans: bool = False) -> AsyncIterator[Graph]:
    """The same until the block ends, however it ends: an open database would keep the process from ending."""
    graph = await open_graph(database_url, own_plans=own_plans)
    try:
        yield graph
    finally:
        await graph.database.close()
