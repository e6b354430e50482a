"""Reads only for the REST contract: offset pages, numbers, keys."""

from collections.abc import Generator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.directory.tables import customer
from app.interactions.reads.sight import only, seen_by_key, seen_of_kind
from app.interactions.tables import interaction, message
from app.kinds.session.model import NAME, SYSTEM
from app.kinds.session.reads.mapping import SEES
from app.kinds.session.tables import session
from app.selection.catalogue import FieldFacts, TypeFacts
from app.selection.mapping import Env, Permissions, Read, RootMany, RootOne, RootSteps, by_columns

Reading = Generator[Any, Sequence[Any], Mapping[str, object] | None]

_CUSTOMER_KEY: sa.BindParameter[str] = sa.bindparam("customer_key", type_=sa.Text)
_SESSION_KEY: sa.BindParameter[str] = sa.bindparam("session_key", type_=sa.Text)
_PHONE_NUMBER: sa.BindParameter[str] = sa.bindparam("phone_number", type_=sa.Text)
_OF_KIND = interaction.c.kind == sa.literal_column(f"'{NAME}'")
_SYSTEM = customer.c.system == sa.literal_column(f"'{SYSTEM}'")


def _paged(select: sa.Select[Any]) -> sa.Select[Any]:
    return select.limit(sa.bindparam("limit", type_=sa.Integer)).offset(sa.bindparam("offset", type_=sa.Integer))


def _customer(permissions: Permissions) -> sa.Select[Any]:
    """A customer of the contract's own system, or one with a session that the caller sees. Of others, the answer does
    not say whether they exist."""
    sessions = sa.select(interaction.c.id).where(interaction.c.customer_id == customer.c.id, _OF_KIND)
    has_session = only(sessions, seen_of_kind(permissions, interaction, NAME)).exists()
    return sa.select(customer.c.id).where(customer.c.customer_key == _CUSTOMER_KEY, sa.or_(_SYSTEM, has_session))


def _sessions(permissions: Permissions) -> sa.Select[Any]:
    of_customer = interaction.c.customer_id == sa.bindparam("customer_id", type_=sa.BigInteger)
    of_kind = sa.select(interaction.c.id).where(of_customer, _OF_KIND)
    found = only(of_kind, seen_of_kind(permissions, interaction, NAME))
    return _paged(found.order_by(interaction.c.created_at.desc(), interaction.c.id.desc()))


def _messages(permissions: Permissions) -> sa.Select[Any]:
    named = sa.select(session.c.id).where(session.c.session_key == _SESSION_KEY)
    seen = only(named, seen_by_key(permissions, session.c.id, NAME)).scalar_subquery()
    found = sa.select(message.c.id).where(message.c.interaction_id == seen)
    return _paged(found.order_by(message.c.sent_at.desc(), message.c.id.desc()))


def _with_number() -> sa.Select[Any]:
    return sa.select(customer.c.id).where(_SYSTEM, customer.c.phone_number == _PHONE_NUMBER)


def _sessions_of_customer(read: Read, _env: Env, arguments: Mapping[str, Any]) -> Reading:
    """The sessions, newest first. None for an unknown customer."""
    rows = yield read.query("customer", lambda: _customer(read.permissions), customer_key=arguments["customer_key"])
    if not rows:
        return None
    page = {name: arguments[name] for name in ("limit", "offset")}
    found = yield read.query("sessions", lambda: _sessions(read.permissions), customer_id=rows[0][0], **page)
    return {"sessions": [row[0] for row in found]}


def _messages_of_session(read: Read, _env: Env, arguments: Mapping[str, Any]) -> Reading:
    """The messages, newest first."""
    found = yield read.query("messages", lambda: _messages(read.permissions), **arguments)
    return {"messages": [row[0] for row in found]}


def _customers_with_number(read: Read, _env: Env, arguments: Mapping[str, Any]) -> Reading:
    found = yield read.query("with number", _with_number, **arguments)
    return {"customers": [row[0] for row in found]}


CONTRACT_ROOTS: Mapping[str, RootOne | RootMany | RootSteps] = MappingProxyType(
    {
        "sessionContractSessions": RootSteps("SessionContractSessions", _sessions_of_customer, requires=SEES),
        "sessionContractMessages": RootSteps("SessionContractMessages", _messages_of_session, requires=SEES),
        "sessionContractCustomers": RootSteps(
            "SessionContractCustomers", _customers_with_number, requires="directory:read"
        ),
        "sessionContractSuggestion": by_columns("SuggestedMessage", requires=SEES, suggestion_key="suggestion_key"),
    }
)

CONTRACT_TYPES: Mapping[str, TypeFacts] = MappingProxyType(
    {
        "SessionContractSessions": TypeFacts({"sessions": FieldFacts("Session", nullable=False, many=True)}),
        "SessionContractMessages": TypeFacts({"messages": FieldFacts("Message", nullable=False, many=True)}),
        "SessionContractCustomers": TypeFacts({"customers": FieldFacts("Customer", nullable=False, many=True)}),
    }
)
