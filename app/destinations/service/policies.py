"""Commands on policies: create, change, delete."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from app.core.actor import Actor
from app.core.errors import Forbidden, InvalidInput, NotFound, TooMany, require_version
from app.destinations.events import PolicyCreated, PolicyDeleted, PolicyHappened, PolicyUpdated
from app.destinations.model import MANAGE, POLICY_CHANGEABLE, POLICY_PREFIX, PREFIX, Policy, PolicyChanges
from app.destinations.repository import DestinationRepository, PolicyRepository
from app.destinations.repository.policies import Reading
from app.directory.model.checks import Path, checked
from app.directory.repository import TeamRepository
from app.directory.service.editing import Ref, created, number
from app.storage.work import Work

MOST_POLICIES = 100
"""The largest number of policies: each change of an interaction is compared with every policy."""


class OfPolicy(Protocol):
    """An event whose only field is the policy."""

    def __call__(self, *, policy_id: int) -> PolicyHappened: ...


def create_policy(work: Work, actor: Actor, given: PolicyChanges, *, idempotency_key: str | None = None) -> Policy:
    """Create a policy, which also applies to interactions that wait already.

    Raises Forbidden unless the actor may change every destination of it, InvalidInput, TooLong, AlreadyExists,
    KeyReused, and TooMany beyond 100 policies."""
    actor.require(MANAGE)
    policies = work.use(PolicyRepository)

    def make() -> Policy:
        before = policies.all()
        if len(before) >= MOST_POLICIES:
            raise TooMany(f"There are {MOST_POLICIES} policies already. Delete one that is not needed.")
        values = _checked(work, actor, given)
        stored = policies.add(Policy(**values, created_at=work.now, updated_at=work.now))
        _require_sound(stored)
        if before:
            _sweep(work)
        else:
            # Earlier events concern no policy.
            policies.note_reading(Reading(_head(work), 0))
        _tell(work, actor, stored, PolicyCreated)
        return stored

    return created(work, actor, idempotency_key, {"create": "policy", **given}, policies.get, make)


def update_policy(
    work: Work, actor: Actor, ref: Ref, changes: PolicyChanges, *, if_version: int | None = None
) -> Policy:
    """Change a policy. Its alerts continue under the changed policy.

    Raises Forbidden unless the actor may change every destination that the policy had or will have, NotFound,
    VersionConflict, InvalidInput, TooLong, AlreadyExists."""
    before = _owned(work, actor, ref)
    require_version(before.version, if_version)
    after = replace(before, **_checked(work, actor, changes))
    if after == before:
        return before
    _require_sound(after)
    after = replace(after, version=before.version + 1, updated_at=work.now)
    work.use(PolicyRepository).save(before, after)
    _sweep(work)
    _tell(work, actor, after, PolicyUpdated)
    return after


def delete_policy(work: Work, actor: Actor, ref: Ref) -> Policy:
    """Delete a policy and return it. Its destinations are told that its alerts are over. Raises Forbidden, NotFound."""
    before = _owned(work, actor, ref)
    policies = work.use(PolicyRepository)
    policies.remove(before.id)
    policies.look_at_alerts(before.id, work.now)
    _tell(work, actor, before, PolicyDeleted)
    return before


def forget_destination(work: Work, destination_id: int) -> None:
    """Remove a deleted destination from all policies."""
    policies = work.use(PolicyRepository)
    for before in policies.all(for_update=True):
        if destination_id in before.destination_ids:
            left = tuple(each for each in before.destination_ids if each != destination_id)
            after = replace(before, destination_ids=left, version=before.version + 1, updated_at=work.now)
            policies.save(before, after)
            _tell(work, None, after, PolicyUpdated)


def is_told_by_policies(work: Work, destination_id: int) -> bool:
    """Whether a policy names the destination."""
    return any(destination_id in each.destination_ids for each in work.use(PolicyRepository).all())


def _owned(work: Work, actor: Actor, ref: Ref) -> Policy:
    actor.require(MANAGE)
    found = work.use(PolicyRepository).get(number(ref, POLICY_PREFIX), for_update=True)
    if found is None:
        raise NotFound(f"There is nothing with the id {ref}.", path=("id",))
    destinations = work.use(DestinationRepository)
    for each in found.destination_ids:
        destination = destinations.get(each)
        if destination is not None and not destination.may_be_changed_by(actor):
            raise Forbidden(f"This needs the permission to change the policy's destination dst_{each}.", path=("id",))
    return found


def _checked(work: Work, actor: Actor, given: PolicyChanges) -> dict[str, Any]:
    values = checked(given, POLICY_CHANGEABLE)
    if values.get("team_ids") is not None:
        values["team_ids"] = tuple(_team(work, ref, at) for at, ref in enumerate(values["team_ids"]))
    if "destination_ids" in values:
        refs = values["destination_ids"]
        values["destination_ids"] = tuple(_destination(work, actor, ref, at) for at, ref in enumerate(refs))
    return values


def _team(work: Work, ref: str, at: int) -> int:
    """The surrogate of a team. Raises InvalidInput, NotFound."""
    path = ("team_ids", at)
    with _at(path):
        found = work.use(TeamRepository).get(number(ref, "tea"))
    if found is None:
        raise NotFound(f"There is nothing with the id {ref}.", path=path)
    return found.id


def _destination(work: Work, actor: Actor, ref: str, at: int) -> int:
    """The surrogate of a destination that the actor may use in a policy. Raises InvalidInput, NotFound, Forbidden."""
    path = ("destination_ids", at)
    with _at(path):
        found = work.use(DestinationRepository).get(number(ref, PREFIX))
    if found is None:
        raise NotFound(f"There is nothing with the id {ref}.", path=path)
    if not found.may_be_changed_by(actor):
        raise Forbidden("This needs the permission to change the destination.", path=path)
    if found.document is not None:
        raise InvalidInput("This destination has a document, so a policy cannot use it.", path=path)
    return found.id


@contextmanager
def _at(path: Path) -> Iterator[None]:
    """Give errors about an id the path of its field."""
    try:
        yield
    except (InvalidInput, NotFound) as error:
        error.path = path
        raise


def _require_sound(found: Policy) -> None:
    if not found.destination_ids:
        raise InvalidInput("A policy needs a destination.", path=("destination_ids",))
    if (found.quiet_from is None) != (found.quiet_to is None):
        raise InvalidInput("Give both quietFrom and quietTo, or neither.", path=("quiet_to",))
    if found.quiet_from is not None and found.quiet_from == found.quiet_to:
        raise InvalidInput("Quiet hours must not end at the time at which they begin.", path=("quiet_to",))


def _sweep(work: Work) -> None:
    work.use(PolicyRepository).begin_sweep(_head(work))


def _head(work: Work) -> str:
    return str(work.use(DestinationRepository).head())


def _tell(work: Work, actor: Actor | None, found: Policy, happened: OfPolicy) -> None:
    told = happened(policy_id=found.id)
    work.record(told.record(actor_id=None if actor is None else actor.user_id or None, version=found.version))
