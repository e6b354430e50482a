"""Commands on connections: create, change, try, pause, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from app.connections.events import (
    ConnectionCreated,
    ConnectionDeleted,
    ConnectionPaused,
    ConnectionResumed,
    ConnectionSecretRotated,
    ConnectionUpdated,
)
from app.connections.model import (
    MANAGE,
    ConnectedSystem,
    Fault,
    NewConnection,
    Standing,
    checked_secret,
    new_token,
)
from app.connections.model.outbox import cannot_of
from app.connections.model.standing import MANY_TRIES
from app.connections.repository import ConnectedSystemRepository, InboxRepository, MirroredRepository
from app.connections.repository.outbox import OutboxRepository
from app.connections.service.finding import managed, tell
from app.connections.service.reaching import checked_address
from app.connections.service.sealing import opened, sealed
from app.connections.tables import PARKED, PENDING
from app.core.actor import Actor
from app.core.errors import DomainError, InvalidInput, TooMany, require_version
from app.core.webhook_secrets import new_webhook_secret
from app.directory.model.checks import json_object, line, whole
from app.directory.service.editing import Ref, created
from app.interactions.connector import Connector
from app.storage.work import Work

MOST_CONNECTIONS = 100
"""The largest number of connections."""

LONGEST_OVERLAP = timedelta(days=7)
"""The longest time that a former secret stays valid."""

_NAME = line(255, blank=False)
_MISSING = whole(1, 1_000_000)

Connectors = Mapping[str, Connector]
"""The connectors, by the names of their systems."""


class Made(NamedTuple):
    """A connection with its new secret. The secret is None when a repeat under an idempotency key finds it created
    before."""

    system: ConnectedSystem
    secret: str | None


class Tried(NamedTuple):
    """A connection, and why it could not accept deliveries now."""

    system: ConnectedSystem
    problems: Sequence[str]


class Stands(NamedTuple):
    """A connection, its state, and how many of its deliveries wait."""

    system: ConnectedSystem
    standing: Standing
    pending: int


def create_connection(
    work: Work, actor: Actor, connectors: Connectors, given: NewConnection, *, idempotency_key: str | None = None
) -> Made:
    """Create a connection. Returns it with its secret, which is never returned again.

    A repeat under the same idempotency key returns the connection without its secret. Raises Forbidden, NoSecretsKey,
    InvalidInput and TooLong, AlreadyExists for a name that is taken, TooMany beyond 100 connections, KeyReused, and the
    connector's refusals of its settings."""
    actor.require(MANAGE)
    secret = given.get("secret") or new_webhook_secret()
    systems = work.use(ConnectedSystemRepository)
    made: list[str] = []

    def make() -> ConnectedSystem:
        connector = connectors.get(given["system"])
        if connector is None:
            raise InvalidInput("There is no such system.", path=("system",))
        if systems.count() >= MOST_CONNECTIONS:
            raise TooMany(f"There are {MOST_CONNECTIONS} connections already. Delete one that is not needed.")
        name = _NAME(given["name"], ("name",))
        new = ConnectedSystem(
            system=given["system"],
            name=name,
            token=new_token(),
            secret=sealed(work, checked_secret(secret)),
            created_at=work.now,
            updated_at=work.now,
        )
        stored = systems.add(_reached_by(work, connector, given, new))
        settings = json_object(given.get("settings", {}), ("settings",))
        try:
            complete = replace(stored, settings=connector.prepared(work, stored.id, name, settings))
        except DomainError as error:
            error.path = ("settings", *error.path)
            raise
        systems.save(stored, complete)
        tell(work, actor, complete, ConnectionCreated)
        made.append(secret)
        return complete

    open_values = {name: value for name, value in given.items() if name not in ("secret", "credential")}
    request = {"create": "connection", **open_values}
    system = created(work, actor, idempotency_key, request, systems.get, make)
    return Made(system, made[0] if made else None)


def update_connection(
    work: Work,
    actor: Actor,
    connectors: Connectors,
    ref: Ref,
    name: str | None = None,
    *,
    address: str | None = None,
    credential: str | None = None,
    allow_missing: int | None = None,
    if_version: int | None = None,
) -> ConnectedSystem:
    """Rename a connection, change its system's address or token, or confirm that the next walk may delete so much.

    Raises Forbidden, NotFound, VersionConflict, InvalidInput, TooLong, AlreadyExists, NoSecretsKey."""
    before = managed(work, actor, ref)
    require_version(before.version, if_version)
    after = before if name is None else replace(before, name=_NAME(name, ("name",)))
    connector = connectors.get(before.system)
    remote = None if connector is None else connector.remote
    if remote is None and (address is not None or credential is not None or allow_missing is not None):
        raise InvalidInput(
            "The system of this connection sends its data by itself, so there is nothing to reach.", path=("address",)
        )
    if address is not None:
        after = replace(after, address=checked_address(address))
    if credential is not None and remote is not None:
        after = replace(after, credential=sealed(work, remote.checked(credential)), reach_fault=None)
    if allow_missing is not None:
        after = replace(after, missing_allowed=_MISSING(allow_missing, ("allow_missing",)))
    if after == before:
        return before
    after = _saved(work, before, after)
    tell(work, actor, after, ConnectionUpdated)
    return after


