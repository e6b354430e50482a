"""The subscriptions about users."""

from datetime import datetime

import strawberry

from app.directory.graphql.types import User
from app.graph.fields import AFTER, argument, root


@strawberry.type(description="A change of a user's presence.")
class PresenceEvent:
    cursor: str = strawberry.field(description="The cursor of the event. Events after it can be read with `after`.")
    at: datetime = strawberry.field(description="The time of the change.")
    present: bool = strawberry.field(description="Whether chats may be offered to the user after the change.")
    user: User | None = strawberry.field(description="The user as it is now.")
    user_id: strawberry.ID = strawberry.field(description="The id of the user.")


@strawberry.type
class UserSubscription:
    presence_changed: PresenceEvent = root(
        description="Every change of a user's presence, including the one caused by deactivation.",
        user_ids=argument(list[strawberry.ID] | None, "The ids of the users, at most 1,000. The default is all users."),
        after=AFTER,
    )
