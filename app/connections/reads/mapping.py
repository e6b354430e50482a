"""Maps connections, parked deliveries and upstream keys to the tables."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.connections.model import MANAGE, PREFIX, Standing, hook_path
from app.connections.model.standing import MANY_TRIES, told
from app.connections.reads.outbox import OUTBOX, UPSTREAM_FIELDS
from app.connections.tables import (
    AGAIN,
    IS_ACTIVE,
    IS_FAILING,
    PARKED,
    PENDING,
    connected_system,
    dirty,
    in_state,
    inbox,
    mirrored,
    outbox,
)
from app.selection.mapping import (
    Column,
    Computed,
    Env,
    FieldMap,
    Many,
    Mapped,
    ObjectMap,
    One,
    Order,
    Root,
    RootMany,
    Scope,
    Sql,
    TypeMap,
    by_id,
    keyed,
)

SHOWN = 65_536
"""How many characters of a parked body are read: a page of whole bodies could take a hundred MiB and more."""

_OLDEST = {"OLDEST": Order(lambda scope: (scope.c.id,))}


def _deliveries(scope: Scope, state: str, what: Sql) -> Sql:
    found = sa.select(what).select_from(inbox).where(inbox.c.connection_id == scope.c.id, in_state(state))
    return found.correlate(scope.c.id.table).scalar_subquery()


def _pending(scope: Scope) -> Sql:
    """How many deliveries wait."""
    return _deliveries(scope, PENDING, sa.func.count())


def _parked(scope: Scope) -> Sql:
    """How many deliveries are parked."""
    return _deliveries(scope, PARKED, sa.func.count())


def _first_due(scope: Scope) -> Sql:
    """When the first of the pending deliveries is or was to be applied."""
    return _deliveries(scope, PENDING, sa.func.min(inbox.c.due_at, type_=inbox.c.due_at.type))


def _pending_writes(scope: Scope) -> Sql:
    """How much must still be done in the system."""
    return _count(scope, outbox, IS_ACTIVE)


def _pending_reads(scope: Scope) -> Sql:
    """How much has changed in the system and must still be read. Regular repeated reads are not counted."""
    return _count(scope, dirty, dirty.c.fingerprint.is_distinct_from(sa.literal_column(f"'{AGAIN}'", sa.Text)))


def _failing(scope: Scope) -> Sql:
    """How much still fails to be read or applied after many tries."""
    return _count(scope, dirty, IS_FAILING)


def _count(scope: Scope, of: sa.Table, *conditions: Any) -> Sql:
    found = sa.select(sa.func.count()).select_from(of).where(of.c.connection_id == scope.c.id, *conditions)
    return found.correlate(scope.c.id.table).scalar_subquery()


def _is_parked(scope: Scope) -> Sql:
    """The condition that a delivery is parked."""
    found: Sql = scope.c.state == sa.literal_column(f"'{PARKED}'")
    return found


def _is_failing(scope: Scope) -> Sql:
    """The condition that a read keeps failing."""
    found: Sql = scope.c.attempts >= sa.literal_column(str(MANY_TRIES))
    return found


_STANDING: tuple[str | Callable[[Scope], Sql], ...] = (
    "paused",
    "fault",
    "last_delivery_at",
    "last_refused_at",
    _parked,
    _first_due,
    "address",
    "reach_fault",
    "polled_at",
    "walked_at",
    "missing",
    _failing,
)


def _state(env: Env, *facts: Any) -> str:
    return Standing(*facts).state(env.now).value


def _error(env: Env, *facts: Any) -> Mapping[str, object] | None:
    code = Standing(*facts).error(env.now)
    if code is None:
        return None
    action, message = told(code)
    return {"code": code.value, "action": action.value, "message": message}


def _lag(env: Env, due: datetime | None) -> int:
    return 0 if due is None else max(int((env.now - due).total_seconds()), 0)


def _hook_path(_env: Env, number: int, token: str) -> str:
    return hook_path(number, token)


def _former_until(env: Env, until: datetime | None) -> datetime | None:
    return until if until is not None and until > env.now else None


def _of_system(name: str) -> FieldMap:
    def sql(scope: Scope) -> Sql:
        found = sa.select(connected_system.c[name]).where(connected_system.c.id == scope.c.connection_id)
        return found.correlate(scope.c.connection_id.table).scalar_subquery()

    return Column(sql)


MAPPINGS: tuple[Mapped, ...] = (
    TypeMap(
        "ConnectedSystem",
        connected_system,
        prefix=PREFIX,
        fields={
            "state": Computed(_STANDING, _state),
            "error": Computed(_STANDING, _error, type="ConnectionError"),
            "pending": Column(_pending),
            "pendingWrites": Column(_pending_writes),
            "pendingReads": Column(_pending_reads),
            "walkedPages": Column(lambda scope: scope.c.walk_page),
            "missing": Column(lambda scope: sa.func.coalesce(scope.c.missing, 0)),
            "totalPages": Column(lambda scope: scope.c.walk_pages),
            "parked": Column(_parked),
            "lagSeconds": Computed((_first_due,), _lag),
            "hookPath": Computed(("id", "token"), _hook_path),
            "formerSecretUntil": Computed(("former_until",), _former_until),
            "parkedDeliveries": Many(
                "ParkedDelivery",
                keyed("connection_id"),
                _OLDEST,
                "OLDEST",
                where=_is_parked,
                inherits=True,
            ),
            "failingReads": Many(
                "FailingRead",
                keyed("connection_id"),
                _OLDEST,
                "OLDEST",
                where=_is_failing,
                inherits=True,
            ),
        },
        visible=lambda _permissions, scope: scope.c.deleted_at.is_(None),
        requires=MANAGE,
    ),
    ObjectMap("ConnectionError"),
    TypeMap(
        "ParkedDelivery",
        inbox,
        prefix="dlv",
        fields={"body": Column(lambda scope: sa.func.substr(scope.c.body, 1, SHOWN, type_=sa.Text))},
        visible=lambda _permissions, scope: _is_parked(scope),
        requires=MANAGE,
    ),
    TypeMap(
        "FailingRead",
        dirty,
        prefix="frd",
        visible=lambda _permissions, scope: _is_failing(scope),
        requires=MANAGE,
    ),
    *OUTBOX,
    TypeMap(
        "Upstream",
        mirrored,
        fields={
            "connection": One("ConnectedSystem", lambda scope: scope.c.connection_id),
            "name": _of_system("name"),
            "system": _of_system("system"),
            "key": Column(lambda scope: scope.c.upstream_key),
            **UPSTREAM_FIELDS,
        },
    ),
)

UPSTREAM = One("Upstream", lambda scope: scope.c.id)
"""The origin of an interaction, by the interaction's surrogate."""


ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "connection": by_id("ConnectedSystem", PREFIX, requires=MANAGE),
        "connections": RootMany("ConnectedSystem", _OLDEST, "OLDEST", requires=MANAGE),
    }
)
