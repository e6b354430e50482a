"""The filters and orders of lists of interactions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.core.ids import require_id
from app.directory.model import NO_TEAM
from app.interactions.erased import INTERACTION
from app.interactions.model import Level, State
from app.interactions.reads.sight import by_teams_alone, kinds_seen, seen, seen_part
from app.interactions.tables import UNREAD, erasing, interaction_tag
from app.selection.mapping import (
    Filter,
    Order,
    Partition,
    Permissions,
    Scope,
    Sql,
    SqlOf,
    Stream,
    both_ways,
    by_value,
    one_of,
    reference,
)
from app.storage.constructs import TextList, among
from app.storage.tables import Timestamp

LEVELS = {level.value: level.name for level in Level}
"""A stored level's name."""

_ACTIVE = both_ways("LATEST_MESSAGE_AT", lambda scope: (scope.c.active_at, scope.c.id))
_CREATED = both_ways("CREATED_AT", lambda scope: (scope.c.created_at, scope.c.id))
_UPDATED = both_ways("UPDATED_AT", lambda scope: (scope.c.updated_at, scope.c.id))
ORDERS: Mapping[str, Order] = MappingProxyType({**_ACTIVE, **_CREATED, **_UPDATED})
NEWEST = "LATEST_MESSAGE_AT_DESC"
"""The default of the orders."""

QUEUE_ORDER = Order(lambda scope: (scope.c.attention_level, scope.c.attention_since, scope.c.id))


def visible(permissions: Permissions, scope: Scope) -> Sql | bool:
    """The condition that an interaction may be seen."""
    return seen(permissions, scope)


def visible_part(permissions: Permissions, scope: Scope) -> Sql | bool:
    """The condition that messages and notes may be read where no visible interaction leads to them; not those of a
    deleted one."""
    within = seen_part(permissions, scope)
    if within is False:
        return False
    deleted = sa.select(erasing.c.number).where(erasing.c.what == sa.literal_column(f"'{INTERACTION}'"))
    kept = sa.ColumnElement.not_in(scope.c.interaction_id, deleted)
    return kept if within is True else sa.and_(within, kept)


def _kinds() -> Filter:
    by_name = one_of(lambda scope: scope.c.kind)
    return replace(by_name, value=lambda names: by_name.value([name.lower() for name in names]))


def _listed(name: str) -> Filter:
    """The condition that at least one of the argument's values is in the interaction's list of this name."""

    def clause(scope: Scope, bind: Any, single: bool) -> Sql:
        value = interaction_tag.c.value
        match = value == bind(sa.Text()) if single else among(value, bind(TextList()))
        found = sa.select(interaction_tag.c.interaction_id).where(
            interaction_tag.c.name == sa.literal_column(f"'{name}'"), match
        )
        return sa.ColumnElement.in_(scope.c.id, found)

    def value(values: Sequence[str]) -> object:
        return values[0] if len(values) == 1 else list(values)

    return Filter(clause, value, lambda values: len(values) == 1)


def _reasons() -> Filter:
    """The condition that at least one of the reasons is among those of the attention. Reasons are enum names, so
    comparing text is enough."""

    def clause(scope: Scope, _bind: Any, reasons: Sequence[str]) -> Sql:
        held = sa.cast(scope.c.attention_reasons, sa.Text)
        return sa.or_(sa.false(), *(held.like(f'%"{reason}"%') for reason in reasons))

    return Filter(clause, shape=lambda reasons: tuple(sorted(set(reasons))))


def _from(sql: SqlOf) -> Filter:
    return Filter(lambda scope, bind, _: sql(scope) >= bind(Timestamp()))


def _before(sql: SqlOf) -> Filter:
    return Filter(lambda scope, bind, _: sql(scope) < bind(Timestamp()))


def _true_or_false(sql: SqlOf) -> Filter:
    return by_value(lambda scope, wanted: sql(scope) if wanted else sa.not_(sql(scope)))


ACCOUNTS = ("cha", "aia")
"""The prefixes of the ids of what a customer comes by, beside a ChatTopic."""

CHAT_TOPICS = ("top",)


def ids_of(texts: Sequence[str], prefixes: Sequence[str]) -> list[str]:
    """The ids as they are stored, without duplicates. Raises NotFound and InvalidInput with the index of the id."""
    found = (str(require_id(text, *prefixes, path=(index,))) for index, text in enumerate(texts))
    return list(dict.fromkeys(found))


def _came_by(*prefixes: str) -> Filter:
    by_id = _facet(lambda scope: scope.c.account)
    return replace(by_id, value=lambda texts: by_id.value(ids_of(texts, prefixes)))


def _facet(sql: SqlOf) -> Filter:
    return one_of(sql, ordered=frozenset({*_ACTIVE, *_CREATED, "QUEUE"}))


def team_of(scope: Scope) -> Sql:
    """The team's surrogate, 0 for none."""
    return scope.c.team_id  # type: ignore[no-any-return]


