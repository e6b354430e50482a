"""What the tests of one process share instead of making it anew for each application: never rows, never connections."""

import os
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Hashable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from threading import Lock
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from alembic.config import Config
from alembic.script import ScriptDirectory
from cryptography.hazmat.primitives.serialization import load_pem_private_key as load_key
from graphql import GraphQLSchema
from httpx2 import create_ssl_context
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import LRUCache

from app.core.recent import Recent
from app.directory.model import pepper
from app.directory.repository.identities import IdentityLookup
from app.directory.repository.lookup import KeyLookup
from app.directory.repository.tickets import TicketLookup
from app.execution.documents import Document, Documents
from app.execution.guard import Guard
from app.execution.lowering import Lowering
from app.execution.operation import Operations
from app.execution.sizes import Sizes
from app.http.pages.site import _filled, edition_of
from app.rest.contract import Contract, with_contracts
from app.selection.catalogue import Catalogue
from app.settings import PREFIX, Settings
from app.storage import engines
from app.storage.engines import postgresql_engine, sqlite_engine
from app.storage.growth import open_together
from app.storage.liveness import Liveness

OPEN_TOGETHER = open_together
"""As servers open their first connections; databases of tests open one, because each is a process of PostgreSQL."""

PREPARE_SQLITE = engines._prepare
"""As servers prepare a connection; to databases of tests nothing happens that they would have to survive."""

FINGERPRINT_COST = pepper.COST
"""As servers make fingerprints; peppers of tests are not to be guessed by anybody."""

_MOST_STATEMENTS = 5_000
_MOST_PLANS = 2_000
_MOST_BYTES = 4_000_000
_MOST_FIELDS = 60_000

_dialects: dict[str, sa.Dialect] = {}
_catalogues: dict[object, tuple[Catalogue, object, object]] = {}
"""With what they were made of, so that nothing else gets its place in memory."""
_compiled: LRUCache[object, object] = LRUCache(_MOST_STATEMENTS)
_documents: "dict[object, _Documents]" = {}
_plans: defaultdict[Hashable, LRUCache[Any, Any]] = defaultdict(lambda: LRUCache(_MOST_PLANS))


def share_all(patch: pytest.MonkeyPatch) -> None:
    """Share all that follows."""
    share_compiled_statements(patch)
    share_what_every_start_makes(patch)
    share_what_clients_trust(patch)
    share_migrations(patch)
    pass_over_an_empty_environment(patch)
    connect_for_plans_alone(patch)
    leave_the_disk_alone(patch)
    make_cheap_fingerprints(patch)
    write_tracebacks_plainly(patch)
    know_that_there_is_no_trio(patch)


def share_compiled_statements(patch: pytest.MonkeyPatch) -> None:
    """Give the engines of all databases of a kind one dialect and one cache of compiled statements.

    A server has one engine that lives for long, whose cache every request uses. Here each test has an engine of its
    own, and would spend most of its time on compiling the same statements again."""
    patch.setattr("app.storage.engines.sqlite_engine", _open_sqlite)
    patch.setattr("app.storage.postgresql.postgresql_engine", _open_postgresql)


def share_what_every_start_makes(patch: pytest.MonkeyPatch) -> None:
    """Make once what an application makes at its start from its schema, its dialect or a text, and changes never.

    A server makes it once, in 20 milliseconds, and takes 50 to check a private key. Here every third test starts an
    application."""
    patch.setattr("app.asgi.with_contracts", _with_contracts)
    patch.setattr("app.console.pages.edition_of", lru_cache(edition_of))
    patch.setattr("app.http.pages.site._filled", lru_cache(_filled))
    patch.setattr("app.execution.measure.Sizes", lru_cache(Sizes))
    patch.setattr("app.execution.operation.Guard", lru_cache(Guard))
    patch.setattr("app.kinds.chat_session.upstream.superoffice.credentials.load_pem_private_key", lru_cache(load_key))
    patch.setattr("app.execution.preparing.Lowering", lru_cache(Lowering))
    patch.setattr("app.directory.authenticator.KeyLookup", lru_cache(KeyLookup))
    patch.setattr("app.directory.people.IdentityLookup", lru_cache(IdentityLookup))
    patch.setattr("app.directory.ticketing.TicketLookup", lru_cache(TicketLookup))


def share_what_clients_trust(patch: pytest.MonkeyPatch) -> None:
    """Read the machine's certificate authorities once: for each client that takes 40 ms, and most use plain http."""
    patch.setattr("httpx2._transports.default.create_ssl_context", lru_cache(create_ssl_context))


def share_migrations(patch: pytest.MonkeyPatch) -> None:
    """Read the folder of migrations once: each step of each database would import all of them anew, twice."""
    made = lru_cache(ScriptDirectory)

    def of(config: Config) -> ScriptDirectory:
        return made(str(config.get_main_option("script_location")))

    patch.setattr("app.storage.migrations.ScriptDirectory", made)
    patch.setattr(ScriptDirectory, "from_config", staticmethod(of))


