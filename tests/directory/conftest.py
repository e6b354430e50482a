"""A directory with an admin and its key in a fresh database, and what was told of changes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import pytest

from app.core.actor import GENERAL_PERMISSIONS, Actor, kind_permissions
from app.core.errors import Forbidden
from app.core.events import EventRecord
from app.directory import service
from app.directory.authenticator import KeyAuthenticator
from app.directory.graphql import DIRECTORY
from app.directory.model import User
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest
from app.graph.context import Context, untold
from app.graph.slice import ERRORS, NODES
from app.registry import KINDS
from app.schema import build_catalogue, build_schema
from app.selection.compiler import Compiler
from app.settings import Settings
from app.storage.database import Database, Work
from tests.conftest import ManualClock
from tests.event_log import told_in
from tests.remembering import remembered

PERMISSIONS = (*GENERAL_PERMISSIONS, *kind_permissions(kind.name for kind in KINDS))

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    """All kinds: their names make permissions and systems of customers, and they follow what becomes of users."""
    return {kind.name: kind.rules for kind in KINDS}


@pytest.fixture
def authenticator(database: Database, settings: Settings, clock: ManualClock) -> KeyAuthenticator:
    return KeyAuthenticator(database, settings, clock, PERMISSIONS)


@pytest.fixture
async def admin_secret(database: Database) -> str:
    """The secret of the first key: user 1, key 1."""
    return await database.command(first_admin)


@remembered
def first_admin(work: Work) -> str:
    """Store user 1 with key 1; its secret."""
    _, secret = service.bootstrap(work, None)
    assert secret is not None
    return secret


@pytest.fixture
async def admin(authenticator: KeyAuthenticator, admin_secret: str) -> Actor:
    """The first admin, by its key."""
    actor = await authenticator.actor_of(admin_secret)
    assert actor is not None
    return actor


@pytest.fixture
def forbidden() -> Callable[[Actor, Forbidden], None]:
    """Whom `ask` tells of what was answered with FORBIDDEN."""
    return untold


@pytest.fixture
def ask(
    database: Database, settings: Settings, clock: ManualClock, forbidden: Callable[[Actor, Forbidden], None]
) -> Ask:
    """Runs an operation of the directory's own schema."""
    schema = build_schema((ERRORS, NODES, DIRECTORY))
    compiler = Compiler(build_catalogue(schema, (ERRORS, NODES, DIRECTORY)), database.dialect)
    operations = Operations(schema, compiler, database, settings, clock)

    async def ask(actor: Actor, query: str, **variables: object) -> dict[str, Any]:
        context = Context(database, actor, settings, clock, forbidden=forbidden)
        outcome = await operations.run(GraphQLRequest(query, variables=variables), context)
        answer: dict[str, Any] = orjson.loads(outcome.body)
        return answer

    return ask


async def told(database: Database) -> list[EventRecord]:
    """Every event so far, lane by lane."""
    return [each.event for each in await database.command(told_in)]


def actor_of(user: User, *permissions: str) -> Actor:
    """The user as a caller without a key, with these permissions or its own."""
    held = frozenset(permissions or user.permissions)
    return Actor(user_id=user.id, name=user.name, permissions=held, is_admin=user.is_admin)
