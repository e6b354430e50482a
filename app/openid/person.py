"""The person that a verified token identifies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import Unauthenticated
from app.core.issuers import ClaimPath, Issuer
from app.core.text import is_storable

LONGEST_SUBJECT = 255
_LONGEST_NAME = 255
_MOST_GROUPS = 100
_LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The person of a token: `issuer` and `subject` identify it, the rest is as of this token.

    `email` is set only when the provider has verified it. `permissions`, `is_admin` and `teams` (surrogates) are
    granted by the token's groups. `groups` are at most 100 of its groups, first those that grant something. `ends` is
    when the token expires, `issued_at` when it was issued, if the token says so."""

    issuer: Issuer
    subject: str
    ends: datetime
    issued_at: datetime | None = None
    name: str | None = None
    login: str | None = None
    email: str | None = None
    permissions: frozenset[str] = frozenset()
    is_admin: bool = False
    teams: frozenset[int] = frozenset()
    groups: tuple[str, ...] = ()


def person_of(issuer: Issuer, claims: Mapping[str, Any], ends: datetime, issued_at: datetime | None = None) -> Person:
    """The person that verified claims describe. Raises Unauthenticated for a subject or groups of a wrong type."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not is_storable(subject):
        raise Unauthenticated(f"This token names nobody: sub has to be a text of 1 to {LONGEST_SUBJECT} characters.")
    groups = list(dict.fromkeys(_groups(issuer, claims)))
    granted = [issuer.groups[group] for group in groups if group in issuer.groups]
    is_verified = _at(claims, issuer.email_verified_claim) is True
    return Person(
        issuer=issuer,
        subject=subject,
        ends=ends,
        issued_at=issued_at,
        name=_line(_at(claims, issuer.name_claim), _LONGEST_NAME),
        login=_line(claims.get("preferred_username"), _LONGEST_NAME),
        email=_address(_at(claims, issuer.email_claim)) if is_verified else None,
        permissions=frozenset(permission for grants in granted for permission in grants.permissions),
        is_admin=any(grants.admin for grants in granted),
        teams=frozenset(int(team.removeprefix("tea_")) for grants in granted for team in grants.teams),
        groups=_shown(issuer, groups),
    )


def _groups(issuer: Issuer, claims: Mapping[str, Any]) -> list[str]:
    found = _at(claims, issuer.groups_claim)
    if found is None:
        return []
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(group, str) for group in listed):
        raise Unauthenticated(f"The claim {'.'.join(issuer.groups_claim)} of this token is not a list of texts.")
    return listed


def _shown(issuer: Issuer, groups: list[str]) -> tuple[str, ...]:
    """The groups of a sign-in that are stored, in alphabetical order."""
    granting = [group for group in groups if group in issuer.groups and is_storable(group)]
    others = [group for group in groups if group not in issuer.groups and _line(group, _LONGEST_NAME) == group]
    return tuple(sorted([*granting, *others][:_MOST_GROUPS]))


def _at(claims: Mapping[str, Any], path: ClaimPath) -> Any:
    """The value at the end of the path; None where there is none."""
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _address(value: object) -> str | None:
    found = _line(value, _LONGEST_EMAIL)
    return found if found is not None and _EMAIL.fullmatch(found) else None


def _line(value: object, most: int) -> str | None:
    """The value if it is one storable line of text, otherwise None: a claim that only describes may be ignored."""
    if not isinstance(value, str) or not is_storable(value) or not value.isprintable():
        return None
    found = value.strip()
    return found if 0 < len(found) <= most else None
