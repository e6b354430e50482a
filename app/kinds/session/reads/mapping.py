"""Maps Sessions to the tables."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.connections.reads import CANNOT, IS_DOWN
from app.directory.tables import customer
from app.interactions.reads.sight import seen_by_key
from app.interactions.reads.viewing import DOWN, viewer_can
from app.kinds.session.model import NAME, PREFIX, VIEWER_COLUMNS, refusal, reply_block
from app.kinds.session.tables import session, suggested_message
from app.selection.mapping import (
    SOME,
    Bind,
    Env,
    Many,
    Mapped,
    OfInterface,
    Order,
    Root,
    RootOne,
    Scope,
    Sql,
    SqlOf,
    TypeMap,
    keyed,
)
from app.storage.tables import Timestamp

READ = f"{NAME}:read"
SEES = f"{READ}{SOME}"


def _of_customer(expression: Sql) -> SqlOf:
    def sql(scope: Scope) -> Sql:
        found = sa.select(expression).where(customer.c.id == scope.c.customer_id)
        return found.correlate(scope.c.customer_id.table).scalar_subquery()

    return sql


_VIEWER_COLUMNS: Mapping[str, str | SqlOf | OfInterface] = {
    **{name: name for name in VIEWER_COLUMNS},
    "unsubscribed": _of_customer(customer.c.unsubscribed),
    "has_number": _of_customer(
        sa.func.coalesce(customer.c.phone_number, customer.c.unconfirmed_phone_number).is_not(None)
    ),
    "cannot": CANNOT,
    DOWN: IS_DOWN,
}


MAPPINGS: tuple[Mapped, ...] = (
    TypeMap(
        "Session",
        session,
        prefix=PREFIX,
        base="Interaction",
        value=NAME,
        fields={
            "suggestedMessages": Many(
                "SuggestedMessage",
                keyed("session_id"),
                {"PLACE": Order(lambda scope: (scope.c.place, scope.c.id))},
                "PLACE",
                inherits=True,
            ),
            "viewerCan": viewer_can(refusal, reply_block, _VIEWER_COLUMNS),
        },
        requires=SEES,
    ),
    TypeMap(
        "SuggestedMessage",
        suggested_message,
        prefix="sug",
        visible=lambda permissions, scope: seen_by_key(permissions, scope.c.session_id, NAME),
        requires=SEES,
    ),
)


def _is_current(scope: Scope, bind: Bind) -> Sql:
    """The rule of `model.is_current` at the time of the request, whether or not a deadline has fired."""
    named = sa.select(customer.c.id).where(customer.c.customer_key == bind("customer_key", sa.Text))
    return sa.and_(
        scope.c.customer_id == named.scalar_subquery(),
        sa.or_(
            scope.c.need_attention,
            scope.c.active_at > bind("since", Timestamp),
            scope.c.waiting_since > bind("since", Timestamp),
            sa.and_(scope.c.assignee_id.is_not(None), scope.c.waiting_since.is_not(None)),
        ),
    )


def _now(env: Env, arguments: Mapping[str, Any]) -> Mapping[str, object]:
    return {"customer_key": arguments["customer_key"], "since": env.now - env.settings.session_window}


def _key(_env: Env, arguments: Mapping[str, Any]) -> Mapping[str, object]:
    return {"session_key": str(arguments["session_key"])}


ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "session": RootOne(
            "Session", lambda scope, bind: scope.c.session_key == bind("session_key", sa.Text), _key, requires=SEES
        ),
        "currentSession": RootOne(
            "Session",
            _is_current,
            _now,
            requires=SEES,
            order=lambda scope: (scope.c.active_at.desc(), scope.c.id.desc()),
        ),
    }
)
