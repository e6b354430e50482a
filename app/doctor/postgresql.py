"""Checks a PostgreSQL database without changing it."""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import asyncpg
import sqlalchemy as sa

from app.core.clock import Clock
from app.doctor.findings import Finding, fault, ok, warning
from app.doctor.structure import structure
from app.settings import Settings
from app.storage.engines import asyncpg_arguments

OLDEST = 15
"""The oldest version that PostgreSQL's makers maintained when this was written."""

LATEST_CLOCK, WORST_CLOCK = 1.0, 5.0
"""Seconds by which the clocks may differ: above the first there is a warning, above the second a fault. Leases last for
15."""

_VARIABLE = "SWITCHBOARD_DATABASE_URL"

_STATE = """
SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_name,
  current_setting('server_encoding') AS encoding, clock_timestamp() AS now,
  pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS read_only,
  has_schema_privilege(current_schema(), 'CREATE') AS may_create,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections,
  current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off' AS durable,
  to_regclass('alembic_version') IS NOT NULL AS migrated
"""
_INDEXES = """
SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = current_schema()::regnamespace
"""


async def postgresql(url: sa.URL, settings: Settings, clock: Clock, workers: int) -> AsyncIterator[Finding]:
    """The findings about the server, the connection to it, and its tables."""
    where = f"{url.host or 'the local socket'}, database {url.database}, as {url.username}"
    try:
        connection: Any = await asyncpg.connect(
            **asyncpg_arguments(url), timeout=settings.database_silence.total_seconds(), command_timeout=10
        )
    except Exception as error:
        found = refusal(error, where)
        if found is None:
            raise
        yield found
        return
    try:
        state: Mapping[str, Any] = await connection.fetchrow(_STATE)
        yield ok("database", f"PostgreSQL {state['version_name']} at {where}.")
        for each in server(state, clock().timestamp(), settings.pool_size, workers):
            yield each
        revision, indexes = None, []
        if state["migrated"]:
            revision = await connection.fetchval("SELECT version_num FROM alembic_version")
            indexes = await connection.fetch(_INDEXES)
    except (asyncpg.PostgresError, OSError, TimeoutError) as error:
        yield fault(
            "database",
            f"PostgreSQL at {where} refuses to be read: {error or 'it does not answer'}.",
            "Grant the user what it needs: it owns the database, or at least its tables.",
        )
        return
    finally:
        connection.terminate()
    valid = {row["relname"] for row in indexes}
    broken = {row["relname"] for row in indexes if not row["indisvalid"]}
    for each in structure(revision, valid, broken, url.get_dialect()()):
        yield each


def refusal(error: Exception, where: str) -> Finding | None:
    """Why there is no connection, and what to do. None for an unrelated error."""
    match error:
        case asyncpg.InvalidCatalogNameError():
            return fault("database", f"There is no such database at {where}.", "Make it: `createdb`, then start again.")
        case asyncpg.InvalidAuthorizationSpecificationError():  # the password's is one of these
            return fault(
                "database",
                f"PostgreSQL refuses the user or the password at {where}.",
                f"Correct both in {_VARIABLE}; in a password write %40 for @, %3A for :, %2F for /, %25 for %.",
            )
        case asyncpg.TooManyConnectionsError():
            return fault(
                "database",
                f"PostgreSQL at {where} has no connection left.",
                "Raise its max_connections, or lower SWITCHBOARD_POOL_SIZE; docs/operations.md has the arithmetic.",
            )
        case asyncpg.CannotConnectNowError():
            return fault("database", f"PostgreSQL at {where} is starting or stopping.", "Wait for it, and look again.")
        case ssl.SSLError():
            return fault(
                "database",
                f"The TLS connection to {where} fails: {error.reason or error}.",
                f"Set `sslmode` in {_VARIABLE} to what the server has, or install its certificate authority here.",
            )
        case TimeoutError():
            return fault(
                "database",
                f"PostgreSQL at {where} does not answer.",
                "Look for a firewall between here and there, and at the host and the port of the address.",
            )
        case OSError():
            return fault(
                "database",
                f"PostgreSQL at {where} cannot be reached: {error.strerror or error}.",
                f"Start it, or correct the host and the port in {_VARIABLE}.",
            )
        case asyncpg.PostgresError() | asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return fault("database", f"PostgreSQL at {where} refuses: {error}.", f"Correct {_VARIABLE} or the server.")
        case _:
            return None


def server(state: Mapping[str, Any], now: float, pool_size: int, workers: int) -> Iterator[Finding]:
    """The findings about a server in this state, at this time by our own clock."""
    if state["version"] < OLDEST * 10_000:
        yield fault("versions", f"PostgreSQL {state['version_name']} is too old.", f"Upgrade it to {OLDEST} or newer.")
    if state["encoding"] != "UTF8":
        yield fault(
            "database",
            f"The database is encoded in {state['encoding']}.",
            "Make one in UTF-8: `createdb --encoding=UTF8 --template=template0 <name>`.",
        )
    if state["read_only"]:
        yield fault(
            "database",
            "The database takes no changes: it is a replica, or set to read-only.",
            f"Name the primary in {_VARIABLE}.",
        )
    if not state["may_create"]:
        yield fault(
            "database",
            "The user may not make tables, which migrations do.",
            "GRANT CREATE ON SCHEMA public TO <user>; or make it the owner of the database.",
        )
    if not state["durable"]:
        yield warning(
            "database",
            "fsync or synchronous_commit is off: changes that were acknowledged are lost when the machine fails.",
            "Set both to on.",
        )
    yield _connections(state["connections"], pool_size, workers)
    yield clocks(now - state["now"].timestamp())


def _connections(there: int, pool_size: int, workers: int) -> Finding:
    wanted = workers * connections_of_process(pool_size)
    text = f"{workers} process{'es open' if workers > 1 else ' opens'} at most {wanted} of {there} connections."
    if wanted > there:
        return warning(
            "database",
            text,
            f"Set SWITCHBOARD_POOL_SIZE to {max(1, (there // workers - 2) // 2)}, or raise max_connections.",
        )
    return ok("database", text)


def connections_of_process(pool_size: int) -> int:
    """The most connections of one process: for commands, for reads, one that listens, and one that monitors them."""
    return 2 * pool_size + 2


def clocks(ahead: float) -> Finding:
    """Whether this machine's clock, so many seconds ahead of the database's, is reliable."""
    text = f"The clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} the database's."
    advice = "Have both machines keep time by NTP: leases, deadlines and the order of messages are reckoned by it."
    if abs(ahead) > WORST_CLOCK:
        return fault("clock", text, advice)
    return warning("clock", text, advice) if abs(ahead) > LATEST_CLOCK else ok("clock", text)
