"""Checks the replicas that may answer reads."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import Any

import asyncpg
import sqlalchemy as sa

from app.doctor.findings import Finding, fault, ok, warning
from app.doctor.postgresql import refusal
from app.settings import Settings
from app.storage.engines import ConfigurationError, asyncpg_arguments, parse_database_url
from app.storage.replicas.replica import PRIMARY_IDENTITY, PRIMARY_POSITION, REPLICA_IDENTITY, REPLICA_POSITION

TOPIC = "replicas"

PATIENCE = 5.0
"""Seconds that a replica has to reach the primary's position, far more than servers wait."""

_PAUSE = 0.05
_VARIABLE = "SWITCHBOARD_READ_URL"

_STATE = """
SELECT current_setting('hot_standby_feedback') = 'on' AS feeds_back,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections,
  coalesce(bool_and(has_table_privilege(relname::text, 'SELECT')), false) AS may_read
FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
"""


async def replicas(
    primary: sa.URL, settings: Settings, workers: int, patience: float = PATIENCE
) -> AsyncIterator[Finding]:
    """The findings about each replica; none when the primary cannot be asked, which is reported elsewhere."""
    if not settings.read_url:
        return
    source: Any = None
    try:
        source = await _connected(primary, settings)
        for number, text in enumerate(settings.read_url, 1):
            async for found in _replica(source, number, text, settings, workers, patience):
                yield found
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return
    finally:
        if source is not None:
            source.terminate()


async def _replica(
    source: Any, number: int, text: str, settings: Settings, workers: int, patience: float
) -> AsyncIterator[Finding]:
    where = f"replica {number}"
    connection: Any = None
    try:
        connection = await _connected(parse_database_url(text), settings)
        in_recovery, _ = await connection.fetchrow(REPLICA_POSITION.sql)
        if not in_recovery:
            yield fault(
                TOPIC,
                f"{where.capitalize()} is none: the server takes changes of its own.",
                f"Take it out of {_VARIABLE}, or make it a streaming replica of the primary again.",
            )
            return
        identity = await source.fetchrow(PRIMARY_IDENTITY.sql)
        if tuple(await connection.fetchrow(REPLICA_IDENTITY.sql)) != tuple(identity):
            yield fault(
                TOPIC,
                f"{where.capitalize()} follows another server, another database or another timeline.",
                f"Correct {_VARIABLE}; after a failover a replica is used once its first restartpoint is made.",
            )
            return
        position = await source.fetchval(PRIMARY_POSITION.sql)
        state: Mapping[str, Any] = await connection.fetchrow(_STATE)
        for found in judged(where, await _took(connection, position, patience), state, settings, workers):
            yield found
    except ConfigurationError as error:
        yield fault(TOPIC, f"{where.capitalize()}: {error}", f"Correct {_VARIABLE}; docs/settings.md shows its form.")
    except Exception as error:
        refused = refusal(error, where)
        if refused is None:
            raise
        yield fault(TOPIC, refused.text, f"Start it, or correct {_VARIABLE}; the primary answers its reads meanwhile.")
    finally:
        if connection is not None:
            connection.terminate()


async def _connected(url: sa.URL, settings: Settings) -> Any:
    timeout = settings.database_silence.total_seconds()
    return await asyncpg.connect(**asyncpg_arguments(url), timeout=timeout, command_timeout=10)


async def _took(connection: Any, position: int, patience: float) -> float | None:
    """Seconds until the replica reached the primary's position; None when it does not in time."""
    time = asyncio.get_running_loop().time
    began = time()
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            while True:
                _, replayed = await connection.fetchrow(REPLICA_POSITION.sql)
                if replayed is not None and replayed >= position:
                    return time() - began
                await asyncio.sleep(_PAUSE)
    return None


def judged(
    where: str, took: float | None, state: Mapping[str, Any], settings: Settings, workers: int
) -> Iterator[Finding]:
    """The finding about a replica in this state that needed so many seconds to reach the primary's position."""
    if took is None:
        yield warning(
            TOPIC,
            f"{where.capitalize()} is more than {PATIENCE:.0f} s behind: the primary answers its reads.",
            "Look at pg_stat_replication on the primary, and for long reads on the replica.",
        )
    else:
        yield ok(TOPIC, f"{where.capitalize()} has what the primary had {took:.2f} s before.")
    if not state["may_read"]:
        yield fault(TOPIC, f"The user may not read every table of {where}.", "Use the primary's user, or GRANT SELECT.")
    if not state["feeds_back"]:
        yield warning(
            TOPIC,
            f"{where.capitalize()} ends reads whose rows the primary cleans up.",
            "Set hot_standby_feedback to on there; a read that was ended is done by the primary.",
        )
    wanted = workers * (settings.pool_size + 1)
    if wanted > state["connections"]:
        yield warning(
            TOPIC,
            f"{workers} process{'es open' if workers > 1 else ' opens'} at most {wanted} connections to {where}, which "
            f"has {state['connections']}.",
            "Lower SWITCHBOARD_POOL_SIZE, or raise max_connections there.",
        )