def pass_over_an_empty_environment(patch: pytest.MonkeyPatch) -> None:
    """Look for settings in the environment only where it holds some.

    To look for each of them takes a millisecond, ten times as long as to check them, and most tests make two."""
    names = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    reading = Settings.__init__

    def start(settings: Settings, **given: Any) -> None:
        if names.isdisjoint(name.upper() for name in os.environ):
            BaseModel.__init__(settings, **given)
        else:
            reading(settings, **given)

    patch.setattr(Settings, "__init__", start)


def connect_for_plans_alone(patch: pytest.MonkeyPatch) -> None:
    """Open a connection for plans when there is a plan: many tests have none, and each is a process of PostgreSQL."""
    patch.setattr("app.storage.growth.open_together", _open_none)


def leave_the_disk_alone(patch: pytest.MonkeyPatch) -> None:
    """Commit to SQLite without waiting for the disk, which takes a hundred times as long as the rest of a commit."""

    def prepare(connection: sqlite3.Connection, read_only: bool, foreign_keys: bool) -> None:
        PREPARE_SQLITE(connection, read_only, foreign_keys)
        connection.execute("PRAGMA synchronous = OFF")

    patch.setattr(engines, "_prepare", prepare)


def make_cheap_fingerprints(patch: pytest.MonkeyPatch) -> None:
    """Make fingerprints of peppers in no time: their cost guards secrets, and the first of each database is new."""
    patch.setattr(pepper, "COST", 2)


def write_tracebacks_plainly(patch: pytest.MonkeyPatch) -> None:
    """Write tracebacks as servers do, also where no test has configured the logs: in colour each takes 10 ms."""
    for each in structlog.get_config()["processors"]:
        if isinstance(each, structlog.dev.ConsoleRenderer):
            patch.setattr(each, "exception_formatter", structlog.dev.plain_traceback)


def know_that_there_is_no_trio(patch: pytest.MonkeyPatch) -> None:
    """Spare clients of an application in the same process a look through all folders, for each request, for trio."""
    if find_spec("sniffio") is None:
        patch.setitem(sys.modules, "sniffio", None)


async def _open_none(_connect: object, _count: int) -> int:
    return 1


def _open_sqlite(connection: sqlite3.Connection) -> sa.Engine:
    engine = sqlite_engine(connection)
    _share(engine)
    return engine


def _open_postgresql(url: sa.URL, settings: Settings, liveness: Liveness) -> AsyncEngine:
    engine = postgresql_engine(url, settings, liveness)
    _share(engine.sync_engine)
    return engine


def _share(engine: sa.Engine) -> None:
    known = _dialects.get(engine.name)
    if known is None or known.server_version_info is None:  # its first connection tells a dialect what it speaks to
        known = _dialects[engine.name] = engine.dialect
    else:
        # The engine would ask its first connection again.
        engine.dialect.initialize = _nothing  # type: ignore[assignment]
    engine.dialect = known
    engine.update_execution_options(compiled_cache=_compiled)


def _with_contracts(catalogue: Catalogue, contracts: Sequence[Contract]) -> Catalogue:
    """Of contracts that are other objects, but with the same roots and types: tests look at what they answer."""
    name = (id(catalogue), *((id(contract.roots), id(contract.types)) for contract in contracts))
    if name not in _catalogues:
        _catalogues[name] = with_contracts(catalogue, contracts), catalogue, contracts
    return _catalogues[name][0]


def _nothing(_connection: sa.Connection) -> None:
    """What the dialect wants to know is known."""


def share_what_is_compiled(operations: Operations, dialect: sa.Dialect) -> None:
    """Give operations of the product's graph the documents that others have read, and the plans that they have made.

    Both hold for every database of this dialect. Tests that count what is compiled keep to their own."""
    schema, guard = operations.documents._schema, operations.guard
    name = id(schema), dialect, guard.limits
    if name not in _documents:
        _documents[name] = _Documents(schema, guard)
    operations.documents = _documents[name]
    operations.preparer.plans = shared_plans(dialect, "GraphQL")


def shared_plans(dialect: sa.Dialect, road: str) -> LRUCache[Any, Any]:
    """The plans of the product's graph for databases of this dialect, on one of the roads that read it."""
    return _plans[dialect, road]


class _Documents(Documents):
    """Documents of several applications, each of which reads them in a thread of its own."""

    def __init__(self, schema: GraphQLSchema, guard: Guard) -> None:
        super().__init__(schema, guard)
        self._recent = Recent(_MOST_BYTES)
        self.plans = Recent(_MOST_FIELDS)
        self._reading = Lock()

    def read(self, text: str, most_tokens: int | None = None) -> Document:
        with self._reading:
            return super().read(text, most_tokens)
