"""The groupings of counts of interactions."""

from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa

from app.interactions.reads.filters import (
    ACCOUNTS,
    CHAT_TOPICS,
    FILTERS,
    LEVELS,
    NEWEST,
    ORDERS,
    PARTITION,
    is_unread,
    needs_attention,
    team_of,
)
from app.interactions.tables import interaction_tag
from app.selection.mapping import (
    Grouping,
    Mapped,
    ObjectMap,
    ObjectRef,
    RootMany,
    RootTally,
    Scope,
    Sql,
    SqlOf,
)


def _as_text(condition: SqlOf) -> SqlOf:
    true, false = sa.literal_column("'true'", sa.Text), sa.literal_column("'false'", sa.Text)
    return lambda scope: sa.case((condition(scope), true), else_=false)


def _account_of(*prefixes: str) -> Grouping:
    """The account, where its id has one of these prefixes."""

    def account(scope: Scope) -> Sql:
        of_these = sa.or_(*(scope.c.account.like(sa.literal_column(f"'{prefix}%'")) for prefix in prefixes))
        return sa.case((of_these, scope.c.account))

    return Grouping(account, refers=True)


def _tagged(name: str) -> Grouping:
    def of(key: Sql) -> Sql:
        return sa.and_(
            interaction_tag.c.interaction_id == key, interaction_tag.c.name == sa.literal_column(f"'{name}'")
        )

    return Grouping(lambda _: interaction_tag.c.value, beside=(interaction_tag, of))


GROUPINGS: Mapping[str, Grouping] = MappingProxyType(
    {
        "KIND": Grouping(lambda scope: scope.c.kind, name=str.upper),
        "STATE": Grouping(lambda scope: scope.c.state),
        "STATUS": Grouping(lambda scope: scope.c.status),
        "CHANNEL": Grouping(lambda scope: scope.c.channel),
        "ACCOUNT": _account_of(*ACCOUNTS),
        "CHAT_TOPIC": _account_of(*CHAT_TOPICS),
        "ASSIGNEE": Grouping(lambda scope: scope.c.assignee_id, name=lambda number: f"usr_{number}", refers=True),
        "TEAM": Grouping(lambda scope: sa.func.nullif(team_of(scope), 0), name=lambda n: f"tea_{n}", refers=True),
        "UNREAD": Grouping(_as_text(is_unread)),
        "ATTENTION_NEEDED": Grouping(_as_text(needs_attention)),
        "LEVEL": Grouping(lambda scope: scope.c.attention_level, name=lambda number: LEVELS[int(number)]),
        "REASON": Grouping(lambda scope: scope.c.attention_reason),
        "LABEL": _tagged("label"),
        "TAG": _tagged("tag"),
        "TOPIC": _tagged("topic"),
    }
)
"""What the enum InteractionGrouping has. The values of one are what the filter's condition takes."""

COUNTS = RootTally(
    "InteractionCounts",
    RootMany("Interaction", ORDERS, NEWEST, filters=FILTERS, partition=PARTITION),
    GROUPINGS,
    sums={"unread_count": is_unread, "attention_count": needs_attention},
)
"""The root field `interactionCounts`."""

COUNT_MAPPINGS: tuple[Mapped, ...] = (
    ObjectMap("InteractionCounts"),
    ObjectMap("InteractionGroups"),
    ObjectMap("InteractionGroup", {"node": ObjectRef("node", ("usr", "tea", *ACCOUNTS, *CHAT_TOPICS))}),
)
