"""Maps identities and grants to the tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson
import sqlalchemy as sa

from app.core.actor import permission_name
from app.directory.model.grant import Grant, grants_of, narrowed
from app.directory.model.identity import PREFIX, Identity
from app.directory.model.user import MANAGE
from app.directory.tables import app_user, user_identity
from app.selection.mapping import (
    Computed,
    Env,
    Many,
    ObjectMap,
    One,
    Order,
    Scope,
    Sql,
    TypeMap,
    keyed,
)
from app.storage.constructs import json_rows
from app.storage.tables import moment_of

_OLDEST: Mapping[str, Order] = MappingProxyType({"OLDEST": Order(lambda scope: (scope.c.id,))})
_IDENTITY = (
    user_identity.c.id,
    user_identity.c.issuer,
    user_identity.c.token_ends_at,
    user_identity.c.groups,
)


def _identities(scope: Scope) -> Sql:
    """The groups of the user's identities, as a JSON list."""
    found = sa.select(json_rows(*_IDENTITY)).where(user_identity.c.user_id == scope.c.id)
    return found.correlate(scope.c.id.table).scalar_subquery()


def _of_user(column: sa.Column[Any]) -> Any:
    """A column of the user of a key."""

    def expression(scope: Scope) -> Sql:
        found = sa.select(column).where(app_user.c.id == scope.c.user_id)
        return found.correlate(scope.c.id.table).scalar_subquery()

    return expression


def _identity(now: datetime, row: Sequence[Any]) -> Identity:
    number, issuer, ends, groups = row
    return Identity(
        id=number,
        user_id=0,
        issuer=issuer,
        subject="",
        created_at=now,
        token_ends_at=None if ends is None else moment_of(ends),
        groups=tuple(orjson.loads(groups).items()),
    )


def _grants(
    env: Env, roles: Sequence[str], permissions: Sequence[str], since: Mapping[str, str], rows: Sequence[Any] | None
) -> Sequence[Mapping[str, object]]:
    identities = sorted((_identity(env.now, row) for row in rows or ()), key=lambda each: each.id)
    return _shown(grants_of(roles, permissions, since, identities, env.settings.issuers))


def _grants_of_key(
    env: Env,
    named: Sequence[str] | None,
    roles: Sequence[str] | None,
    permissions: Sequence[str],
    since: Mapping[str, str],
) -> Sequence[Mapping[str, object]]:
    if roles is None:
        return ()  # of a missing key, as for a caller with a token
    return _shown(narrowed(grants_of(roles, permissions, since, (), env.settings.issuers), named))


def _shown(grants: Iterable[Grant]) -> Sequence[Mapping[str, object]]:
    return [
        {
            "permission": _name(each.permission),
            "source": each.source.value,
            "narrowed_from": _name(each.narrowed_from),
            "group": each.group,
            "identity": each.identity_id,
            "since": each.since,
            "ends_at": each.ends_at,
        }
        for each in grants
    ]


def _name(permission: str | None) -> str | None:
    return None if permission is None else permission_name(permission)


def grants_field(requires: str | None = None) -> Computed:
    """The field `grants` of a user."""
    columns = ("roles", "permissions", "granted_at", _identities)
    return Computed(columns, _grants, type="Grant", many=True, requires=requires)


def identities_field(requires: str | None = None) -> Many:
    """The edge `identities` of a user."""
    return Many("UserIdentity", keyed("user_id"), _OLDEST, "OLDEST", inherits=True, requires=requires)


GRANTS_OF_KEY = Computed(
    ("permissions", *map(_of_user, (app_user.c.roles, app_user.c.permissions, app_user.c.granted_at))),
    _grants_of_key,
    type="Grant",
    many=True,
)
"""The field `grants` of a key."""

MAPPINGS = (
    TypeMap(
        "UserIdentity",
        user_identity,
        prefix=PREFIX,
        # A user's own identities are reached through `viewer`.
        node_requires=MANAGE,
        fields={
            "user": One("User", lambda scope: scope.c.user_id),
            "groups": Computed(("groups",), lambda _, groups: list(groups)),
        },
    ),
    ObjectMap("Grant", {"identity": One("UserIdentity", key="identity")}),
)
"""Identities, and what is computed from them."""
