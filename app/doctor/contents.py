"""Checks the content of a database: keys, secrets, times, waiting work."""

from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from datetime import datetime, timedelta

from app.connections.service import Stands, standings
from app.core.clock import Clock
from app.core.errors import DomainError
from app.core.fairness import SERVER
from app.core.ids import TimeOrderedIds
from app.core.sealing import Sealer, Unreadable
from app.destinations.channels import CHANNELS
from app.destinations.model import Destination, DestinationState
from app.destinations.service import all_destinations
from app.directory.service import settle_pepper
from app.doctor.findings import Finding, fault, ok, warning
from app.interactions.repository.deadlines import NEXT_DUE
from app.outbound import OutboundClient, OutboundFault
from app.settings import Settings
from app.storage.database import Query, Row, open_database
from app.storage.engines import ConfigurationError
from app.storage.event_log import ERAS, NEWEST, forgotten, standing
from app.storage.tables import moment_of
from app.storage.work import Work

CLOCK_BEHIND = timedelta(seconds=10)
"""How far in the future the newest event may be, because processes' clocks differ."""

OVERDUE = timedelta(minutes=1)
LATE = 1.25
"""How many eras' time the newest partition of the event log may be written."""

MOST_LOOKED_UP = 20
"""How many destinations have their addresses looked up."""

_LOOK_UP_SECONDS = 3.0


