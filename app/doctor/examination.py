"""The order in which a deployment is examined."""

from collections.abc import AsyncIterator

from app.core.clock import Clock
from app.doctor.contents import contents
from app.doctor.findings import Finding, State, fault
from app.doctor.machine import machine
from app.doctor.postgresql import postgresql
from app.doctor.reaching import reaching
from app.doctor.replicas import replicas
from app.doctor.shared_store import shared_store
from app.doctor.sqlite import sqlite
from app.doctor.structure import TOPIC
from app.settings import Settings
from app.storage.engines import ConfigurationError, parse_database_url


async def examine(settings: Settings, clock: Clock, *, workers: int = 1) -> AsyncIterator[Finding]:
    """Every finding, as soon as it is made. Nothing is changed: no file is created, no migration runs, no row is
    written; in the shared store a count is, which expires.

    `workers` is the number of processes that share the database, at least that of the settings. Checks that depend on
    something faulty are left out."""
    for found in machine(settings):
        yield found
    try:
        url = parse_database_url(settings.database_url)
    except ConfigurationError as error:
        yield fault("database", str(error), "Correct SWITCHBOARD_DATABASE_URL; docs/settings.md shows its forms.")
    else:
        is_current = False
        async for found in (
            sqlite(url) if settings.on_sqlite else postgresql(url, settings, clock, max(workers, settings.workers))
        ):
            is_current |= found.topic == TOPIC and found.state is State.OK
            yield found
        async for found in replicas(url, settings, max(workers, settings.workers)):
            yield found
        if is_current:
            async for found in contents(settings, clock):
                yield found
    async for found in shared_store(settings):
        yield found
    async for found in reaching(settings):
        yield found