def try_connection(work: Work, actor: Actor, connectors: Connectors, ref: Ref) -> Tried:
    """Check whether the connection could accept and apply deliveries now. Nothing is sent.

    Raises Forbidden, NotFound."""
    system = managed(work, actor, ref)
    readable = bool(opened(work, system, work.now))
    fault = None if readable else Fault.SECRET_UNREADABLE.value
    if fault != system.fault:
        work.use(ConnectedSystemRepository).note_fault(system.id, fault)
        tell(work, actor, system, ConnectionUpdated)
    problems = [] if readable else ["The server cannot read the secrets: SWITCHBOARD_SECRETS_KEY is not what it was."]
    connector = connectors.get(system.system)
    if connector is None:
        problems.append(f"This version of Switchboard has no connector for {system.system}.")
    else:
        problems += connector.problems(work, system.settings)
    return Tried(system, problems)


def pause_connection(work: Work, actor: Actor, ref: Ref) -> ConnectedSystem:
    """Stop applying what the connection delivers. Deliveries are still accepted, and wait.

    Raises Forbidden, NotFound."""
    return _paused(work, actor, ref, paused=True)


def resume_connection(work: Work, actor: Actor, ref: Ref) -> ConnectedSystem:
    """Apply what the connection delivers, starting with what waits. Raises Forbidden, NotFound."""
    return _paused(work, actor, ref, paused=False)


def rotate_secret(
    work: Work, actor: Actor, ref: Ref, *, secret: str | None = None, former_for: timedelta = timedelta(days=1)
) -> Made:
    """Give the connection a new secret. The former one stays valid for `former_for`, at most seven days.

    Raises Forbidden, NotFound, NoSecretsKey, InvalidInput."""
    before = managed(work, actor, ref)
    if not timedelta(0) <= former_for <= LONGEST_OVERLAP:
        raise InvalidInput("A former secret stays valid for seven days at most.", path=("former_for_seconds",))
    new = new_webhook_secret() if secret is None else checked_secret(secret)
    stays = former_for > timedelta(0)
    after = replace(
        before,
        secret=sealed(work, new),
        former_secret=before.secret if stays else None,
        former_until=work.now + former_for if stays else None,
        fault=None,
    )
    after = _saved(work, before, after)
    tell(work, actor, after, ConnectionSecretRotated)
    return Made(after, new)


def delete_connection(work: Work, actor: Actor, ref: Ref) -> ConnectedSystem:
    """Delete the connection's secrets and everything that waits. Returns what it was. The interactions that came
    through it stay.

    Raises Forbidden, NotFound."""
    before = managed(work, actor, ref)
    gone = replace(
        before,
        secret=None,
        former_secret=None,
        former_until=None,
        credential=None,
        cannot=None,
        paused=True,
        fault=None,
        reach_fault=None,
        deleted_at=work.now,
    )
    work.use(InboxRepository).erase_open(before.id)
    work.use(MirroredRepository).drop_marks(before.id)
    work.use(OutboxRepository).drop_of(before.id)
    tell(work, actor, _saved(work, before, gone), ConnectionDeleted)
    return before


def standings(work: Work) -> list[Stands]:
    """All connections and their states, oldest first."""
    inbox = work.use(InboxRepository)
    return [
        Stands(
            each,
            Standing(
                each.paused,
                each.fault,
                each.last_delivery_at,
                each.last_refused_at,
                inbox.count_in(each.id, PARKED),
                inbox.first_due(each.id),
                each.address,
                each.reach_fault,
                each.polled_at,
                each.walked_at,
                each.missing,
                work.use(MirroredRepository).count_failing(each.id, MANY_TRIES),
            ),
            inbox.count_in(each.id, PENDING),
        )
        for each in work.use(ConnectedSystemRepository).all_kept()
    ]


def _reached_by(work: Work, connector: Connector, given: NewConnection, new: ConnectedSystem) -> ConnectedSystem:
    """The new connection with the address and the credential for its system.

    Raises InvalidInput when one is missing, and when its system is never reached."""
    address, credential = given.get("address"), given.get("credential")
    if connector.remote is None:
        for name, value in (("address", address), ("credential", credential)):
            if value is not None:
                raise InvalidInput(
                    "The system of this connection sends its data by itself, so there is nothing to reach.",
                    path=(name,),
                )
        return new
    token = connector.remote.checked(credential or "")
    return replace(
        new,
        address=checked_address(address or ""),
        credential=sealed(work, token),
        cannot=cannot_of(connector.remote.cannot_with(token), given.get("settings") or {}),
    )


def _paused(work: Work, actor: Actor, ref: Ref, *, paused: bool) -> ConnectedSystem:
    before = managed(work, actor, ref)
    if before.paused is paused:
        return before
    after = _saved(work, before, replace(before, paused=paused))
    tell(work, actor, after, ConnectionPaused if paused else ConnectionResumed)
    return after


def _saved(work: Work, before: ConnectedSystem, after: ConnectedSystem) -> ConnectedSystem:
    after = replace(after, version=before.version + 1, updated_at=work.now)
    work.use(ConnectedSystemRepository).save(before, after)
    return after
