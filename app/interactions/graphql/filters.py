"""The filters of lists of interactions."""

from datetime import datetime

import strawberry

from app.directory.model import Channel
from app.interactions.graphql.enums import KindName, Level, ReasonName, State, StatusName


@strawberry.input(description="A span of time.")
class TimeRange:
    since: strawberry.Maybe[datetime] = strawberry.field(default=None, description="The start of the span, inclusive.")
    before: strawberry.Maybe[datetime] = strawberry.field(default=None, description="The end of the span, exclusive.")


@strawberry.input(description="A filter by assignee.")
class AssigneeFilter:
    user_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        default=None, description="The id of the assignee; `me` is the caller."
    )
    user_id_or_nobody: strawberry.Maybe[strawberry.ID] = strawberry.field(
        default=None,
        description=(
            "The id of a user, or `me` for the caller. Matches interactions assigned to this user or to nobody."
        ),
    )
    assigned: strawberry.Maybe[bool] = strawberry.field(default=None, description="Whether there is an assignee.")


_RULE = (
    "All given conditions must match; a list matches when one of its values does. An absent condition does not filter, "
    "an empty list matches nothing, and null is refused."
)


@strawberry.input
class _Conditions:
    """The conditions on what an event keeps of its interaction too."""

    kinds: strawberry.Maybe[list[KindName]] = strawberry.field(
        default=None, description="The kinds of the interactions."
    )
    states: strawberry.Maybe[list[State]] = strawberry.field(
        default=None, description="The states of the interactions."
    )
    statuses: strawberry.Maybe[list[StatusName]] = strawberry.field(
        default=None,
        description="The statuses of the interactions, named as in each kind; Sessions have none.",
    )
    channels: strawberry.Maybe[list[Channel]] = strawberry.field(
        default=None, description="The messenger services of Conversations; other kinds have none."
    )
    account_ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(
        default=None,
        description="The ids of the accounts that the customers wrote to: the ChannelAgents of Conversations, the "
        "AiAgents of AgentSessions.",
    )
    chat_topic_ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(
        default=None, description="The ids of the ChatTopics of ChatSessions."
    )
    team_ids: strawberry.Maybe[list[strawberry.ID | None]] = strawberry.field(
        default=None, description="The ids of the teams of the interactions; null matches interactions without a team."
    )
    unread: strawberry.Maybe[bool] = strawberry.field(
        default=None, description="Whether messages of the customer are unread."
    )
    assignee: strawberry.Maybe[AssigneeFilter] = strawberry.field(
        default=None, description="The assignee of the interactions."
    )
    customer_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        default=None, description="The id of the interactions' customer."
    )
    labels: strawberry.Maybe[list[str]] = strawberry.field(default=None, description="The labels of the interactions.")
    tags: strawberry.Maybe[list[str]] = strawberry.field(default=None, description="The tags of Sessions.")
    topics: strawberry.Maybe[list[str]] = strawberry.field(
        default=None, description="The topics of Sessions; those of chats are `chatTopicIds`."
    )
    attention_needed: strawberry.Maybe[bool] = strawberry.field(
        default=None, description="Whether the interactions need a human."
    )
    reasons: strawberry.Maybe[list[ReasonName]] = strawberry.field(
        default=None, description="The reasons of the attention."
    )
    levels: strawberry.Maybe[list[Level]] = strawberry.field(default=None, description="The levels of the attention.")
    bot_active: strawberry.Maybe[bool] = strawberry.field(
        default=None, description="Whether a bot answers the customer."
    )


@strawberry.input(description=f"A filter of a list of interactions. {_RULE}")
class InteractionFilter(_Conditions):
    created_at: strawberry.Maybe[TimeRange] = strawberry.field(
        default=None, description="The time of the interactions' creation."
    )
    updated_at: strawberry.Maybe[TimeRange] = strawberry.field(
        default=None, description="The time of the interactions' latest change."
    )
    latest_message_at: strawberry.Maybe[TimeRange] = strawberry.field(
        default=None, description="The time of the interactions' newest message."
    )


@strawberry.input(
    description=f"A filter of events, by their interaction before and after the event. {_RULE} It has no "
    "conditions on times, because events do not keep them."
)
class InteractionEventFilter(_Conditions):
    pass
