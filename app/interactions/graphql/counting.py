"""The numbers beside a list of interactions."""

from enum import Enum

import strawberry

from app.graph.enums import described
from app.graph.fields import Node, argument, root
from app.interactions.graphql.query import FILTER


class InteractionGrouping(Enum):
    """By what interactions are counted."""

    KIND = "KIND"
    STATE = "STATE"
    STATUS = "STATUS"
    CHANNEL = "CHANNEL"
    ACCOUNT = "ACCOUNT"
    CHAT_TOPIC = "CHAT_TOPIC"
    ASSIGNEE = "ASSIGNEE"
    TEAM = "TEAM"
    UNREAD = "UNREAD"
    ATTENTION_NEEDED = "ATTENTION_NEEDED"
    LEVEL = "LEVEL"
    REASON = "REASON"
    LABEL = "LABEL"
    TAG = "TAG"
    TOPIC = "TOPIC"


described(
    InteractionGrouping,
    "How interactions are grouped for counting. The filter's condition of the same name takes the value of a group.",
    {
        "KIND": "By their kind.",
        "STATE": "By their state.",
        "STATUS": "By their status, named as in their kind.",
        "CHANNEL": "By the messenger service of Conversations.",
        "ACCOUNT": "By the ChannelAgent of Conversations and the AiAgent of AgentSessions.",
        "CHAT_TOPIC": "By the ChatTopic of ChatSessions.",
        "ASSIGNEE": "By the user they are assigned to.",
        "TEAM": "By the team that they belong to.",
        "UNREAD": "By whether messages of the customer are unread: `true` or `false`.",
        "ATTENTION_NEEDED": "By whether they need a human: `true` or `false`.",
        "LEVEL": "By the level of their attention.",
        "REASON": "By the most urgent reason of their attention. The filter's `reasons` match any reason.",
        "LABEL": "By each of their labels. An interaction without labels is in no group.",
        "TAG": "By each of the tags of Sessions.",
        "TOPIC": "By each of the topics of Sessions.",
    },
)


@strawberry.type(description="The interactions with one value of a grouping.")
class InteractionGroup:
    value: str | None = strawberry.field(
        description=(
            "The value of the group's interactions, in the form that the filter takes; null for interactions without "
            "one."
        )
    )
    node: Node | None = strawberry.field(
        description="The object whose id is the value: a User, Team, ChannelAgent, AiAgent or ChatTopic."
    )
    count: int = strawberry.field(description="The number of the group's interactions.")
    unread_count: int = strawberry.field(description="How many of them have unread messages of the customer.")
    attention_count: int = strawberry.field(description="How many of them need a human.")


@strawberry.type(description="Interactions, grouped.")
class InteractionGroups:
    by: InteractionGrouping = strawberry.field(description="What they are grouped by.")
    groups: list[InteractionGroup] = strawberry.field(
        description="The groups that have interactions, the largest first: at most 100."
    )
    is_capped: bool = strawberry.field(description="Whether there are more groups.")


@strawberry.type(description="How many interactions a filter matches.")
class InteractionCounts:
    count: int = strawberry.field(description="The number of interactions that match, at most 10,000.")
    count_is_capped: bool = strawberry.field(
        description="Whether more match. The groups then count only the 10,001 interactions with the newest "
        "messages: show `10000+` for the total, and the number of a group as a minimum."
    )
    groupings: list[InteractionGroups] = strawberry.field(
        description="The groups of each requested grouping, in the order of `groupBy`."
    )


@strawberry.type
class CountsQuery:
    interaction_counts: InteractionCounts | None = root(
        description="The number of interactions that a filter matches, among those that the caller may see, in total "
        "and for each kind, status, assignee and so on: the numbers beside a list. To count all values "
        "of a grouping, leave its condition out of the filter.",
        filter=FILTER,
        group_by=argument(
            list[InteractionGrouping], "The groupings, each counted separately. Empty for the total only."
        ),
    )