def team_numbers(texts: Sequence[str | None]) -> list[int]:
    """The surrogates of teams, without duplicates; None stands for no team. Raises NotFound and InvalidInput with the
    index."""
    found = (
        NO_TEAM if text is None else require_id(text, "tea", path=(index,)).number for index, text in enumerate(texts)
    )
    return list(dict.fromkeys(found))


def _teams() -> Filter:
    by_number = one_of(team_of, {})

    def value(texts: Sequence[str | None]) -> object:
        found = team_numbers(texts)
        return found[0] if len(found) == 1 else found

    return replace(by_number, value=value)


def is_unread(scope: Scope) -> sa.ColumnElement[bool]:
    """The condition that messages of the customer are unread, written as in the partial indexes."""
    column, _, number = UNREAD.rpartition(" > ")
    unread: sa.Column[int] = getattr(scope.c, column)
    return unread > sa.literal_column(number, sa.Integer)


def needs_attention(scope: Scope) -> Sql:
    """The condition that a human is needed."""
    needed: Sql = scope.c.attention_level.is_not(None)
    return needed


def asked_id(scope: Scope) -> Sql:
    """The user whom the attention asks: the user whom the interaction is offered to, or else its assignee."""
    return sa.func.coalesce(scope.c.attention_user_id, scope.c.assignee_id)


def _assignee(scope: Scope) -> Sql:
    return scope.c.assignee_id  # type: ignore[no-any-return]


def _held_by(holder: SqlOf, stream: Stream | None = None) -> Mapping[str, Filter]:
    """The conditions on who holds an interaction; `stream` says which orders an index has for each holder."""
    held = reference(holder, "usr")

    def free_or_held(scope: Scope, bind: Any, shape: Any) -> Sql:
        return sa.or_(holder(scope).is_(None), held.clause(scope, bind, shape))

    return {
        "assignee.user_id": held,
        "assignee.user_id_or_nobody": Filter(free_or_held, held.value, held.shape, held.of_user, stream),
        "assignee.assigned": _true_or_false(lambda scope: holder(scope).is_not(None)),
    }


FILTERS: Mapping[str, Filter] = MappingProxyType(
    {
        "kinds": _kinds(),
        "states": one_of(lambda scope: scope.c.state),
        "statuses": _facet(lambda scope: scope.c.status),
        "channels": _facet(lambda scope: scope.c.channel),
        "account_ids": _came_by(*ACCOUNTS),
        "chat_topic_ids": _came_by(*CHAT_TOPICS),
        "team_ids": _teams(),
        "unread": _true_or_false(is_unread),
        **_held_by(_assignee, Stream(_assignee, frozenset(_ACTIVE), or_none=True)),
        "customer_id": reference(lambda scope: scope.c.customer_id, "cus"),
        "labels": _listed("label"),
        "tags": _listed("tag"),
        "topics": _listed("topic"),
        "attention_needed": _true_or_false(needs_attention),
        "reasons": _reasons(),
        "levels": one_of(lambda scope: scope.c.attention_level, {name: level for level, name in LEVELS.items()}),
        "bot_active": _true_or_false(lambda scope: scope.c.bot_active),
        "created_at.since": _from(lambda scope: scope.c.created_at),
        "created_at.before": _before(lambda scope: scope.c.created_at),
        "updated_at.since": _from(lambda scope: scope.c.updated_at),
        "updated_at.before": _before(lambda scope: scope.c.updated_at),
        "latest_message_at.since": _from(lambda scope: scope.c.last_message_at),
        "latest_message_at.before": _before(lambda scope: scope.c.last_message_at),
    }
)
"""What `InteractionFilter` may hold; all conditions that are given must hold."""

_ON_THE_WAY = frozenset(
    {
        *((name, None) for name in FILTERS if name.endswith((".since", ".before"))),
        ("bot_active", True),
        ("bot_active", False),
        ("unread", False),
        ("attention_needed", False),
        ("assignee.assigned", True),
    }
)
"""Conditions, by name and shape, that have no index of their own, or match most."""

_TEAMS: Mapping[str, SqlOf] = {"team_ids": team_of}
_KINDS: Mapping[str, tuple[SqlOf, Sequence[str] | None]] = {"kinds": (lambda scope: scope.c.kind, None)}

PARTITION = Partition(
    columns={**_KINDS, "states": (lambda scope: scope.c.state, tuple(state.value for state in State))},
    orders=frozenset(ORDERS),
    beside=_ON_THE_WAY,
    seen=kinds_seen,
    numbers=_TEAMS,
    of_viewer=(team_of, by_teams_alone),
)
"""Lists by kind and state."""

QUEUE_FILTERS: Mapping[str, Filter] = MappingProxyType({**FILTERS, **_held_by(asked_id)})
"""The same where attention is listed: an interaction that is offered to a user counts as that user's."""

QUEUE_PARTITION = Partition(
    columns=_KINDS,
    orders=frozenset({"QUEUE"}),
    beside=_ON_THE_WAY | {("states", True), ("states", False), ("attention_needed", True)},
    seen=kinds_seen,
    numbers=_TEAMS,
    of_viewer=(team_of, by_teams_alone),
)
"""The attention queue by kind."""
