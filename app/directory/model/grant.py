"""A Grant: a permission that somebody has, and where it comes from."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.core.clock import rfc3339
from app.core.issuers import Issuer
from app.core.sight import common
from app.directory.model.identity import Identity
from app.directory.model.user import ADMIN, User

Since = tuple[tuple[str, str], ...]
"""The times, as text, since when a user has its own permissions and the role of admins."""

_ROLE = f"role {ADMIN}"
"""The role's name among permissions. It has a space, which no permission has."""


class GrantSource(StrEnum):
    """Where a permission comes from."""

    USER = "USER"
    ROLE = "ROLE"
    GROUP = "GROUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One permission, or all of them (None), from one source.

    `narrowed_from` is the source's permission when a key has only a part of it. `group` and `identity_id` name the
    group and the identity it belongs to. `since` is None when it was granted before times were recorded. `ends_at` is
    the end of the latest token with the group; the next token grants it again."""

    permission: str | None
    source: GrantSource
    narrowed_from: str | None = None
    group: str | None = None
    identity_id: int | None = None
    since: datetime | None = None
    ends_at: datetime | None = None


def since_when(before: User | None, roles: Collection[str], permissions: Collection[str], now: datetime) -> Since:
    """Since when each of these is held. A permission that the user already had keeps its time, or its lack of one."""
    held = _names(roles, permissions)
    if before is None:
        return tuple((name, rfc3339(now)) for name in sorted(held))
    new = held - _names(before.roles, before.permissions)
    kept = [(name, at) for name, at in before.granted_at if name in held]
    return tuple(sorted([*kept, *((name, rfc3339(now)) for name in new)]))


def grants_of(
    roles: Collection[str],
    permissions: Collection[str],
    since: Mapping[str, str],
    identities: Iterable[Identity],
    issuers: Sequence[Issuer],
) -> list[Grant]:
    """What a user may do with its own credentials, and as the people that sign in as it: its own grants first, then
    those of groups."""
    found = list(_own(roles, permissions, since))
    for identity in identities:
        found += _of_groups(identity, issuers)
    return found


def narrowed(grants: Iterable[Grant], named: Collection[str] | None) -> list[Grant]:
    """The part of the grants that a key with these permissions has. A key without a list of permissions has all of
    them."""
    if named is None:
        return list(grants)
    return [part for grant in grants for part in _parts(grant, named)]


def _names(roles: Collection[str], permissions: Collection[str]) -> set[str]:
    return {*permissions, *((_ROLE,) if ADMIN in roles else ())}


def _own(roles: Collection[str], permissions: Collection[str], since: Mapping[str, str]) -> Iterator[Grant]:
    if ADMIN in roles:
        yield Grant(permission=None, source=GrantSource.ROLE, since=_moment(since.get(_ROLE)))
    for each in sorted(permissions):
        yield Grant(permission=each, source=GrantSource.USER, since=_moment(since.get(each)))


def _of_groups(identity: Identity, issuers: Sequence[Issuer]) -> Iterator[Grant]:
    mapped = next((each.groups for each in issuers if each.issuer == identity.issuer), {})
    for group, since in identity.groups:
        if group not in mapped:
            continue
        gives = mapped[group]
        for each in (*((None,) if gives.admin else ()), *sorted(set(gives.permissions))):
            yield Grant(
                permission=each,
                source=GrantSource.GROUP,
                group=group,
                identity_id=identity.id,
                since=_moment(since),
                ends_at=identity.token_ends_at,
            )


def _parts(grant: Grant, named: Collection[str]) -> Iterator[Grant]:
    if grant.permission is None:
        for each in sorted(named):
            yield replace(grant, permission=each)
        return
    for each in sorted(common(frozenset({grant.permission}), named)):
        is_whole = each == grant.permission
        yield replace(grant, permission=each, narrowed_from=None if is_whole else grant.permission)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