async def contents(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    """The findings of reading as the server does, and of a unit of work that is rolled back."""
    try:
        database = await open_database(settings.database_url, clock=clock, ids=TimeOrderedIds(), settings=settings)
    except (ConfigurationError, OSError, TimeoutError) as error:
        yield fault("database", f"It cannot be opened: {error}.", "Start it, then look again.")
        return
    try:
        newest, due = await database.plan(_times, snapshot=False, caller=SERVER)
        for found in _of_times(newest, due, clock()):
            yield found
        try:
            await database.command(_look)
        except _Seen as seen:
            for found in (*seen.findings, *[each async for each in _addresses(seen.destinations, settings)]):
                yield found
    except DomainError as error:
        yield fault("database", error.message, "Another program may hold a lock, or the database may be overloaded.")
    finally:
        await database.close()


def _times() -> Generator[Query, Sequence[Row], tuple[datetime | None, datetime | None]]:
    """When the newest event was written, and when the first deadline is due."""
    newest = yield NEWEST
    due = yield NEXT_DUE
    return _moment(newest), _moment(due)


def _moment(rows: Sequence[Row]) -> datetime | None:
    return moment_of(rows[0][0]) if rows and rows[0][0] is not None else None


def _of_times(newest: datetime | None, due: datetime | None, now: datetime) -> Iterator[Finding]:
    if newest is not None and newest - now > CLOCK_BEHIND:
        yield fault(
            "clock",
            f"The newest event is of {newest:%Y-%m-%d %H:%M:%S}, which by this machine's clock is yet to come.",
            "Set the clock by NTP before a server starts: deadlines would be late, and the order of messages wrong.",
        )
    else:
        yield ok("clock", f"It is {now:%Y-%m-%d %H:%M:%S} UTC, after every event of the log.")
    if due is not None and now - due > OVERDUE:
        yield warning(
            "deadlines",
            f"What was due at {due:%Y-%m-%d %H:%M:%S} has not been done.",
            "Start a server: it does what is late first. If one runs, its log says why it cannot.",
        )
    else:
        yield ok("deadlines", "Nothing is late.")


class _Seen(Exception):
    """Carries results out of a unit, so that everything the unit did is rolled back."""

    def __init__(self, findings: Sequence[Finding], destinations: Sequence[Destination]) -> None:
        super().__init__()
        self.findings = findings
        self.destinations = destinations


def _look(work: Work) -> None:
    connections, destinations = standings(work), all_destinations(work)
    raise _Seen(
        [
            *_pepper(work),
            *_sealed(work, connections, destinations),
            *_waiting(work, connections, destinations),
            *_partitions(work),
        ],
        destinations,
    )


def _pepper(work: Work) -> Iterator[Finding]:
    try:
        settle_pepper(work)
    except ConfigurationError as error:
        first, _, rest = str(error).partition("\n")
        yield fault("secrets", first, rest.replace("\n", " ") or "docs/keys.md tells how a pepper is changed.")
        return
    if work.settings.key_pepper is None:
        yield warning(
            "secrets",
            "The pepper of API keys is kept in the database, beside the digests that it protects.",
            "Set SWITCHBOARD_KEY_PEPPER to the output of `openssl rand -hex 32`; keys stay valid (docs/keys.md).",
        )
    else:
        yield ok("secrets", "The pepper is the one that keys are digested with.")


def _sealed(work: Work, connections: Sequence[Stands], destinations: Sequence[Destination]) -> Iterator[Finding]:
    held: list[tuple[str, Sequence[str | None]]] = [
        (f"the connection {each.system.name}", [each.system.secret]) for each in connections
    ]
    held += [(f"the destination {each.name}", each.secrets_at(work.now)) for each in destinations]
    closed = [name for name, secrets in held if not all(_opens(work.settings.sealer, secret) for secret in secrets)]
    if closed:
        what = (
            "SWITCHBOARD_SECRETS_KEY is not set"
            if not work.settings.secrets_key
            else "No key of SWITCHBOARD_SECRETS_KEY fits"
        )
        yield fault(
            "secrets",
            f"{what}, so the secrets of {len(closed)} cannot be read: {', '.join(closed[:5])}.",
            "Add the key that they were sealed with; if it is lost, give each a new secret (docs/keys.md).",
        )
    elif held:
        yield ok("secrets", f"The secrets of {len(held)} connections and destinations can be read.")


def _opens(sealer: Sealer, secret: str | None) -> bool:
    try:
        return secret is None or bool(sealer.unseal(secret))
    except Unreadable:
        return False


def _waiting(work: Work, connections: Sequence[Stands], destinations: Sequence[Destination]) -> Iterator[Finding]:
    for each in connections:
        if (error := each.standing.error(work.now)) is not None:
            yield warning(
                "connections",
                f"{each.system.name} is {each.standing.state(work.now).value}: {error.value}.",
                "`connections errors` lists what could not be delivered; docs/connections.md says what to do.",
            )
    for destination in destinations:
        if destination.state is DestinationState.STOPPED:
            yield warning(
                "destinations",
                f"{destination.name} is stopped: {destination.message or destination.reason}",
                "Put its cause right, then `resumeDestination` (docs/alerts.md).",
            )
        elif destination.failing_since is not None:
            yield warning(
                "destinations",
                f"{destination.name} has failed since {destination.failing_since:%Y-%m-%d %H:%M}.",
                "Its `deliveries` say what its receiver answered (docs/alerts.md).",
            )


def _partitions(work: Work) -> Iterator[Finding]:
    """Whether PostgreSQL's event log has the partitions that it needs, and no others."""
    if work.dialect_name == "sqlite":
        return
    found = standing(work.connection)
    since = f"{found.began_at:%Y-%m-%d %H:%M}"
    if work.now - found.began_at > LATE * work.settings.event_retention / ERAS:
        lacks = "" if found.has_next else " The next one is missing."
        yield warning(
            "partitions",
            f"The newest partition of the event log has been written since {since}, longer than it should.{lacks}",
            "Start a server: within two minutes it begins the next one. If one runs, its log says why it cannot; its "
            "user has to own event_log.",
        )
    elif (oldest := forgotten(work.connection)) is not None:
        yield warning(
            "partitions",
            f"The partition event_log_{oldest} holds only what retention has passed.",
            "A server drops it within a minute. If it stays, end the transaction that holds it (pg_stat_activity).",
        )
    else:
        yield ok("partitions", f"Partitions of the event log in use: {found.kept}, the newest since {since}.")


async def _addresses(destinations: Sequence[Destination], settings: Settings) -> AsyncIterator[Finding]:
    """Whether the addresses of destinations may be reached. Nothing is sent to them."""
    active = [each for each in destinations if each.state is DestinationState.ACTIVE][:MOST_LOOKED_UP]
    client = OutboundClient(settings.outbound_networks)
    try:
        for each in active:
            channel = CHANNELS[each.type]
            lacking = channel.lacks(settings)
            if lacking is not None:
                yield fault(
                    "connectivity", f"The destination {each.name} cannot be told: {lacking}", "Set what is missing."
                )
            if lacking is not None or channel.by_mail:
                continue
            try:
                await client.check(each.address, seconds=_LOOK_UP_SECONDS)
            except OutboundFault as refused:
                yield fault(
                    "connectivity",
                    f"The destination {each.name} cannot be reached: {refused.message}",
                    "Correct its address, the name service of this machine, or SWITCHBOARD_OUTBOUND_NETWORKS.",
                )
    finally:
        await client.aclose()
