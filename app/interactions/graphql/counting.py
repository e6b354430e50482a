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
    "By what interactions are counted. The value of a group is what the condition of its name in the filter takes.",
    {
        "KIND": "By their kind.",
        "STATE": "By their state.",
        "STATUS": "By their status, in the words of their kind.",
        "CHANNEL": "By the messenger service of Conversations.",
        "ACCOUNT": "By the ChannelAgent of Conversations and the AiAgent of AgentSessions.",
        "CHAT_TOPIC": "By the ChatTopic of ChatSessions.",
        "ASSIGNEE": "By the user whom they are assigned to.",
        "TEAM": "By the team that they belong to.",
        "UNREAD": "By whether messages of the customer are unread: `true` or `false`.",
        "ATTENTION_NEEDED": "By whether they need a human: `true` or `false`.",
        "LEVEL": "By the level of their attention.",
        "REASON": "By the most urgent reason of their attention; the filter's `reasons` look at all of them.",
        "LABEL": "By each of their labels; one without labels is in no group.",
        "TAG": "By each of the tags of Sessions.",
        "TOPIC": "By each of the topics of Sessions.",
    },
)


@strawberry.type(description="The interactions with one value of a grouping.")
class InteractionGroup:
    value: str | None = strawberry.field(
        description="The value that the group's interactions have, as the filter takes it; null for those without one."
    )
    node: Node | None = strawberry.field(
        description="The object of which the value is the id: a User, Team, ChannelAgent, AiAgent or ChatTopic."
    )
    count: int = strawberry.field(description="The number of the group's interactions.")
    unread_count: int = strawberry.field(description="How many of them have unread messages of the customer.")
    attention_count: int = strawberry.field(description="How many of them need a human.")


@strawberry.type(description="Interactions, grouped.")
class InteractionGroups:
    by: InteractionGrouping = strawberry.field(description="By what they are grouped.")
    groups: list[InteractionGroup] = strawberry.field(
        description="The groups that have interactions, the largest first: at most 100."
    )
    is_capped: bool = strawberry.field(description="Whether there are more groups.")


@strawberry.type(description="How many interactions a filter matches.")
class InteractionCounts:
    count: int = strawberry.field(description="The number of interactions that match, at most 10,000.")
    count_is_capped: bool = strawberry.field(
        description="Whether more match. Then the groups count the 10,001 that had a message last: show `10000+` for "
        "all, and what a group has as so many at least."
    )
    groupings: list[InteractionGroups] = strawberry.field(
        description="The groups of each grouping that was asked for, in the order of `groupBy`."
    )


@strawberry.type
class CountsQuery:
    interaction_counts: InteractionCounts | None = root(
        description="How many interactions a filter matches, of those that the caller may see, and how many of them "
        "have each kind, status, assignee and so on: the numbers beside a list. For one group more, as the other users "
        "beside the one that is chosen, leave its condition out of the filter.",
        filter=FILTER,
        group_by=argument(
            list[InteractionGrouping], "By what they are counted, each by itself; none for the number alone."
        ),
    )
