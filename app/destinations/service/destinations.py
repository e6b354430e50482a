"""Commands on destinations: create, change, pause, resume, replay, delete."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.core.actor import Actor
from app.core.errors import Conflict, DomainError, Forbidden, InvalidInput, NotSupported, TooMany, require_version
from app.core.sealing import Unreadable
from app.core.webhook_secrets import new_webhook_secret
from app.destinations.channels import CHANNELS
from app.destinations.events import (
    DestinationCreated,
    DestinationDeleted,
    DestinationPaused,
    DestinationReplayed,
    DestinationResumed,
    DestinationSecretRotated,
    DestinationUpdated,
)
from app.destinations.model import (
    CHANGEABLE,
    MANAGE,
    Destination,
    DestinationChanges,
    DestinationReason,
    DestinationState,
    DestinationType,
    acting,
)
from app.destinations.repository import DeliveryRepository, DestinationRepository
from app.destinations.service.finding import managed, owned, tell
from app.destinations.service.policies import forget_destination, is_told_by_policies
from app.directory.model.checks import checked
from app.directory.repository import UserRepository
from app.directory.service.editing import Ref, created
from app.storage.event_log import check_cursor, parse_cursor
from app.storage.work import Work

MOST_DESTINATIONS = 1_000
"""The largest number of destinations."""

FORMER_FOR = timedelta(days=1)
"""How long a former secret signs beside the new one."""

_EARLIER = timedelta(minutes=1)
"""How much before the requested time a replay begins: times in the log go backwards by seconds."""


class Made(NamedTuple):
    """A destination with its new secret; None when a repeat under an idempotency key finds it created before."""

    destination: Destination
    secret: str | None


def creates_as(work: Work, actor: Actor) -> Actor:
    """The actor that the document of a new destination would run as. Raises Forbidden."""
    actor.require(MANAGE)
    owner = work.use(UserRepository).get(actor.user_id)
    assert owner is not None
    found = acting(owner, actor.permissions if actor.is_narrowed else None)
    if not found.can(MANAGE):
        # Permissions from the groups of an access token end with the token.
        raise Forbidden(f"A destination runs with its owner's own permissions, and {MANAGE} is not one of this user's.")
    return found


def create_destination(
    work: Work, actor: Actor, given: DestinationChanges, *, idempotency_key: str | None = None
) -> Made:
    """Create a destination of the actor, which gets events from now on. A narrowed key narrows its permissions.

    Returns it with its new secret, which cannot be read again. A repeat under the same idempotency key returns it
    without the secret. The address and the document have been checked before. Raises Forbidden, NoSecretsKey,
    InvalidInput, TooLong, KeyReused, and TooMany beyond 1,000 destinations."""
    creates_as(work, actor)
    destinations = work.use(DestinationRepository)
    made: list[str | None] = []

    def make() -> Destination:
        if destinations.count() >= MOST_DESTINATIONS:
            raise TooMany(f"There are {MOST_DESTINATIONS:,} destinations already. Delete one that is not needed.")
        values: dict[str, Any] = checked(given, CHANGEABLE)
        type_, secret = values.pop("type"), values.pop("secret", None)
        _require_sendable(type_, values.get("document"))
        lacking = CHANNELS[type_].lacks(work.settings)
        if lacking is not None:
            raise NotSupported(lacking, path=("type",))
        accepted = CHANNELS[type_].accept(values.pop("address"), secret)
        stored = destinations.add(
            Destination(
                **values,
                type=type_,
                address=accepted.address,
                owner_id=actor.user_id,
                permissions=tuple(sorted(actor.permissions)) if actor.is_narrowed else None,
                secret=_sealed(work, accepted.secret),
                cursor=str(destinations.head()),
                state_changed_at=work.now,
                created_at=work.now,
                updated_at=work.now,
            )
        )
        tell(work, actor, stored, DestinationCreated)
        made.append(accepted.given_out)
        return stored

    found = created(work, actor, idempotency_key, {"create": "destination", **given}, destinations.get, make)
    return Made(found, made[0] if made else None)


def update_destination(
    work: Work, actor: Actor, ref: Ref, changes: DestinationChanges, *, if_version: int | None = None
) -> Destination:
    """Change a destination. Pending deliveries use the changed values. The address and document have been checked
    before.

    Raises Forbidden, NotFound, VersionConflict, InvalidInput, TooLong."""
    before = owned(work, actor, ref)
    require_version(before.version, if_version)
    values: dict[str, Any] = checked(changes, CHANGEABLE)
    _require_sendable(before.type, values.get("document", before.document))
    if values.get("document") is not None and is_told_by_policies(work, before.id):
        raise Conflict("A policy uses this destination, so it cannot have a document.", path=("document",))
    if before.type is not DestinationType.WEBHOOK and values.keys() & {"address", "secret"}:
        values |= _readdressed(work, before, values)
    elif values.get("secret") is not None:
        raise InvalidInput("Change the secret of a webhook by rotateDestinationSecret.", path=("secret",))
    else:
        values.pop("secret", None)
    after = replace(before, **values)
    if after == before:
        return before
    after = _saved(work, before, after)
    tell(work, actor, after, DestinationUpdated)
    return after


def runs_as(work: Work, actor: Actor, ref: Ref) -> tuple[Destination, Actor]:
    """A destination that the actor may change, and the actor that its document runs as. Raises Forbidden, NotFound."""
    found = owned(work, actor, ref)
    owner = work.use(UserRepository).get(found.owner_id)
    assert owner is not None
    return found, acting(owner, found.permissions)


def pause_destination(work: Work, actor: Actor, ref: Ref) -> Destination:
    """Stop delivering until it is resumed; the cursor is kept. Raises Forbidden, NotFound."""
    before = managed(work, actor, ref)
    if before.state is not DestinationState.ACTIVE:
        return before
    after = replace(
        before,
        state=DestinationState.PAUSED,
        reason=DestinationReason.REQUESTED,
        message=None,
        state_changed_at=work.now,
    )
    after = _saved(work, before, after)
    tell(work, actor, after, DestinationPaused)
    return after


def resume_destination(work: Work, actor: Actor, ref: Ref) -> Destination:
    """Deliver again from the cursor. Failed deliveries get the full time for retries again.

    A destination for people whose next events are no longer in the log continues from now. Raises Forbidden,
    NotFound."""
    before = managed(work, actor, ref)
    if before.state is DestinationState.ACTIVE:
        return before
    work.use(DeliveryRepository).retry_at_once(before.id, work.now)
    active = _active(before, work.now)
    if before.reason is DestinationReason.EVENTS_LOST and before.type is not DestinationType.WEBHOOK:
        active = replace(active, cursor=str(work.use(DestinationRepository).head()))
    after = _saved(work, before, active)
    tell(work, actor, after, DestinationResumed)
    return after


def replay_destination(
    work: Work, actor: Actor, ref: Ref, *, cursor: str | None = None, time: datetime | None = None
) -> Destination:
    """Deliver again from a cursor or a time, even what was delivered before, and continue from there.

    A time starts up to a minute earlier. Events that are no longer in the log are not delivered. Raises Forbidden,
    NotFound, CursorExpired, InvalidCursor, NotSupported for a type other than WEBHOOK, and InvalidInput unless exactly
    one of the two is given."""
    before = owned(work, actor, ref)
    if before.type is not DestinationType.WEBHOOK:
        # People would be called about alerts that are long over, and could not tell them from new ones.
        raise NotSupported("Only the deliveries of a webhook can be replayed.", path=("id",))
    if (cursor is None) == (time is None):
        raise InvalidInput("Give either cursor or time.", path=("cursor",))
    destinations = work.use(DestinationRepository)
    if cursor is not None:
        try:
            found = parse_cursor(cursor)
            check_cursor(found, destinations.lanes())
        except DomainError as error:
            error.path = ("cursor",)
            raise
    else:
        assert time is not None
        found = destinations.cursor_at(time - _EARLIER)
    after = replace(_active(before, work.now), cursor=str(found), run=before.run + 1)
    after = _saved(work, before, after)
    work.use(DeliveryRepository).end_runs(before.id, after.run)
    tell(work, actor, after, DestinationReplayed)
    return after


def rotate_secret(work: Work, actor: Actor, ref: Ref) -> Made:
    """Give the destination a new secret. The former one signs too for one more day.

    Raises Forbidden, NotFound, NotSupported, NoSecretsKey."""
    before = owned(work, actor, ref)
    if before.type is not DestinationType.WEBHOOK:
        raise NotSupported("Only a webhook signs. Change this destination's secret by updateDestination.", path=("id",))
    secret = new_webhook_secret()
    after = replace(
        before,
        secret=work.settings.sealer.seal(secret),
        former_secret=before.secret,
        former_until=work.now + FORMER_FOR,
    )
    after = _saved(work, before, after)
    tell(work, actor, after, DestinationSecretRotated)
    return Made(after, secret)


def delete_destination(work: Work, actor: Actor, ref: Ref) -> Destination:
    """Delete a destination with its secrets and return it. Its deliveries stay until their retention ends.

    Raises Forbidden, NotFound."""
    before = managed(work, actor, ref)
    work.use(DeliveryRepository).end_runs(before.id, before.run + 1)
    work.use(DestinationRepository).remove(before.id)
    forget_destination(work, before.id)
    tell(work, actor, before, DestinationDeleted)
    return before


def _require_sendable(type_: DestinationType, document: str | None) -> None:
    """Raises InvalidInput for a document whose items the type cannot send."""
    if document is not None and not CHANNELS[type_].tells_documents:
        raise InvalidInput(
            "A destination of this type takes no document. Policies decide what is sent to it.", path=("document",)
        )


def _readdressed(work: Work, before: Destination, values: Mapping[str, Any]) -> Mapping[str, object]:
    """The new address and sealed secret, when one or both are changed. Raises InvalidInput."""
    channel, secret = CHANNELS[before.type], values.get("secret")
    if secret is None and channel.takes_secret and before.secret is not None:
        try:
            secret = work.settings.sealer.unseal(before.secret)
        except Unreadable as unreadable:
            raise Conflict(f"{unreadable} Give the secret again.", path=("secret",)) from None
    accepted = channel.accept(values.get("address", before.address), secret)
    return {"address": accepted.address, "secret": _sealed(work, accepted.secret)}


def _sealed(work: Work, secret: str | None) -> str | None:
    return None if secret is None else work.settings.sealer.seal(secret)


def _active(before: Destination, now: datetime) -> Destination:
    return replace(
        before,
        state=DestinationState.ACTIVE,
        reason=None,
        message=None,
        state_changed_at=before.state_changed_at if before.state is DestinationState.ACTIVE else now,
        failing_since=None,
    )


def _saved(work: Work, before: Destination, after: Destination) -> Destination:
    after = replace(after, version=before.version + 1, updated_at=work.now)
    work.use(DestinationRepository).save(before, after)
    return after
