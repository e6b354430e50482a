"""The attention queue and its summary in the graph."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

import strawberry

from app.attention.reads import MAPPINGS, ROOTS, streams
from app.directory.graphql import Team, User
from app.graph.enums import described
from app.graph.fields import AFTER, PAGING, Connection, argument, root
from app.graph.slice import Slice
from app.interactions.graphql import Interaction, InteractionEvent, Level
from app.interactions.graphql.enums import KindName, ReasonName
from app.interactions.graphql.query import EVENT_FILTER, FILTER


class AttentionGrouping(Enum):
    """The groupings of the attention summary."""

    KIND = "KIND"
    REASON = "REASON"
    LEVEL = "LEVEL"
    ASSIGNEE = "ASSIGNEE"
    TEAM = "TEAM"


described(
    AttentionGrouping,
    "The fields by which the attention summary can be grouped.",
    {
        "KIND": "By the kind of the interactions.",
        "REASON": "By the most urgent reason of each interaction.",
        "LEVEL": "By the level of the attention.",
        "ASSIGNEE": "By the user to whom the interactions are offered, or else assigned.",
        "TEAM": "By the team that the interactions belong to.",
    },
)


@strawberry.type(description="The interactions that need a human, the most urgent first.")
class AttentionQueueConnection(Connection[Interaction]):
    pass


@strawberry.type(description="A group of interactions that need a human.")
class AttentionGroup:
    kind: KindName | None = strawberry.field(description="The kind of the group's interactions, when grouped by it.")
    reason: ReasonName | None = strawberry.field(
        description="The most urgent reason of the group's interactions, when grouped by it."
    )
    level: Level | None = strawberry.field(description="The level of the group's attention, when grouped by it.")
    assignee: User | None = strawberry.field(
        description="The assignee of the group's interactions, when grouped by it; null for those without."
    )
    team: Team | None = strawberry.field(
        description="The team of the group's interactions, when grouped by it; null for those without a team."
    )
    count: int = strawberry.field(description="The number of the group's interactions.")
    oldest_since: datetime | None = strawberry.field(
        description=("The time since which the longest waiting interaction of the group has waited.")
    )


@strawberry.type(description="How many interactions need a human.")
class AttentionSummary:
    count: int = strawberry.field(description="The number of interactions that need a human.")
    oldest_since: datetime | None = strawberry.field(
        description=("The time since which the longest waiting interaction has waited.")
    )
    listeners: int = strawberry.field(
        description="The number of subscriptions to `attentionChanged` that are open now."
    )
    groups: list[AttentionGroup] = strawberry.field(description="The groups of the summary.")


@strawberry.type
class AttentionQuery:
    attention_queue: AttentionQueueConnection | None = root(
        description="The interactions that need a human, ordered by level and then by waiting time; "
        "`attention.queueKey` is the sort key. For the filter, an interaction that is offered to a user "
        "is assigned to that user.",
        filter=FILTER,
        **PAGING,
    )
    attention_summary: AttentionSummary | None = root(
        description="The number of interactions that need a human, among those that the caller may see.",
        group_by=argument(AttentionGrouping, "The field to group by."),
    )


@strawberry.type
class AttentionSubscription:
    attention_changed: InteractionEvent = root(
        description="Every interaction that enters or leaves the attention queue, or changes in it: its level, "
        "reason, holder or acknowledgement, or a new message of the waiting customer. For the filter, an "
        "interaction that is offered to a user is assigned to that user.",
        filter=EVENT_FILTER,
        after=AFTER,
    )
    attention_summary_changed: AttentionSummary = root(
        description=(
            "The number of interactions that need a human: now, and whenever it changes, at most a few times a second."
        ),
        group_by=argument(AttentionGrouping, "The field to group by."),
    )


def attention_slice(kinds: Mapping[str, str]) -> Slice:
    """What the attention slice adds to the graph. `kinds` maps the prefixes of interactions' ids to kinds."""
    return Slice(
        query=AttentionQuery,
        subscription=AttentionSubscription,
        mappings=MAPPINGS,
        roots=ROOTS,
        streams=streams(kinds),
    )
