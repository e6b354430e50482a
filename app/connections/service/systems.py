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
    checked_secret,
    new_token,
)
from app.connections.model.outbox import cannot_of
from app.connections.model.standing import reach_error, told
from app.connections.repository import ConnectedSystemRepository, InboxRepository, MirroredRepository
from app.connections.repository.outbox import OutboxRepository
from app.connections.service.finding import managed, tell
from app.connections.service.reaching import checked_address
from app.connections.service.sealing import opened, sealed
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
        complete = replace(stored, settings=_prepared(work, connector, stored, given.get("settings", {})))
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
    settings: object = None,
    allow_missing: int | None = None,
    if_version: int | None = None,
) -> ConnectedSystem:
    """Rename a connection, change its system's address, token or settings, or confirm that the next walk may delete so
    much.

    Raises Forbidden, NotFound, VersionConflict, InvalidInput, TooLong, AlreadyExists, NoSecretsKey."""
    before = managed(work, actor, ref)
    require_version(before.version, if_version)
    after = before if name is None else replace(before, name=_NAME(name, ("name",)))
    connector = connectors.get(before.system)
    remote = None if connector is None else connector.remote
    if remote is None and any(each is not None for each in (address, credential, settings, allow_missing)):
        raise InvalidInput(
            "The system of this connection sends its data by itself, so there is nothing to reach.", path=("address",)
        )
    if address is not None:
        after = replace(after, address=checked_address(address))
    if credential is not None and remote is not None:
        after = replace(after, credential=sealed(work, remote.checked(credential)), reach_fault=None)
    if settings is not None and connector is not None:
        # What the system cannot do is found out anew before its connection goes on.
        after = replace(after, settings=_prepared(work, connector, before, settings))
    if allow_missing is not None:
        after = replace(after, missing_allowed=_MISSING(allow_missing, ("allow_missing",)))
    if after == before:
        return before
    after = _saved(work, before, after)
    tell(work, actor, after, ConnectionUpdated)
    return after


def try_connection(work: Work, actor: Actor, connectors: Connectors, ref: Ref) -> Tried:
    """Check whether the connection could accept and apply deliveries now, and whether its system was reached the last
    time. Nothing is sent.

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
    if system.reach_fault is not None:
        problems.append(told(reach_error(system.reach_fault))[1])
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


def _prepared(work: Work, connector: Connector, system: ConnectedSystem, given: object) -> Mapping[str, object]:
    """The settings, complete. Raises InvalidInput, and the connector's refusals."""
    settings = json_object(given, ("settings",))
    try:
        return connector.prepared(work, system.id, system.name, settings)
    except DomainError as error:
        error.path = ("settings", *error.path)
        raise


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
