"""The attention queue and its summary in the graph."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

import strawberry

from app.attention.repository import MAPPINGS, ROOTS, streams
from app.directory.graphql import User
from app.graph.enums import described
from app.graph.fields import AFTER, PAGING, Connection, argument, root
from app.graph.slice import Slice
from app.interactions.graphql import Interaction, InteractionEvent, Level
from app.interactions.graphql.enums import KindName, ReasonName
from app.interactions.graphql.query import FILTER


class AttentionGrouping(Enum):
    """By what the attention summary is grouped."""

    KIND = "KIND"
    REASON = "REASON"
    LEVEL = "LEVEL"
    ASSIGNEE = "ASSIGNEE"


described(
    AttentionGrouping,
    "By what the attention summary is grouped.",
    {
        "KIND": "By the kind of the interactions.",
        "REASON": "By the most urgent reason of each interaction.",
        "LEVEL": "By the level of the attention.",
        "ASSIGNEE": "By the user whom the interactions are offered to, or else assigned to.",
    },
)


@strawberry.type(description="The interactions that need a human, the most urgent first.")
class AttentionQueueConnection(Connection[Interaction]):
    pass


@strawberry.type(description="How many interactions of one sort need a human.")
class AttentionGroup:
    kind: KindName | None = strawberry.field(description="The kind of the group's interactions, when grouped by it.")
    reason: ReasonName | None = strawberry.field(
        description="The most urgent reason of the group's interactions, when grouped by it."
    )
    level: Level | None = strawberry.field(description="The level of the group's attention, when grouped by it.")
    assignee: User | None = strawberry.field(
        description="The assignee of the group's interactions, when grouped by it; null for those without."
    )
    count: int = strawberry.field(description="The number of the group's interactions.")
    oldest_since: datetime | None = strawberry.field(description="The time since which the group's first has waited.")


@strawberry.type(description="How many interactions need a human.")
class AttentionSummary:
    count: int = strawberry.field(description="The number of interactions that need a human.")
    oldest_since: datetime | None = strawberry.field(description="The time since which the first of them has waited.")
    listeners: int = strawberry.field(
        description="The number of subscriptions to `attentionChanged` that run now: who would be told of an alert."
    )
    groups: list[AttentionGroup] = strawberry.field(description="The groups of the summary.")


@strawberry.type
class AttentionQuery:
    attention_queue: AttentionQueueConnection | None = root(
        description="The interactions that need a human and that the caller may see: by level, then by who has waited "
        "longest; `attention.queueKey` has that order. One that is offered to a user counts as theirs in the filter.",
        filter=FILTER,
        **PAGING,
    )
    attention_summary: AttentionSummary | None = root(
        description="How many interactions need a human, of those that the caller may see.",
        group_by=argument(AttentionGrouping, "By what they are grouped."),
    )


@strawberry.type
class AttentionSubscription:
    attention_changed: InteractionEvent = root(
        description="What enters the attention queue, leaves it or stands differently in it: another level or reason, "
        "another holder, an acknowledgement, new words of a waiting customer. One that is offered to a user counts as "
        "theirs in the filter.",
        filter=FILTER,
        after=AFTER,
    )
    attention_summary_changed: AttentionSummary = root(
        description="How many interactions need a human: now, and whenever that changes, at most a few times a second.",
        group_by=argument(AttentionGrouping, "By what they are grouped."),
    )


def attention_slice(kinds: Mapping[str, str]) -> Slice:
    """What the attention slice adds to the graph; `kinds` gives each prefix of interactions' ids its kind's name."""
    return Slice(
        query=AttentionQuery,
        subscription=AttentionSubscription,
        mappings=MAPPINGS,
        roots=ROOTS,
        streams=streams(kinds),
    )
