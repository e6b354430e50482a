"""The subscriptions to interactions of all kinds."""

from datetime import datetime
from enum import Enum

import strawberry

from app.directory.graphql import User
from app.graph.enums import described
from app.graph.fields import AFTER, argument, root
from app.interactions.graphql.enums import ReasonName
from app.interactions.graphql.query import EVENT_FILTER
from app.interactions.graphql.types import Event


class Change(Enum):
    """How an event changes the list of interactions that a subscription's filter matches."""

    ENTERED = "ENTERED"
    UPDATED = "UPDATED"
    LEFT = "LEFT"


described(
    Change,
    "Whether a list with the same filter gains, keeps or loses the interaction.",
    {
        "ENTERED": "The filter matches the interaction now, but did not before: add it to the list.",
        "UPDATED": "The filter matches the interaction as it did before.",
        "LEFT": "The filter no longer matches the interaction, or it was deleted: remove it from the list.",
    },
)


@strawberry.type(description="Something that happened to an interaction, as an item of a subscription.")
class InteractionEvent(Event):
    change: Change = strawberry.field(description="What the event means for a list with the same filter.")
    interaction_id: strawberry.ID = strawberry.field(
        description="The id of the event's interaction, even after that was deleted."
    )
    reason_before: ReasonName | None = strawberry.field(
        description="The reason of the attention before the event; only for events about attention."
    )
    reason_after: ReasonName | None = strawberry.field(
        description="The reason of the attention after the event; only for events about attention."
    )


@strawberry.type(description="A user who is typing.")
class Typing:
    interaction_id: strawberry.ID = strawberry.field(description="The id of the interaction in which the user types.")
    user: User | None = strawberry.field(description="The user who is typing.")
    at: datetime = strawberry.field(description="The time of the latest sign of typing.")
    until: datetime = strawberry.field(
        description=("The time at which to stop showing it, unless another event arrives.")
    )


@strawberry.type
class InteractionsSubscription:
    interaction_changed: InteractionEvent = root(
        description="Every change of one interaction, of the interactions that the filter matches before or after "
        "the change, or of all that the caller may see.",
        id=argument(strawberry.ID | None, "The id of the interaction, instead of a filter."),
        filter=EVENT_FILTER,
        after=AFTER,
        viewing=argument(
            bool,
            "Whether the caller is listed in the interaction's `viewers` while the subscription is open. Needs the id.",
            default=False,
        ),
    )
    message_added: InteractionEvent = root(
        description="Every new message of any author: in one interaction, in the interactions that the filter "
        "matches, or in all that the caller may see.",
        interaction_id=argument(strawberry.ID | None, "The id of the interaction, instead of a filter."),
        filter=EVENT_FILTER,
        after=AFTER,
    )
    typing_changed: Typing = root(
        description="The users and customers who are typing in an interaction. Signals in quick succession are merged.",
        interaction_id=argument(strawberry.ID, "The id of the interaction."),
    )
