"""The REST contract's list of chats, by its archive columns."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.directory.tables import app_user
from app.interactions.reads.sight import only, seen_of_kind
from app.interactions.tables import interaction
from app.kinds.chat_session.model.session import KIND
from app.kinds.chat_session.tables import chat_session, chat_topic
from app.selection.mapping import Env, Permissions, Read
from app.storage.tables import Timestamp

Sql = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Archived:
    """A column by which lists are filtered and ordered. `type` is `int`, `text`, `time` or `status`."""

    sql: Sql
    type: str


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison of a column with the value bound as `bind`. When `bind` is None, a test for null (only `eq` and
    `ne`)."""

    column: str
    operator: str
    bind: str | None


@dataclass(frozen=True, slots=True)
class Both:
    """Two conditions; `all` of them, or any."""

    all: bool
    parts: tuple["Condition", ...]


Condition = Test | Both


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts that a list's SQL depends on. `orders` are columns, each with whether it descends."""

    condition: Condition | None
    orders: tuple[tuple[str, bool], ...]


def _within(column: sa.Column[Any], item: str) -> Sql:
    return sa.type_coerce(column, sa.JSON)[item]


def _person_text(item: str) -> Archived:
    return Archived(_within(chat_session.c.person, item).as_string(), "text")


def _number(column: sa.Column[Any], item: str) -> Archived:
    return Archived(_within(column, item).as_integer(), "int")


_chat, _agent = chat_session.c, app_user.c
COLUMNS: Mapping[str, Archived] = MappingProxyType(
    {
        "chatsessionid": Archived(_chat.chat_session_id, "int"),
        "firstmessage": Archived(_chat.first_message, "text"),
        "lastmessage": Archived(_chat.last_message, "text"),
        "whenrequested": Archived(_chat.when_requested, "time"),
        "whenstarted": Archived(_chat.when_started, "time"),
        "whenended": Archived(_chat.when_ended, "time"),
        "queuelength": Archived(_chat.initial_queue_pos, "int"),
        "rating": Archived(_chat.rating, "int"),
        "agent": Archived(_agent.name, "text"),
        "status": Archived(_chat.status, "status"),
        "associateid": Archived(interaction.c.assignee_id, "int"),
        "associate/fullname": Archived(sa.func.coalesce(_agent.full_name, _agent.name), "text"),
        "associate/personid": Archived(_agent.person_id, "int"),
        "contactid": _number(_chat.contact, "contact_id"),
        "personid": _number(_chat.person, "person_id"),
        "person/personid": _number(_chat.person, "person_id"),
        "person/contactid": _number(_chat.person, "contact_id"),
        "person/firstname": _person_text("firstname"),
        "person/lastname": _person_text("lastname"),
        "person/fullname": _person_text("full_name"),
        "chattopic/chattopicid": Archived(chat_topic.c.topic_id, "int"),
        "chattopic/name": Archived(chat_topic.c.name, "text"),
        "chattopic/description": Archived(chat_topic.c.description, "text"),
        "updateddate": Archived(interaction.c.updated_at, "time"),
        "registereddate": Archived(interaction.c.created_at, "time"),
    }
)
"""The columns by their names in lower case."""

_TYPES: Mapping[str, Any] = {"int": sa.BigInteger(), "text": sa.Text(), "time": Timestamp(), "status": sa.Text()}
_OPERATORS: Mapping[str, Callable[[Sql, Any], Sql]] = {
    "eq": lambda column, value: column == value,
    # A missing value differs from the value.
    "ne": lambda column, value: column.is_distinct_from(value),
    "gt": lambda column, value: column > value,
    "ge": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "le": lambda column, value: column <= value,
    "startswith": lambda column, value: sa.func.substr(column, 1, sa.func.length(value)) == value,
    # REPLACE respects case on both databases; LIKE does not.
    "contains": lambda column, value: sa.func.replace(column, value, "") != column,
}


def listed_chats(
    read: Read, _env: Env, arguments: Mapping[str, Any]
) -> Generator[Any, Sequence[Any], Mapping[str, object]]:
    """The chats of one page, and one more."""
    shape: Shape = arguments["shape"]
    rows = yield read.query("list", lambda: _select(shape, read.permissions), **arguments["values"], **_page(arguments))
    return {"chats": [row[0] for row in rows]}


def _page(arguments: Mapping[str, Any]) -> dict[str, int]:
    return {"list_limit": arguments["limit"], "list_offset": arguments["offset"]}


def _select(shape: Shape, permissions: Permissions) -> sa.Select[Any]:
    found = (
        sa.select(chat_session.c.id)
        .join(interaction, interaction.c.id == chat_session.c.id)
        .join(chat_topic, chat_topic.c.id == chat_session.c.topic_id)
        .outerjoin(app_user, app_user.c.id == interaction.c.assignee_id)
    )
    found = only(found, seen_of_kind(permissions, interaction, KIND))
    if shape.condition is not None:
        found = found.where(_sql(shape.condition))
    for name, descending in shape.orders:
        column = COLUMNS[name].sql
        # A missing value sorts lowest on both databases.
        found = found.order_by(column.desc().nulls_last() if descending else column.asc().nulls_first())
    return (
        found.order_by(chat_session.c.id)
        .limit(sa.bindparam("list_limit", type_=sa.Integer))
        .offset(sa.bindparam("list_offset", type_=sa.Integer))
    )


def _sql(condition: Condition) -> Sql:
    if isinstance(condition, Both):
        parts = [_sql(part) for part in condition.parts]
        return sa.and_(*parts) if condition.all else sa.or_(*parts)
    column = COLUMNS[condition.column]
    if condition.bind is None:
        return column.sql.is_(None) if condition.operator == "eq" else column.sql.is_not(None)
    return _OPERATORS[condition.operator](column.sql, sa.bindparam(condition.bind, type_=_TYPES[column.type]))
