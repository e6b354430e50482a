"""Shared by the directory's commands: find, save, record events."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import datetime
from enum import Enum
from typing import Any, Protocol, TypedDict, TypeVar

from app.core.actor import Actor
from app.core.clock import rfc3339
from app.core.errors import NotFound
from app.core.events import Event
from app.core.ids import GlobalId, require_id
from app.directory.model import Customer, Profile, Team, User
from app.directory.repository import CustomerRepository, ProfileRepository, UserRepository
from app.directory.repository.rows import Rows
from app.storage.idempotency import once
from app.storage.work import Work

E = TypeVar("E", Customer, Profile, Team, User)

Ref = GlobalId | str
"""A global id, parsed or not."""

_DERIVED = frozenset({"id", "version", "created_at", "updated_at", "team_ids", "granted_at", "sessions_ended_at"})
_GRANTS = frozenset({"roles", "permissions"})


class Change(TypedDict):
    """One field that changed, by its name in the graph. Both values are null when an event must not keep them."""

    field: str
    before: str | None
    after: str | None


class Has(Protocol):
    @property
    def id(self) -> int: ...


H = TypeVar("H", bound=Has)


def customers_of(work: Work) -> CustomerRepository:
    """The unit's repository of customers. Telephone numbers without a country belong to the region in the settings."""
    customers = work.use(CustomerRepository)
    customers.region = work.settings.phone_region
    return customers


def profiles_of(work: Work) -> ProfileRepository:
    """The unit's repository of profiles, with telephone numbers as for customers."""
    profiles = work.use(ProfileRepository)
    profiles.region = work.settings.phone_region
    return profiles


def found(row: H | None, ref: Ref, path: str = "id") -> H:
    """The row itself. Raises NotFound when it is None."""
    if row is None:
        raise NotFound(f"There is nothing with the id {ref}.", path=(path,))
    return row


def number(ref: Ref, prefix: str, path: str = "id") -> int:
    """The surrogate of a global id with this prefix. Raises InvalidInput or NotFound."""
    return require_id(str(ref), prefix, path=(path,)).number


def created(
    work: Work,
    actor: Actor,
    key: str | None,
    request: Mapping[str, object],
    get: Callable[[int], H | None],
    make: Callable[[], H],
) -> H:
    """What `make` creates, or what it created the first time this idempotency key was used.

    Raises KeyReused, and NotFound when what it created has been deleted."""
    new: list[H] = []

    def run() -> int:
        new.append(make())
        return new[0].id

    first = once(work, actor, key, request, run)
    return new[0] if new else found(get(first), str(first), path="idempotency_key")


def edit(work: Work, actor: Actor, rows: Rows[E], before: E, values: Mapping[str, object], happened: Event) -> E:
    """Save the values that differ, and record `happened`. When nothing differs, nothing is recorded."""
    after: E = replace(before, **dict[str, Any](values))
    if after == before:
        return before
    after = replace(after, version=before.version + 1, updated_at=work.now)
    rows.save(before, after)
    tell(work, actor, happened, after, {"changes": list(changed_fields(before, after))})
    return after


def tell(
    work: Work,
    actor: Actor,
    happened: Event,
    row: Customer | Profile | Team | User,
    more: Mapping[str, object] | None = None,
) -> None:
    """Record an event about the row."""
    work.record(
        happened.record(
            customer_id=row.id if isinstance(row, Customer) else None,
            assignee_id=row.id if isinstance(row, User) else None,
            actor_id=actor.user_id or None,
            version=row.version,
            more=more,
        )
    )


def granted_at_once(user: User) -> Mapping[str, object]:
    """What an event tells of the roles and permissions that a user has from its creation."""
    return {"changes": list(changed_fields(replace(user, roles=(), permissions=()), user))}


def lock_interactions(work: Work, user_ids: Iterable[int]) -> None:
    """Lock the interactions that `follow` may change for these users.

    Call it before the users are locked: every command locks interactions before users."""
    for user_id in sorted(set(user_ids)):
        for kind in work.kinds.values():
            kind.lock_of_user(work, user_id)


def locked_users(work: Work, user_ids: Iterable[int]) -> Mapping[int, User]:
    """The users by their surrogates, locked in that order, after the interactions that `follow` may change."""
    wanted, users = sorted(set(user_ids)), work.use(UserRepository)
    lock_interactions(work, wanted)
    found = (users.get(user_id, for_update=True) for user_id in wanted)
    return {user.id: user for user in found if user is not None}


def follow(work: Work, actor: Actor, before: User, after: User) -> None:
    """Let each kind make the resulting changes of its interactions in this unit."""
    for kind in work.kinds.values():
        kind.on_user_changed(work, actor, before, after)


def changed_fields(
    before: Customer | Profile | Team | User, after: Customer | Profile | Team | User
) -> Iterator[Change]:
    """The fields that differ, apart from derived ones."""
    for field in fields(after):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new and field.name not in _DERIVED:
            yield Change(field=_graph_name(field.name), before=_scalar(field.name, old), after=_scalar(field.name, new))


def _scalar(name: str, value: object) -> str | None:
    """The value in the form that an event may keep: never free text, and never contact details."""
    match value:
        case Enum():
            return value.name
        case bool():
            return "true" if value else "false"
        case int() if name == "profile_id":
            return f"prf_{value}"
        case tuple() if name in _GRANTS:
            return " ".join(value)
        case datetime():
            return rfc3339(value)
        case _:
            return None


def _graph_name(name: str) -> str:
    head, *rest = name.removesuffix("_id").split("_") if name == "profile_id" else name.split("_")
    return head + "".join(part.capitalize() for part in rest)
